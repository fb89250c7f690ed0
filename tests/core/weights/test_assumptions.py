"""Weights that do not say what they were trained with, and files of ours that do."""

import hashlib
from functools import cache

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.detection import retinanet_resnet50_fpn

from core.config import Config, ConfigError
from core.retinanet.model import build_model
from core.retinanet.predict import detect
from core.weights.architecture import WeightsError, modernise
from core.weights.assumptions import (
    COCO_CLASSES,
    assume_settings,
    assumed_values,
    describe_weights,
    state_class_names,
    state_settings,
    suggest_class_names,
)
from core.weights.sources import COCO, adopt, build, load_weights, save_weights, weights_for
from core.weights.weights import CLASSES
from tests.core.networks import CONFIG, NAMES, make_state, meta_state, spread_scores

ANCHORS = {
    "anchors.size_p3": 32.0, "anchors.size_p4": 64.0, "anchors.size_p5": 128.0, "anchors.size_p6": 256.0,
    "anchors.size_p7": 512.0, "anchors.scales": (1.0, 2 ** (1 / 3), 2 ** (2 / 3)), "anchors.ratios": (0.5, 1.0, 2.0),
    "anchors.convention": "torchvision",
}  # fmt: skip
SIZES = {"inference.image_size": 800, "inference.max_image_size": 1333}
BARE = {"model.head_norm": "none", "model.num_convs": 0, "model.fpn_channels": 32}


def save_bare(path, num_classes=3, anchors=9, **settings):
    """Saves a state dict alone."""
    torch.save(make_bare(num_classes, anchors, tuple(settings.items())), path)
    return str(path)


@cache
def make_bare(num_classes, anchors, settings):
    """Returns a state dict, the same each time."""
    config = Config.from_flat({**BARE, **dict(settings)})
    return build_model(config.model, num_classes=num_classes, anchors_per_location=anchors).state_dict()


