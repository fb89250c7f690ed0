"""Which knobs the page says do not act, by what is on show."""

import json
from dataclasses import replace

import pytest
import torch

from core.config import Config, knobs
from core.scenes.render import CLASS_NAMES
from playground.data.image_ref import ImageRef
from playground.data.picture import render_picture
from playground.layout.knob_widgets import element_id
from playground.pipeline.pipeline import Pipeline
from playground.server.idle import build_idle, describe_circumstances
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.loss.initial import initial_loss
from playground.steps.loss.shares import alternatives


def pipeline(settings: dict | None = None, **options) -> Pipeline:
    config = Config.from_flat(settings or {})
    return Pipeline(render_picture(config.scenes), config, **options)


def reasons(shown: Pipeline) -> dict[str, str]:
    return {path: reason for path, (reason, quiet) in notes(shown, {}).items() if quiet}


def notes(shown: Pipeline, moves: dict[str, str]) -> dict[str, tuple[str, bool]]:
    found = json.loads(build_idle(shown, moves))
    return {path: tuple(found[element_id(path)]) for path in knobs() if element_id(path) in found}


def test_every_reason_is_that_of_the_hyperparameter():
    shown = pipeline()
    for path, reason in reasons(shown).items():
        said = knobs()[path].idle_reason(shown.config, describe_circumstances(shown))
        assert reason == said[0].upper() + said[1:]
    assert reasons(shown).keys() == {
        "model.prior_probability", "loss.poly1_epsilon", "loss.quality_beta", "loss.varifocal_alpha", "loss.ghm_bins",
        "loss.ghm_momentum", "loss.cutoff", "loss.class_weights_beta", "matching.atss_topk",
        "loss.ohem_anchors", "loss.ohem_nms_threshold", "loss.ohem_one_to_three", "loss.normaliser",
        "inference.tile_overlap", "inference.soft_nms_sigma", "training.decay_factor", "training.decay_period",
        "training.milestones", "training.cache_features", "training.repeat_threshold",
    }  # fmt: skip


def test_the_reasons_follow_the_settings():
    idle = reasons(pipeline({"loss.kind": "ohem", "model.heads": "new", "inference.nms_kind": "soft"}))
    assert idle["loss.gamma"] == "Acts when the loss is focal, Poly-1 focal or varifocal"
    assert idle["inference.nms_threshold"] == "Acts when the NMS kind is not soft"
    assert not idle.keys() & {"loss.ohem_anchors", "model.prior_probability", "inference.soft_nms_sigma"}


def test_the_dials_of_the_scene_act_on_the_scene_alone():
    shown = pipeline()
    other = Pipeline(replace(shown.picture, is_scene=False), shown.config)
    scenes = {path for path in knobs() if path.startswith("scenes.")}
    assert not reasons(shown).keys() & scenes
    assert scenes <= reasons(other).keys()
    drawn = shown.picture.with_objects(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), CLASS_NAMES)
    assert not reasons(Pipeline(drawn, shown.config)).keys() & scenes  # which come back when a dial is moved


def test_the_overlap_of_tiles_acts_on_pictures_larger_than_a_tile():
    assert "inference.tile_overlap" not in reasons(pipeline({"inference.tile_size": 128}))
    idle = reasons(pipeline({"inference.tile_size": 512}))
    assert idle["inference.tile_overlap"] == "Acts when the picture is larger than a tile"


def test_the_prior_acts_if_training_begins_with_new_classes():
    assert "model.prior_probability" in reasons(pipeline(image_ref=ImageRef("scenes", "val", 0)))
    shown = pipeline(image_ref=ImageRef("mine", "train", 0))
    own = Pipeline(replace(shown.picture, class_names=("RBC", "WBC")), shown.config, image_ref=shown.image_ref)
    assert "model.prior_probability" not in reasons(own)


def test_what_moves_nothing_but_a_figure_or_a_table_says_so():
    config, says = Config.from_flat({"loss.box_loss": "giou"}), "Acts when the box loss is smooth L1"
    state = PageState("assignment", dials="graph=boxes", settings=settings_of(config))
    idle = json.loads(render(state).idle)
    assert idle["knob-loss-smooth-l1-beta"] == [f"{says}; now it changes only this figure", False]
    idle = json.loads(render(state._replace(dials="")).idle)
    assert idle["knob-loss-smooth-l1-beta"] == [says, True]
    idle = json.loads(render(state._replace(step="loss", dials="")).idle)
    assert idle["knob-loss-ohem-anchors"] == [
        "Acts when the loss is OHEM; now it changes only the table “The same picture under each loss”",
        True,
    ]
    assert idle["knob-model-prior-probability"][0].endswith(
        "now it changes only the table “Initial loss with new heads”"
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", ["loss.cutoff", "loss.ohem_anchors", "model.prior_probability"])
def test_what_is_said_to_change_a_table_does(path):
    shown = [pipeline({path: value}) for value in ((64, 2048) if path == "loss.ohem_anchors" else (0.05, 0.3))]
    tables = [alternatives(each) + initial_loss(each) for each in shown]
    assert tables[0] != tables[1]
