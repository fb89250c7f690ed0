"""Other views on the page: what they find is what the core finds, and only what must be is computed again."""

import pytest
import torch

from core.config import Config
from core.errors import PictureError
from core.retinanet.boxes import mirror
from core.retinanet.predict import detect
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.inspector.inspect import inspect
from playground.pipeline import effort, outputs, views
from playground.pipeline.pipeline import Pipeline
from playground.steps import STEPS
from playground.steps.step import Focus
from playground.support.cache import PostponedError
from tests.playground.pipeline.test_tiles import LARGE

SEEN_OFTEN = {
    **LARGE,
    "inference.tile_size": 0,
    "inference.test_time_flip": True,
    "inference.test_time_scales": (1.0, 0.75),
}


def make(*, held: bool = False, **changes) -> Pipeline:
    config = Config.from_flat({**SEEN_OFTEN, **{key.replace("__", "."): value for key, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config, postpone_slow=held)


@pytest.mark.slow
@pytest.mark.parametrize(("tile_size", "kind"), [(0, "hard"), (0, "wbf"), (128, "hard")])
def test_the_page_finds_in_all_views_what_the_core_finds(tile_size, kind):
    here = make(inference__tile_size=tile_size, inference__nms_kind=kind)
    (found,) = detect(here.network.model, [here.picture.sample.image], here.config)
    order = here.fates.order
    assert len(order) == len(found.scores) > 0 and set(here.candidates.view.tolist()) == {0, 1, 2, 3}
    assert torch.allclose(here.fates.score[order], found.scores, atol=1e-4)
    assert torch.allclose(here.fates.box[order] * here.batch.factors[0], found.boxes, atol=0.05)
    assert (here.merged.cut is None) == (tile_size == 0)


def test_the_views_of_a_mirrored_view_are_the_picture_itself():
    here = make(inference__test_time_scales=(1.0,))
    again = views.show_picture(here.others[0].picture, here.views[1])
    assert torch.equal(again.sample.image, here.picture.sample.image)
    assert here.picture.pixels_key != here.others[0].picture.pixels_key
    alone = make(inference__test_time_scales=(1.0,), inference__test_time_flip=False).candidates
    count = len(alone.score)
    assert torch.equal(here.candidates.box[:count], alone.box) and torch.equal(
        here.candidates.score[:count], alone.score
    )
    other = here.others[0].candidates
    _, width = here.size
    expected = mirror(other.box, width)
    assert torch.allclose(here.candidates.box[count:], expected, atol=1e-3)


def test_only_views_that_are_not_known_run_the_network(monkeypatch):
    first = make(scenes__seed=4)
    assert first.fates
    monkeypatch.setattr(outputs, "predict", None)
    moved = make(scenes__seed=4, inference__nms_threshold=0.2, inference__score_threshold=0.0095, loss__gamma=1)
    assert moved.fates and moved.prediction.outputs is first.prediction.outputs
    assert make(scenes__seed=4, inference__test_time_scales=(1.0,)).fates  # those that are left are known
    assert make(scenes__seed=4, inference__test_time_flip=False, inference__nms_kind="wbf").fates
    with pytest.raises(TypeError):
        _ = make(scenes__seed=4, inference__test_time_scales=(1.0, 0.5)).fates


def test_a_held_knob_waits_for_views_that_take_long(monkeypatch):
    monkeypatch.setattr(views, "QUICK_GFLOPS", 0)
    held = make(held=True, scenes__seed=11)
    with pytest.raises(PostponedError, match="sees the other views once you release the knob"):
        _ = held.fates
    assert held.has_postponed
    assert make(scenes__seed=11).fates and make(held=True, scenes__seed=11).fates


def test_views_that_cost_too_much_are_refused_before_the_work(monkeypatch):
    monkeypatch.setattr(outputs, "predict", None)
    with pytest.raises(
        PictureError, match=r"3 other views would take about .* choose fewer or smaller “Test-time scales”"
    ):
        _ = make(inference__test_time_scales=(1.0, 3.0), inference__image_size=1600).others
    config = Config.from_flat(SEEN_OFTEN)
    assert effort.is_heavy(config, 192, 192) and not effort.is_heavy(Config(), 192, 192)


def test_the_tiles_of_other_views_count_before_the_work(monkeypatch):
    whole = make().gflops
    monkeypatch.setattr(effort, "MAX_GFLOPS", 2 * whole)
    assert len(make().others) == 3
    with pytest.raises(PictureError, match=r"^3 other views, each with \d+ tiles, would take .* raise “Tile size”"):
        _ = make(inference__tile_size=128).others


def test_the_step_counts_all_views_and_boxes_tell_theirs():
    here, plain = make(), make(inference__test_time_flip=False, inference__test_time_scales=(1.0,))
    found = here.candidates
    assert sum(level.topk for level in here.level_counts) == len(found.score)
    assert sum(level.scored for level in here.level_counts) > sum(level.scored for level in plain.level_counts)
    text = STEPS["detections"].build_view(here, Focus()).build_text().readout
    assert "4, " in text and "GFLOP instead of" in text and here.gflops > 3 * plain.gflops == 3 * plain.costs.gflops
    assert "GFLOP" not in STEPS["detections"].build_view(plain, Focus()).build_text().readout
    names = {0: "as it is", 1: "0.75 times as large", 2: "mirrored", 3: "mirrored, 0.75 times as large"}
    for view, name in names.items():
        candidate = int(torch.nonzero(found.view == view)[0])
        report = inspect(here, Pick(0, 0, "before", candidate))
        assert f">{name}<" in report.text and ("its anchor is" in report.text) == (view == 0)
        (anchor,) = [layer for layer in report.layers if layer.key == "inspected"]
        own, whole = here.anchor_of(candidate)
        assert anchor.boxes[0] == pytest.approx(whole.numpy())
        scale = 0.75 if view % 2 else 1  # the anchor is as large in the view, so that it is larger in the picture
        assert (whole[2:] - whole[:2]).tolist() == pytest.approx(((own[2:] - own[:2]) / scale).tolist(), rel=0.02)
    losses = STEPS["loss"].build_view(here, Focus()).build_text().readout
    assert "what its other views add" in losses
