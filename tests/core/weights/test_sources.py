import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from core.config import Config, Model
from core.retinanet.model import build_model
from core.weights import files, sources, state_dict
from core.weights.architecture import Architecture, WeightsError
from core.weights.sources import adopt, build, load_weights, save_weights, weights_for
from tests.core.networks import CONFIG, NAMES

IDS = (1, 7, 9)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Returns a file written by `save_weights`, and its network."""
    path = tmp_path_factory.mktemp("saved") / "mine.safetensors"
    config = CONFIG.replace({"anchors.size_p3": 20, "inference.image_size": 160, "model.norm_eps": 0.25})
    model = build_model(config.model, num_classes=3, anchors_per_location=3)
    save_weights(path, model, config, NAMES, IDS)
    return path, model


@pytest.mark.slow
def test_saved_weights_are_loaded(saved):
    path, model = saved
    found = load_weights(str(path))
    assert found.name == str(path)
    assert found.class_names == NAMES and found.category_ids == IDS
    assert found.settings["model.norm_eps"] == 0.25
    assert not found.assumed and not found.notes
    assert found.architecture == Architecture(18, 32, 1, "none", "c5", 3, 3)
    assert found.settings["anchors.size_p3"] == 20
    assert found.settings["inference.image_size"] == 160
    assert not any(path.startswith(("training.", "loss.", "scenes.")) for path in found.settings)
    config = adopt(Config(), found)
    assert config.anchors.ratios == (1.0,)
    assert config.model.weights == str(path)
    built = build(config, found)
    assert not built.training
    assert built.norm_eps == 0.25
    assert all(torch.equal(value, built.state_dict()[key]) for key, value in model.state_dict().items())


@pytest.mark.slow
def test_a_file_does_not_reveal_local_paths(saved, tmp_path):
    path, model = saved
    for place, told in ((str(path), "mine.safetensors"), ("builtin", "builtin"), ("random", "random")):
        save_weights(tmp_path / "given.safetensors", model, CONFIG.replace({"model.weights": place}), NAMES, IDS)
        with safe_open(tmp_path / "given.safetensors", "pt") as file:
            assert str(path.parent) not in str(file.metadata())
            assert json.loads(file.metadata()["config"])["model"]["weights"] == told


def test_building_does_not_share_the_weights(saved):
    found = load_weights(str(saved[0]))
    config = adopt(Config(), found)
    with torch.no_grad():
        for parameter in build(config, found).parameters():
            parameter.zero_()
    assert build(config, found).head["regression_head"].bbox_reg.weight.any()


def test_saving_leaves_one_complete_file(saved, tmp_path):
    _, model = saved
    target = tmp_path / "best.safetensors"
    target.write_bytes(b"older")
    save_weights(target, model, CONFIG, NAMES, IDS)
    assert [each.name for each in tmp_path.iterdir()] == ["best.safetensors"]
    assert load_weights(str(target)).class_names == NAMES


def test_a_failed_save_changes_nothing(saved, tmp_path, monkeypatch):
    def fail(state, path, metadata):
        Path(path).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(state_dict, "save_file", fail)
    target = tmp_path / "best.safetensors"
    target.write_bytes(b"older")
    with pytest.raises(WeightsError, match=r"best\.safetensors cannot be written: no space left"):
        save_weights(target, saved[1], CONFIG, NAMES, IDS)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"older"]


@pytest.mark.parametrize(
    ("name", "config", "names", "message"),
    [
        ("a.zip", CONFIG, NAMES, "must end in .safetensors, .pth or .pt"),
        ("missing/a.safetensors", CONFIG, NAMES, "cannot be written"),
        ("a.safetensors", CONFIG, ("one",), "not 3 class names"),
        ("a.safetensors", CONFIG.replace({"model.depth": 50}), NAMES, "model.depth = 50 where the tensors have 18"),
        ("a.safetensors", CONFIG.replace({"anchors.ratios": (1.0, 2.0)}), NAMES, "6 anchors per location, not 3"),
    ],
)
def test_weights_that_could_not_be_read_back_are_not_saved(saved, tmp_path, name, config, names, message):
    with pytest.raises(WeightsError) as error:
        save_weights(tmp_path / name, saved[1], config, names, range(len(names)))
    assert message in str(error.value)
    assert not list(tmp_path.iterdir())


def described(**changes):
    """Returns the metadata that `save_weights` writes, with some entries replaced or (None) removed."""
    metadata = {
        "config": CONFIG.to_json(),
        "class_names": json.dumps(NAMES),
        "category_ids": "[1, 7, 9]",
        "norm_eps": "1e-05",
        **changes,
    }
    return {key: value for key, value in metadata.items() if value is not None}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (described(class_names=None), "cannot be read: 'class_names'"),
        (described(norm_eps=None), "cannot be read: 'norm_eps'"),
        (described(config="{"), "The settings are not JSON"),
        (described(config='{"loss": {"gamma": 99}}'), "loss.gamma = 99 is not allowed"),
        (described(class_names="[" * 50_000), "cannot be read"),
        (described(class_names='"disc"'), "not a list of names"),
        (described(class_names="[1, 2, 3]"), "not a list of names"),
        (described(class_names='["a", "b"]'), "not 3 class names"),
        (described(category_ids=None), "cannot be read: 'category_ids'"),
        (described(category_ids="[1, 2]"), "not 3 whole numbers"),
        (described(category_ids="[1, 2, true]"), "not 3 whole numbers"),
        (described(class_names=json.dumps(["a", "b", "c" * 101])), "at most 100 characters"),
        (described(norm_eps="small"), "could not convert"),
        (described(norm_eps="nan"), "nan is not an ε"),
        (described(norm_eps="-1"), "-1.0 is not an ε"),
        (described(config=CONFIG.replace({"model.head_norm": "group"}).to_json()), "model.head_norm = group"),
        (described(config=CONFIG.replace({"anchors.scales": (1.0,)}).to_json()), "1 anchors per location, not 3"),
    ],
)
def test_bad_metadata_are_refused(tmp_path, monkeypatch, metadata, message):
    found = Architecture(18, 32, 1, "none", "c5", 3, 3)
    monkeypatch.setattr(files, "recognise", lambda state, name: found)  # avoids building a network in every case
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata)
    with pytest.raises(WeightsError) as error:
        load_weights(str(path))
    assert "The metadata of the weights in" in str(error.value)
    assert message in str(error.value)


def test_missing_builtin_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BUILTIN", tmp_path / "builtin.safetensors")
    with pytest.raises(WeightsError, match=r"built-in weights are missing.*choose imagenet or random"):
        load_weights("builtin")


def test_builtin_weights_are_a_file_of_ours(saved, monkeypatch):
    monkeypatch.setattr(sources, "BUILTIN", saved[0])
    found = load_weights("builtin")
    assert (found.name, found.class_names) == ("builtin", NAMES)


def fake(name="mine", **changes):
    architecture = Architecture(34, 96, 2, "group", "p5", 3, 3)._replace(**changes)
    settings = {**architecture.settings, "anchors.ratios": (1.0,), "anchors.size_p3": 20, "inference.image_size": 160}
    return sources.Weights(name, {}, architecture, NAMES, IDS, settings)


def test_settings_follow_the_weights():
    config = adopt(Config.from_flat({"loss.gamma": 1.5, "model.weights": "coco"}), fake())
    assert config.model == Model(
        weights="mine", depth=34, fpn_channels=96, num_convs=2, head_norm="group", p6_source="p5"
    )
    assert (config.anchors.ratios, config.anchors.size_p3, config.inference.image_size) == ((1.0,), 20, 160)
    assert config.loss.gamma == 1.5
    assert adopt(config, fake()) == config


def test_explicit_settings_take_precedence_if_the_weights_allow_them():
    chosen = {
        "inference.image_size": 256,
        "model.depth": 34, "model.freeze_stages": 3, "model.prior_probability": 0.1, "model.batch_norm": "frozen",
    }  # fmt: skip
    flat = adopt(Config.from_flat(chosen), fake()).to_flat()
    assert {path: flat[path] for path in chosen} == chosen
    assert flat["model.fpn_channels"] == 96


@pytest.mark.parametrize(
    ("path", "value", "needed"),
    [
        ("model.depth", 18, 34),
        ("model.fpn_channels", 64, 96),
        ("model.num_convs", 4, 2),
        ("model.head_norm", "none", "group"),
        ("model.p6_source", "c5", "p5"),
    ],
)
def test_contradictions_are_refused(path, value, needed):
    with pytest.raises(WeightsError) as error:
        adopt(Config.from_flat({path: value}), fake())
    assert str(error.value) == (
        f"{path} = {value} contradicts the weights mine, which need {needed}: set {path} to {needed} or choose "
        "other weights."
    )


def test_settings_that_the_shapes_do_not_determine_are_free():
    silent = fake(head_norm=None, p6_source=None)
    config = Config.from_flat({"model.head_norm": "none", "model.p6_source": "c5"})
    assert adopt(config, silent).model.p6_source == "c5"


def test_another_number_of_anchors_per_location_is_refused():
    with pytest.raises(WeightsError) as error:
        adopt(Config.from_flat({"anchors.ratios": (0.5, 2.0)}), fake())
    assert str(error.value) == (
        "anchors.scales × anchors.ratios = 3 × 2 = 6 anchors per location contradicts the weights mine, which need 3: "
        "choose 3 in all, or other weights."
    )


def test_building_without_adopting_is_refused():
    with pytest.raises(WeightsError, match=r"model\.depth = 18 contradicts"):
        build(Config(), fake())


@pytest.mark.slow
def test_random_weights_leave_everything_free():
    found = load_weights("random")
    config = Config.from_flat({"model.depth": 34, "model.fpn_channels": 32, "model.num_convs": 0})
    assert adopt(config, found).non_default_values() == {**config.non_default_values(), "model.weights": "random"}
    assert build(config, found, num_classes=4).num_classes == 4


@pytest.mark.parametrize(("count", "message"), [(None, "have no classes"), (0, "at least 1")])
def test_random_weights_need_a_number_of_classes(count, message):
    with pytest.raises(WeightsError, match=message):
        build(Config(), load_weights("random"), num_classes=count)


def test_another_number_of_classes_is_refused(saved):
    found = load_weights(str(saved[0]))
    config = adopt(Config(), found)
    assert build(config, found, num_classes=3).num_classes == 3
    with pytest.raises(WeightsError, match="have 3 classes, but 5 are requested: choose weights with 5"):
        build(config, found, num_classes=5)


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 5])
def test_new_classes_start_from_the_prior_and_the_rest_is_loaded(saved, count):
    found = load_weights(str(saved[0]))
    config = adopt(Config.from_flat({"model.prior_probability": 0.25}), found)
    built = build(config, found, num_classes=count, new_classes=True).state_dict()
    for key, value in found.state.items():
        if "cls_logits" not in key:
            assert torch.equal(built[key], value), key
    bias = built["head.classification_head.cls_logits.bias"]
    torch.testing.assert_close(bias.sigmoid(), torch.full((3 * count,), 0.25))
    assert built["head.classification_head.cls_logits.weight"].std().item() == pytest.approx(0.01, rel=0.1)


def test_new_heads_on_the_loaded_backbone(saved):
    path, model = saved
    chosen = {
        "model.weights": str(path),
        "model.heads": "new",
        "model.num_convs": 2,
        "model.head_norm": "group",
        "model.prior_probability": 0.1,
        "anchors.ratios": (0.5, 1.0),
    }
    config = Config.from_flat(chosen)
    found = weights_for(config)
    assert found.architecture is None and found.class_names == ()
    config = adopt(config, found)
    assert config.model.fpn_channels == 32 and config.anchors.size_p3 == 20  # of the backbone and its training
    built = build(config, found, num_classes=4)
    state = built.state_dict()
    kept = {key: value for key, value in model.state_dict().items() if key.startswith("backbone.")}
    assert kept and all(torch.equal(value, state[key]) for key, value in kept.items())
    assert built.head["classification_head"].cls_logits.bias.sigmoid().unique().tolist() == pytest.approx([0.1])
    assert built.head["classification_head"].cls_logits.weight.shape[0] == 4 * config.anchors.per_location


def test_new_heads_still_need_a_matching_backbone(saved):
    config = Config.from_flat({"model.weights": str(saved[0]), "model.heads": "new", "model.fpn_channels": 64})
    with pytest.raises(WeightsError, match=r"model\.fpn_channels = 64"):
        adopt(config, weights_for(config))


def test_loaded_heads_are_the_weights_themselves(saved):
    config = Config.from_flat({"model.weights": str(saved[0])})
    assert weights_for(config).architecture == load_weights(str(saved[0])).architecture