@pytest.mark.slow
def test_a_state_dict_of_torchvision_gives_torchvisions_boxes(tmp_path):
    torch.manual_seed(0)
    network = retinanet_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=3, min_size=96, score_thresh=0.0, detections_per_img=50
    ).eval()
    path, picture = tmp_path / "theirs.pth", torch.randint(256, (3, 70, 120), dtype=torch.uint8)
    stated = {"inference.image_size": 96, "inference.score_threshold": 0.0, "inference.max_detections": 50}
    config = Config.from_flat({"model.weights": str(path), **stated})
    torch.save(network.state_dict(), path)
    adopted = adopt(config, weights_for(config))
    assert {key: adopted.to_flat()[key] for key in ANCHORS} == ANCHORS
    ours = build(adopted, weights_for(config))
    spread_scores(ours, picture, adopted)
    network.load_state_dict(ours.state_dict())
    torch.save(network.state_dict(), path)
    with torch.inference_mode():
        [expected] = network([picture / 255])
    [found] = detect(build(adopted, weights_for(config)), [picture], adopted)
    torch.testing.assert_close(found.boxes, expected["boxes"], atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(found.scores, expected["scores"], atol=1e-5, rtol=1e-4)
    assert torch.equal(found.labels, expected["labels"])


@pytest.mark.slow
def test_a_bare_state_dict_is_torchvisions(tmp_path):
    found = load_weights(save_bare(tmp_path / "a.pth"))
    assert assumed_values(found) == {
        **ANCHORS, **SIZES, "model.norm_eps": 1e-5, "classes": ("class 0", "class 1", "class 2")
    }  # fmt: skip
    config = adopt(Config(), found)
    assert {path: value for path, value in config.to_flat().items() if path in {**ANCHORS, **SIZES}} == ANCHORS | SIZES
    assert found.category_ids == (0, 1, 2)


@pytest.mark.parametrize(
    ("settings", "assumed"),
    [
        ({"head_norm": "group", "fpn_channels": 256}, {"model.head_groups": 32}),
        ({"head_norm": "group", "fpn_channels": 32}, {"model.head_groups": 16}),  # two channels each at least
        ({"fpn_channels": 512}, {"model.p6_source": "p5"}),  # C5 of a ResNet-18 has as many: torchvision takes P5
        ({"fpn_channels": 256}, {}),
        ({"depth": 50, "fpn_channels": 512}, {}),
    ],
)
def test_what_the_shapes_leave_open_is_assumed(settings, assumed):
    from core.weights.architecture import recognise

    found = assume_settings(recognise(meta_state(num_convs=1, **settings)))
    assert found == {**ANCHORS, **SIZES, "model.norm_eps": 1e-5, **assumed}


@pytest.mark.slow
def test_other_numbers_of_anchors_have_to_be_stated(tmp_path):
    path = save_bare(tmp_path / "a.pth", anchors=3)
    found = load_weights(path)
    assert "anchors.scales" not in found.settings and "anchors.ratios" not in found.settings
    from core.weights.architecture import WeightsError

    with pytest.raises(WeightsError, match=r"3 × 3 = 9 anchors per location contradicts the weights .*, which need 3"):
        adopt(Config(), found)
    adopted = adopt(Config.from_flat({"anchors.scales": (1.0,)}), found)
    assert adopted.anchors.per_location == 3 and adopted.anchors.size_p3 == 32
    config = Config.from_flat({"model.weights": path, "anchors.scales": (1.0,)})
    assert "--anchors.ratios 0.5,1.0,2.0" in describe_weights(weights_for(config), adopted)[0]  # the rest is said
    config = config.replace({"anchors.ratios": (1.0, 2.0, 3.0)})
    assert "anchors.ratios" not in weights_for(config).assumed


@pytest.mark.slow
def test_flags_state_what_the_file_does_not_say(tmp_path):
    path = save_bare(tmp_path / "a.pth", **{"model.num_convs": 1, "model.head_norm": "group"})
    stated = {
        **dict.fromkeys(["anchors.size_p3"], 24.0), "anchors.ratios": (2.0, 1.0, 0.5), "anchors.convention": "exact",
        "model.norm_eps": 1e-3, "model.head_groups": 8, "inference.image_size": 320,
    }  # fmt: skip
    config = Config.from_flat({"model.weights": path, **stated})
    weights = weights_for(config)
    assert not stated.keys() & set(weights.assumed) and "anchors.size_p4" in weights.assumed
    adopted = adopt(config, weights)
    assert {key: adopted.to_flat()[key] for key in stated} == stated
    network = build(adopted, weights)
    assert network.norm_eps == 1e-3
    assert network.head["classification_head"].conv[0][1].num_groups == 8
    assert describe_weights(weights, adopted) == (
        f"{path} does not say with which settings it was trained. Those of torchvision are assumed:\n"
        "  --anchors.size_p4 64.0, --anchors.size_p5 128.0, --anchors.size_p6 256.0, --anchors.size_p7 512.0,\n"
        "  --anchors.scales 1.0,1.2599210498948732,1.5874010519681994, --inference.max_image_size 1333.\n"
        "  Override any that are wrong.",
        f"{path} does not name its 3 classes: they are numbered from 0 (class 0, class 1, class 2). On the command "
        "line, --classes names them; export writes them to a file.",
    )


@pytest.mark.slow
def test_an_assumed_value_that_is_stated_is_not_assumed_any_more(tmp_path):
    path = save_bare(tmp_path / "a.pth")
    config = Config.from_flat({"model.weights": path, **ANCHORS, **SIZES, "model.norm_eps": 1e-5})
    weights = state_class_names(weights_for(config), NAMES)
    assert weights.assumed == () and weights.class_names == NAMES
    assert describe_weights(weights, adopt(config, weights)) == (
        "The class names come from --classes: disc, ring, star.",
    )


@pytest.mark.slow
def test_as_many_classes_as_torchvisions_are_cocos_and_that_is_said(tmp_path):
    path = save_bare(tmp_path / "a.pth", num_classes=91)
    found = load_weights(path)
    assert found.class_names == COCO_CLASSES and found.class_names[18] == "dog"
    assert found.category_ids == tuple(range(91))
    assert describe_weights(found, adopt(Config(), found))[-1] == (
        f"{path} does not name its 91 classes: those of COCO are assumed (__background__, person, bicycle, car, "
        "motorcycle and 86 more). On the command line, --classes names them; export writes them to a file."
    )


def test_names_are_suggested_to_nameless_classes_alone(tmp_path):
    found = load_weights(save_bare(tmp_path / "a.pth"))
    assert suggest_class_names(found, ("a", "b")) == suggest_class_names(found, ()) == found
    suggested = suggest_class_names(found, NAMES)
    assert suggested.class_names == NAMES and suggested.assumed == found.assumed
    assert "those of the data set are assumed, in its order (disc, ring, star)" in str(
        describe_weights(suggested, CONFIG)
    )
    named = state_class_names(found, ("a", "b", "c"))
    assert suggest_class_names(named, NAMES) == named


def test_class_names_are_stated_once_and_never_changed(tmp_path):
    found = load_weights(save_bare(tmp_path / "a.pth"))
    with pytest.raises(ConfigError, match=r"--classes names 2 classes, but the weights .* have 3"):
        state_class_names(found, ("a", "b"))
    named = state_class_names(found, NAMES)
    assert state_class_names(named, NAMES) == named
    with pytest.raises(
        ConfigError, match=r"--classes contradicts .*, which have the classes disc, ring, star: omit it"
    ):
        state_class_names(named, NAMES[::-1])


def test_one_nameless_class_more_may_be_the_background_and_that_is_said(tmp_path):
    found = load_weights(save_bare(tmp_path / "a.pth"))
    hint = "If class 0 is the background, state all with --classes, the background first"
    with pytest.raises(ConfigError, match=hint):
        state_class_names(found, ("a", "b"))
    for names in (("a",), ("a", "b", "c", "d")):
        with pytest.raises(ConfigError) as error:
            state_class_names(found, names)
        assert "background" not in str(error.value)


@pytest.mark.slow
def test_what_is_assumed_stays_so_in_a_copy(tmp_path):
    found = load_weights(save_bare(tmp_path / "a.pth"))
    assert found.assumed and CLASSES in found.assumed
    stated = state_settings(found, Config.from_flat({"anchors.size_p3": 16.0}))
    adopted = adopt(Config.from_flat({"anchors.size_p3": 16.0}), stated)
    described = stated.class_names, stated.category_ids
    save_weights(tmp_path / "b.safetensors", build(adopted, stated), adopted, *described, assumed=stated.assumed)
    copy = load_weights(str(tmp_path / "b.safetensors"))
    assert set(copy.assumed) == set(stated.assumed) and "anchors.size_p3" not in copy.assumed
    assert state_class_names(copy, NAMES).class_names == NAMES
    assert copy.settings["anchors.size_p3"] == 16


@pytest.mark.slow
@pytest.mark.parametrize("more", [{"config": '{"id2label": {"0": "disc"}}'}, {"state": "epoch 3"}, {"config": "x"}])
def test_the_metadata_of_others_are_no_description(tmp_path, more):
    save_file(make_state(), tmp_path / "a.safetensors", {"format": "pt", **more})
    assert CLASSES in load_weights(str(tmp_path / "a.safetensors")).assumed


@pytest.mark.slow
def test_whole_numbers_in_place_of_weights_are_refused(tmp_path):
    codes = {key: value.to(torch.int8) for key, value in make_state().items()}
    torch.save(codes, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"holds whole numbers in place of weights .* as after quantisation"):
        load_weights(str(tmp_path / "a.pth"))


def test_heads_without_every_second_layer_are_not_renamed():
    head = "head.classification_head.conv"
    odd = {f"{head}.{number}.weight": torch.zeros(1) for number in (0, 1, 3)}
    assert modernise(odd).keys() == odd.keys()
    old = {f"{head}.{number}.weight": torch.zeros(1) for number in (0, 2)}
    assert list(modernise(old)) == [f"{head}.0.0.weight", f"{head}.1.0.weight"]


@pytest.mark.slow
def test_torchvisions_own_file_is_recognised(tmp_path, monkeypatch):
    path = save_bare(tmp_path / "mine.pth", num_classes=91)
    content = (tmp_path / "mine.pth").read_bytes()
    monkeypatch.setattr(COCO["coco"].value, "url", f"https://somewhere/x-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    found = load_weights(path)
    assert found.assumed == () and found.settings["model.norm_eps"] == 0.0
    assert found.notes == (f"{path} is torchvision's {COCO['coco']}, whose settings are known.",)


UNUSUAL = {
    "model.fpn_channels": 512, "model.num_convs": 1, "model.head_norm": "group", "model.head_groups": 4,
    "model.p6_source": "p5", "model.norm_eps": 0.01, "anchors.size_p3": 20.0, "anchors.size_p7": 300.0,
    "anchors.scales": (1.3, 1.0), "anchors.ratios": (2.0, 0.5), "anchors.convention": "exact",
    "inference.image_size": 64, "inference.max_image_size": 500,
}  # fmt: skip


@pytest.fixture(scope="module")
def unusual():
    """A network with `UNUSUAL` settings, these, a picture, and what is detected in it."""
    config = Config.from_flat({**UNUSUAL, "inference.score_threshold": 0.0, "model.prior_probability": 0.3})
    torch.manual_seed(1)
    model = build_model(config.model, num_classes=3, anchors_per_location=4).eval()
    picture = torch.randint(256, (3, 50, 64), dtype=torch.uint8)
    return model, config, picture, detect(model, [picture], config)[0]


@pytest.mark.parametrize(
    ("ending", "half"), [(".safetensors", False), (".safetensors", True), (".pth", False), (".pt", False)]
)
@pytest.mark.slow  # three networks
def test_our_files_keep_everything(tmp_path, unusual, ending, half):
    model, config, picture, expected = unusual
    path = tmp_path / f"mine{ending}"
    save_weights(path, model, config, NAMES, (1, 7, 9), half=half)
    found = load_weights(str(path))
    assert not found.assumed and not found.notes
    assert (found.class_names, found.category_ids) == (NAMES, (1, 7, 9))
    adopted = adopt(Config.from_flat({"inference.score_threshold": 0.0}), found)
    assert {key: adopted.to_flat()[key] for key in UNUSUAL} == UNUSUAL
    [loaded] = detect(build(adopted, found), [picture], adopted)
    if not half:
        assert torch.equal(loaded.boxes, expected.boxes) and torch.equal(loaded.scores, expected.scores)
    assert len(loaded.boxes) == len(expected.boxes) == 100


@pytest.mark.slow
def test_pickled_files_of_ours_are_plain_state_dicts_to_pytorch(tmp_path):
    model = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    save_weights(tmp_path / "mine.pth", model, CONFIG, NAMES, (1, 7, 9))
    state = torch.load(tmp_path / "mine.pth", weights_only=True)
    assert state.keys() == model.state_dict().keys()
    other = build_model(CONFIG.model, num_classes=3, anchors_per_location=3)
    other.load_state_dict(state)
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in model.state_dict().items())


@pytest.mark.slow
@pytest.mark.parametrize("description", [7, {"config": 7}, {7: "a"}, {"config": "\ud800"}])
def test_a_damaged_description_in_a_pickled_file_counts_as_none(tmp_path, description):
    state = make_state()
    state.retinanet = description
    torch.save(state, tmp_path / "a.pth")
    assert "anchors.size_p3" in load_weights(str(tmp_path / "a.pth")).assumed
