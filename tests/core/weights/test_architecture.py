import pytest
import torch
from torchvision.models.detection import retinanet_resnet50_fpn, retinanet_resnet50_fpn_v2

from core.weights.architecture import Architecture, WeightsError, modernise, recognise
from tests.core.networks import meta_state, old_layout


@pytest.mark.slow
@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_recognises_every_depth(depth):
    found = recognise(meta_state(depth=depth))
    assert found == Architecture(depth, 64, 4, "none", "c5", 9, 3)


@pytest.mark.parametrize("num_convs", range(7))
@pytest.mark.parametrize("norm", ["none", "group"])
def test_recognises_heads(num_convs, norm):
    found = recognise(meta_state(num_convs=num_convs, head_norm=norm, num_classes=1, anchors=6))
    assert (found.num_convs, found.head_norm) == (num_convs, norm if num_convs else None)
    assert (found.anchors_per_location, found.num_classes) == (6, 1)


@pytest.mark.parametrize("source", ["c5", "p5"])
def test_recognises_the_source_of_p6(source):
    assert recognise(meta_state(p6_source=source)).p6_source == source
    ambiguous = recognise(meta_state(p6_source=source, fpn_channels=512))
    assert ambiguous.p6_source is None
    assert "model.p6_source" not in ambiguous.settings


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (retinanet_resnet50_fpn, Architecture(50, 256, 4, "none", "p5", 9, 91)),
        (retinanet_resnet50_fpn_v2, Architecture(50, 256, 4, "group", "c5", 9, 91)),
    ],
)
def test_recognises_torchvisions_networks(make, expected):
    with torch.device("meta"):
        state = make(weights=None, weights_backbone=None).state_dict()
    assert recognise(state) == expected


def test_modernise_undoes_the_old_layout():
    state = meta_state(num_convs=4)
    modern = modernise(old_layout(state))
    assert modern.keys() == state.keys()
    assert modernise(state) == state
    assert recognise(modern) == recognise(state)


@pytest.mark.filterwarnings("ignore:.*no-op")  # values on the meta device are not copied
def test_the_old_layout_is_one_that_torchvision_reads():
    with torch.device("meta"):
        theirs = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3)
    theirs.load_state_dict(old_layout(theirs.state_dict()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.clear(), "missing key backbone.fpn.layer_blocks.0.0.weight"),
        (lambda state: state.pop("backbone.body.conv1.weight"), "missing key backbone.body.conv1.weight"),
        (lambda state: state.pop("backbone.fpn.extra_blocks.p7.bias"), "missing key backbone.fpn.extra_blocks.p7.bias"),
        (lambda state: state.pop("backbone.body.layer3.1.conv1.weight"), "has (2, 2, 1, 2) blocks"),
        (lambda state: state.update(extra=torch.zeros(1)), "unexpected key extra"),
        (
            lambda state: state.update({"backbone.body.bn1.bias": torch.zeros(5)}),
            "backbone.body.bn1.bias has shape [5] instead of [64]",
        ),
        (
            lambda state: state.update({"head.classification_head.cls_logits.weight": torch.zeros(5)}),
            "head.classification_head.cls_logits.weight has shape [5]",
        ),
        (
            lambda state: state.update({"head.regression_head.bbox_reg.weight": torch.zeros(35, 64, 3, 3)}),
            "35 box and 27 class outputs",
        ),
        (
            lambda state: state.update({"head.regression_head.bbox_reg.weight": torch.zeros(0, 64, 3, 3)}),
            "0 box and 27 class outputs",
        ),
    ],
)
def test_others_do_not_look_like_a_retinanet(change, message):
    state = meta_state()
    change(state)
    with pytest.raises(WeightsError) as error:
        recognise(state, name="that.pth")
    assert str(error.value).startswith("that.pth does not look like a RetinaNet: ")
    assert message in str(error.value)


def test_a_network_beyond_the_settings_is_refused():
    state = meta_state(num_convs=6)
    for kind in ("classification", "regression"):
        for part in ("weight", "bias"):
            state[f"head.{kind}_head.conv.6.0.{part}"] = state[f"head.{kind}_head.conv.5.0.{part}"]
    with pytest.raises(WeightsError, match=r"model\.num_convs = 7 is not allowed"):
        recognise(state)


@pytest.mark.parametrize("number", ["9" * 5000, "٣"])
def test_a_key_with_an_impossible_number_does_not_look_like_a_retinanet(number):
    state = {**meta_state(), f"head.classification_head.conv.{number}.weight": torch.zeros(1)}
    with pytest.raises(WeightsError, match="unexpected key"):
        recognise(modernise(state))
