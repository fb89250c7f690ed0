"""Settings that contradict what weights were trained with."""

import pytest

from core.config import Config
from core.weights.architecture import Architecture, WeightsError
from core.weights.contradictions import find_differences, is_same
from core.weights.sources import Weights, adopt, drop_heads
from tests.core.networks import NAMES

TRAINED = {
    "anchors.size_p3": 20.0, "anchors.scales": (1.0, 2 ** (1 / 3), 2 ** (2 / 3)), "anchors.ratios": (0.5, 1.0, 2.0),
    "anchors.convention": "torchvision", "model.norm_eps": 1e-5, "model.head_groups": 32, "inference.image_size": 160,
}  # fmt: skip


def trained(assumed=(), **changes):
    architecture = Architecture(34, 96, 2, "group", "c5", 9, 3)
    return Weights("mine", {}, architecture, NAMES, (0, 1, 2), {**architecture.settings, **TRAINED, **changes}, assumed)


@pytest.mark.parametrize(
    ("path", "value", "told", "needed"),
    [
        ("anchors.ratios", (2.0, 1.0, 0.5), "2.0,1.0,0.5", "0.5,1.0,2.0"),
        ("anchors.scales", (1.0, 1.3, 1.6), "1.0,1.3,1.6", "1.0,1.2599210498948732,1.5874010519681994"),
        ("anchors.size_p3", 16, "16.0", "20.0"),
        ("anchors.convention", "exact", "exact", "torchvision"),
        ("model.norm_eps", 0.0, "0.0", "1e-05"),
        ("model.head_groups", 8, "8", "32"),
    ],
)
def test_other_settings_than_in_training_are_refused(path, value, told, needed):
    with pytest.raises(WeightsError) as error:
        adopt(Config.from_flat({path: value}), trained())
    assert str(error.value) == (
        f"{path} = {told} contradicts the weights mine, which were trained with {path} = {needed}: use that value, or "
        "choose other weights, or train new heads (model.heads = new)."
    )
    config = adopt(Config.from_flat({path: value}), trained(), free=True)  # on the page, the knob moves
    assert config.to_flat()[path] == value


def test_settings_copied_from_another_run_are_refused():
    copied = Config.from_json(Config.from_flat({**TRAINED, "model.depth": 34, "model.fpn_channels": 96,
                                                "model.num_convs": 2, "anchors.size_p3": 32,
                                                "anchors.ratios": (1.0, 0.5, 2.0)}).to_json())  # fmt: skip
    with pytest.raises(WeightsError) as error:
        adopt(copied, trained(**{f"anchors.size_p{level}": 4.0 * 2**level for level in range(4, 8)}))
    assert "anchors.size_p3 = 32.0" in str(error.value) and "anchors.ratios = 1.0,0.5,2.0" in str(error.value)
    assert "contradict the weights mine, which were trained with anchors.size_p3 = 20.0" in str(error.value)


def test_the_size_of_pictures_is_free():
    config = adopt(Config.from_flat({"inference.image_size": 320}), trained())
    assert config.inference.image_size == 320
    assert find_differences(config.to_flat(), trained()) == ("inference.image_size",)


def test_what_is_assumed_gives_way():
    weights = trained(assumed=("anchors.ratios", "model.norm_eps"))
    config = adopt(Config.from_flat({"anchors.ratios": (2.0, 1.0, 0.5), "model.norm_eps": 0.0}), weights)
    assert config.anchors.ratios == (2.0, 1.0, 0.5) and config.model.norm_eps == 0.0
    with pytest.raises(WeightsError, match=r"anchors\.scales"):
        adopt(Config.from_flat({"anchors.scales": (2.0, 1.0, 0.5)}), weights)


def test_new_heads_allow_any_anchors_but_keep_the_backbone():
    weights = drop_heads(trained())
    chosen = {
        "anchors.ratios": (2.0, 1.0),
        "anchors.size_p3": 12,
        "model.head_groups": 8,
        "anchors.convention": "exact",
    }
    assert adopt(Config.from_flat(chosen), weights).anchors.ratios == (2.0, 1.0)
    with pytest.raises(WeightsError) as error:
        adopt(Config.from_flat({"model.norm_eps": 0.0}), weights)
    assert str(error.value).endswith("model.norm_eps = 1e-05: use that value, or choose other weights.")


def test_rounded_fractions_are_the_same_and_the_weights_own_are_used():
    config = adopt(Config.from_flat({"anchors.scales": (1.0, 1.26, 1.587)}), trained())
    assert config.anchors.scales == TRAINED["anchors.scales"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.26, 2 ** (1 / 3), True),
        (1.59, 2 ** (2 / 3), True),
        (1.25, 2 ** (1 / 3), False),
        (0.33, 1 / 3, False),
        (32.0, 33.0, False),
        (0.0, 1e-5, False),
        ((1.0, 2.0), (1.0, 2.0), True),
        ((1.0, 2.0), (2.0, 1.0), False),
        ((1.0,), (1.0, 2.0), False),
        (1332, 1333, False),
        ("exact", "torchvision", False),
    ],
)
def test_is_same(one, other, same):
    assert is_same(one, other) is same
