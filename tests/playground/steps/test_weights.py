"""What the page says about weights: the knobs move freely, and it says what the weights were trained with."""

import pytest
import torch

from core.config import Config
from core.retinanet.model import build_model
from core.weights.sources import save_weights
from playground.pipeline.networks import follow_weights, network_of
from playground.steps import weights
from tests.core.networks import NAMES

TINY = {"model.fpn_channels": 32, "model.num_convs": 0, "model.head_norm": "none"}


def on_page(path, **changes) -> Config:
    """Returns the settings of the page after a choice of weights, all explicit, with knobs moved."""
    chosen = Config.from_flat({**Config().to_flat(), "model.weights": str(path)})
    return Config.from_flat({**follow_weights(chosen).to_flat(), **changes})


def bare(tmp_path, anchors=9):
    path = tmp_path / "theirs.pth"
    model = build_model(Config.from_flat(TINY).model, num_classes=3, anchors_per_location=anchors)
    torch.save(model.state_dict(), path)
    return path


def described(tmp_path):
    config = Config.from_flat({**TINY, "anchors.size_p3": 20, "inference.image_size": 64})
    model = build_model(config.model, num_classes=3, anchors_per_location=9)
    save_weights(tmp_path / "mine.pth", model, config, NAMES, (0, 1, 2))
    return tmp_path / "mine.pth"


@pytest.mark.slow
def test_weights_that_say_what_they_were_trained_with(tmp_path):
    config = on_page(described(tmp_path))
    assert config.anchors.size_p3 == 20
    assert weights.describe(config) == () and not weights.differences(config)
    assert weights.paragraphs(config) == (
        "<p>mine.pth was trained with anchors of 20–256 px (scales 1, 1.26, 1.59; ratios 0.5, 1, 2; arithmetic "
        "torchvision) on pictures of 64 px.</p>"
    )


@pytest.mark.slow
def test_moved_knobs_are_allowed_and_said(tmp_path):
    path = described(tmp_path)
    moved = {"anchors.size_p3": 24.0, "anchors.ratios": (2.0, 1.0, 0.5), "model.norm_eps": 1e-3}
    config = on_page(path, **moved)
    assert network_of(config).class_names == NAMES
    assert set(weights.describe(config)) == {
        "Size on P3 is 24.0, but mine.pth was trained with 20.0.",
        "Aspect ratios is 2.0,1.0,0.5, but mine.pth was trained with 0.5,1.0,2.0.",
        "ε of the batch norms is 0.001, but mine.pth was trained with 1e-05.",
    }
    assert "Size on P3 is 24.0" in weights.differences(config)


@pytest.mark.slow
def test_weights_that_do_not_say_it(tmp_path):
    config = on_page(bare(tmp_path))
    assert config.anchors.size_p3 == 32 and config.inference.image_size == 800
    settings, eps, names = weights.describe(config)
    assert settings == (
        "theirs.pth does not say with which settings it was trained. Those of torchvision are assumed; override any "
        "that are wrong."
    )
    text = weights.paragraphs(config)
    assert "<summary>11 assumed settings</summary>" in text and ">Size on P3</" in text and ">32</" in text
    assert ">1, 1.26, 1.587</" in text and ">1·10⁻⁵</" in text
    assert eps.startswith("ε of the batch norms: torchvision's COCO_V1 weights")
    assert names.startswith("theirs.pth does not name its 3 classes: they are numbered from 0")
    stated = on_page(tmp_path / "theirs.pth", **{"anchors.size_p3": 16.0})
    assert "Size on P3" not in weights.paragraphs(stated) and "Size on P4" in weights.paragraphs(stated)


@pytest.mark.slow
def test_another_number_of_anchors_keeps_the_visitors_scales_and_ratios(tmp_path):
    path = bare(tmp_path, anchors=2)
    before = Config.from_flat({**Config().to_flat(), "anchors.scales": (1.0,), "anchors.ratios": (1.0, 3.0)})
    config = follow_weights(before.replace({"model.weights": str(path)}))
    assert (config.anchors.scales, config.anchors.ratios, config.anchors.size_p3) == ((1.0,), (1.0, 3.0), 32.0)


def test_weights_that_are_not_there(tmp_path):
    config = Config.from_flat({"model.weights": str(tmp_path / "none.pth")})
    assert weights.differences(config) == ""
    assert weights.paragraphs(Config.from_flat({"model.weights": "random"})) == ""
