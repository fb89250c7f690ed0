"""The sentence of the first screen names the loss, and γ where that acts."""

import pytest

from core.config import Config
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss.story import build_story

SMALL = {"model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 1, "inference.image_size": 96}


@pytest.mark.parametrize(
    ("kind", "beginning", "plays"),
    [
        ("focal", "At γ = 1.5 the ", True),
        ("poly1_focal", "Under Poly-1 focal with γ = 1.5 the ", True),
        ("varifocal", "Under varifocal with γ = 1.5 the ", True),
        ("quality_focal", "Under quality-focal the ", False),
        ("ghm", "Under GHM-C the ", False),
        ("ohem", "Under OHEM the ", False),
        ("balanced_cross_entropy", "Under balanced-cross-entropy the ", False),
    ],
)
def test_the_sentence_names_the_loss(kind, beginning, plays):
    config = Config.from_flat({**SMALL, "loss.kind": kind, "loss.gamma": 1.5})
    story = build_story(Pipeline(render_picture(config.scenes), config))
    assert story["sentence"].startswith(beginning) and story["plays"] == plays
    assert ("γ acts when the loss is focal, Poly-1 focal or varifocal." in story["note"]) != plays
