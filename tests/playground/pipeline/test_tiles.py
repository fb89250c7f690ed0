"""Tiles on the page: what they find is what the core finds, and only what must be is computed again."""

import pytest
import torch

from core.config import Config
from core.errors import PictureError
from core.retinanet.predict import detect
from core.retinanet.tiles import WHOLE
from core.weights.sources import WeightsError
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.inspector.inspect import inspect
from playground.pipeline import detections, effort, tiles
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.step import Focus
from tests.playground.pipeline.test_pipeline import SMALL

LARGE = {
    **SMALL,
    "scenes.image_size": 192,
    "inference.tile_size": 96,
    "inference.score_threshold": 0.009,
    "inference.topk_candidates": 60,
}


def make(*, held: bool = False, **changes) -> Pipeline:
    config = Config.from_flat({**LARGE, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config, postpone_slow=held)


@pytest.mark.slow
def test_the_page_finds_in_tiles_what_the_core_finds():
    here = make()
    assert len(here.tiles) == 9 and here.tile_boxes[-1].tolist() == [48, 48, 96, 96]
    (found,) = detect(here.network.model, [here.picture.sample.image], here.config)
    kept = here.fates.order
    assert len(kept) == len(found.scores) > 0
    assert torch.allclose(here.candidates.box[kept] * here.batch.factors[0], found.boxes, atol=1e-2)
    assert set(here.candidates.tile.tolist()) == set(range(WHOLE, 9))


def test_the_funnel_counts_the_whole_picture_and_its_tiles():
    here, whole = make(), make(inference__tile_size=0)
    left, cut = len(here.candidates.score), len(here.merged.cut.score)
    assert sum(level.topk for level in here.level_counts) == left + cut and cut > 0
    ours, theirs = here.level_counts[0], whole.level_counts[0]
    assert ours.anchors == 10 * theirs.anchors and ours.scored >= theirs.scored
    text = STEPS["detections"].build_view(here, Focus()).build_text().readout
    for label, count in (("tiles, beside the whole picture", 9), ("cut by a tile&#39;s edge", cut)):
        assert label in text and f"{count:,}" in text
    assert "tile" not in STEPS["detections"].build_view(whole, Focus()).build_text().readout


def test_moving_nms_or_the_threshold_does_not_run_the_network_again(monkeypatch):
    first = make(scenes__seed=3)
    assert first.fates
    monkeypatch.setattr(tiles, "predict_tiles", None)
    moved = make(scenes__seed=3, inference__nms_threshold=0.2, inference__score_threshold=0.0095)
    assert moved.tile_predictions is first.tile_predictions and moved.fates is not first.fates
    assert make(scenes__seed=3, inference__tile_size=0).prediction.outputs is first.prediction.outputs


def test_tiles_change_nothing_in_the_steps_about_the_whole_picture():
    here, whole = make(), make(inference__tile_size=0)
    assert (
        here.prediction.outputs is whole.prediction.outputs
        and here.match is whole.match
        and here.losses is whole.losses
    )
    for step in ("anchors", "assignment", "network", "loss"):
        notes = [
            "its tiles add" in STEPS[step].build_view(each, Focus()).build_text().readout for each in (here, whole)
        ]
        assert notes == [True, False]


def test_new_tiles_wait_until_the_knob_is_released():
    with pytest.raises(WeightsError, match="sees the tiles once you release the knob"):
        _ = make(held=True, scenes__seed=4).fates
    ready = make(scenes__seed=4)
    assert ready.fates is make(held=True, scenes__seed=4).fates
    same = make(held=True, scenes__seed=4, inference__tile_overlap=0.21)
    assert same.tiles == ready.tiles and same.fates  # other settings, the same tiles


def test_more_tiles_than_the_page_shows_are_refused():
    with pytest.raises(PictureError, match=r"has 81 tiles of 32 px, and this page sees at most 64: raise “Tile size”"):
        _ = make(inference__tile_size=32, inference__tile_overlap=0.35).fates


def test_tiles_that_take_too_long_are_refused(monkeypatch):
    monkeypatch.setattr(effort, "MAX_GFLOPS", 0.5)
    with pytest.raises(PictureError, match=r"9 tiles would take about \d+ GFLOP and \d+ MB, .* “Tile size”, lower"):
        _ = make(scenes__seed=5).fates


def test_the_inspector_names_the_tile_of_a_box_and_draws_both_outlines():
    here = make()
    for tile, words in ((WHOLE, "the whole picture"), (4, "tile 5 of 9: x 48–144, y 48–144")):
        candidate = int(torch.nonzero(here.candidates.tile == tile)[0])
        seen = inspect(here, Pick(40, 40, "before", candidate))
        assert words in seen.text and "in the whole picture</h3>" in seen.text
        assert ("its anchor is" in seen.text) == (tile == WHOLE)
        assert [each.key for each in seen.layers][2:] == (["inspected-tile"] if tile != WHOLE else [])


def test_a_box_can_be_suppressed_by_one_of_another_tile():
    here = make(inference__nms_threshold=0.3)
    by = here.suppressors.candidate
    lost = torch.nonzero(by >= 0).squeeze(1)
    across = lost[here.candidates.tile[lost] != here.candidates.tile[by[lost]]]
    assert len(across)
    assert "suppressed by" in inspect(here, Pick(0, 0, "before", int(across[0]))).text


def test_the_steps_layers_show_tiles_and_cut_boxes():
    here = make()
    layers = {each.key: each for each in STEPS["detections"].build_view(here, Focus()).layers}
    assert len(layers["tiles"].boxes) == 9 and len(layers["cut"].boxes) == len(here.merged.cut.score)
    assert len(layers["before"].boxes) == len(here.candidates.score)


def test_nms_of_too_many_candidates_is_refused_before_the_work(monkeypatch):
    """Pairs are those within a class, or all if NMS is class-agnostic; soft NMS ends at the cap."""
    monkeypatch.setattr(detections, "apply_nms", lambda candidates, inference: "done")
    few = {"scenes__seed": 21, "inference__nms_threshold": 0.31}  # of no other test, whose results are kept
    found = make(**few).candidates.label
    pairs = sum(count * (count - 1) // 2 for count in found.bincount().tolist())
    assert 0 < pairs < len(found) * (len(found) - 1) // 2
    for kind in ("hard", "diou", "wbf"):
        monkeypatch.setattr(detections, "MAX_PAIRS", {kind: pairs - 1})
        with pytest.raises(PictureError, match=rf"candidates are .* by {kind} NMS: raise “Score threshold”, lower"):
            _ = make(**few, inference__nms_kind=kind).fates
        assert make(**few, inference__nms_kind="soft").fates == "done"
        monkeypatch.setattr(detections, "MAX_PAIRS", {kind: pairs})
        assert make(**few, inference__nms_kind=kind).fates == "done"
        with pytest.raises(PictureError):
            _ = make(**few, inference__nms_kind=kind, inference__class_agnostic_nms=True).fates
