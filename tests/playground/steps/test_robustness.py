"""Robustness in the detections step: the figure is what the core measured, and only what is asked is measured."""

import pytest
import torch

from core.config import Config, ConfigError
from core.retinanet.tiles import WHOLE
from core.robustness.changes import CHANGES
from core.robustness.survival import measure_survival
from playground.canvas.edit import Pick
from playground.data.picture import render_picture
from playground.inspector.detection import count_strong, find_tile
from playground.inspector.inspect import inspect
from playground.pipeline.pipeline import Pipeline
from playground.state.effort import asks_for_much
from playground.state.page_state import PageState
from playground.steps import STEPS
from playground.steps.dials import ALIASING, CHANGES_OF_PICTURE, ROBUSTNESS, Dials, parse_dials
from playground.steps.robustness import measured
from playground.steps.robustness.view import ALIASES, ELSEWHERE, METHOD, NOTHING, TITLES
from playground.steps.step import Focus
from tests.playground.inspector.test_inspect import SMALL
from tests.playground.steps.drawable import require_drawable


def pipeline(*, postpone_slow: bool = False, **changes) -> Pipeline:
    settings = {
        **SMALL,
        "inference.max_detections": 5,
        **{key.replace("__", "."): each for key, each in changes.items()},
    }
    config = Config.from_flat(settings)
    return Pipeline(render_picture(config.scenes), config, postpone_slow=postpone_slow)


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """The changes that were measured, from now on."""
    found = []

    def measure(model, image, detections, config, name):
        found.append(name)
        return measure_survival(model, image, detections, config, name)

    monkeypatch.setattr(measured, "measure_survival", measure)
    return found


def shown(here: Pipeline, change: str, pick: Pick | None = None):
    focus = Focus(pick=pick, dials=Dials(ROBUSTNESS, change=change))
    return STEPS["detections"].build_view(here, focus)


@pytest.mark.slow
def test_nothing_is_measured_unless_it_is_asked_for(counted):
    text = STEPS["detections"].build_view(pipeline(), Focus()).build_text()
    assert counted == [] and ("Robustness", ROBUSTNESS) in text.dials[0].choices


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_the_curves_are_the_scores_of_the_core(change, counted):
    here = pipeline()
    text = require_drawable(shown(here, change, Pick(0, 0, "kept", 2)), here)
    survivals = measured.survive(here, change)
    assert counted == [change] and METHOD in text.readout.unescape() and TITLES[change].lower() in text.readout
    clicked, best = text.figure["data"][:2]
    assert clicked["name"].endswith("(clicked)") and list(clicked["x"]) == list(CHANGES[change].strengths)
    for curve, place in ((clicked, 2), (best, 0)):
        scores = [each.score[place].item() for each in survivals]
        assert torch.equal(torch.tensor(curve["y"]).nan_to_num(-1), torch.tensor(scores).nan_to_num(-1))
    plain = CHANGES[change].strengths.index(0)
    assert clicked["y"][plain] == here.fates.score[here.fates.order[2]].item()
    assert text.dials[1].value == change and len(text.figure["data"]) == 5


@pytest.mark.slow
def test_a_detection_is_seen_moving_below_the_anchors():
    here = pipeline()
    text = require_drawable(shown(here, ALIASING), here)
    score, iou = text.figure["data"]
    level = int(here.candidates.level[here.fates.order[0]])
    assert score["x"][0] == 0 and score["x"][-1] == 8 * 2**level and len(score["x"]) <= 33
    assert score["y"][0] >= here.fates.score[here.fates.order[0]].item() - 1e-5  # no anchor there is surer
    assert max(iou["y"]) <= 1 and ALIASES in text.readout.unescape()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"inference__test_time_flip": True}, {"inference__tile_size": 64}, {}],
    ids=["mirrored", "in tiles", "as it is"],
)
def test_that_the_shift_of_a_box_of_a_tile_is_that_of_the_whole_picture_is_said(changes):
    here = pipeline(inference__max_detections=20, **changes)
    found = here.fates.order.tolist()
    elsewhere = [find_tile(here, each) != WHOLE or bool(here.view_of(each)) for each in found]
    assert any(elsewhere) == bool(changes)
    for place in {elsewhere.index(each) for each in set(elsewhere)}:
        strong = count_strong(here)
        pick = Pick(0, 0, "kept", place) if place < strong else Pick(0, 0, "weaker", place - strong)
        assert (ELSEWHERE in shown(here, ALIASING, pick).build_text().readout.unescape()) == elsewhere[place]


def test_without_detections_and_where_it_takes_too_long_it_says_so(counted, monkeypatch):
    empty = shown(pipeline(inference__score_threshold=0.9), "blur").build_text()
    assert NOTHING in empty.readout and empty.figure is None
    held = shown(pipeline(postpone_slow=True, inference__max_detections=4), "noise").build_text()
    assert "once you release the knob" in held.readout and "noise" not in counted
    monkeypatch.setattr(measured, "MAX_GFLOPS", 0.01)
    slow = shown(pipeline(inference__max_detections=3), "noise").build_text()
    assert "this page spends at most" in slow.readout and [each.name for each in slow.dials] == ["graph", "change"]


def test_a_click_tells_of_its_box_as_beside_the_usual_figure(monkeypatch):
    monkeypatch.setattr(measured, "MAX_GFLOPS", 0.01)  # the report is there, whatever is refused
    here, pick = pipeline(inference__max_detections=3), Pick(0, 0, "kept", 1)
    view, seen = shown(here, "noise", pick), inspect(here, pick, Dials().asked)
    assert view.build_text().more == seen.text and seen.text
    assert [each.key for each in seen.layers] == [each.key for each in view.layers][-len(seen.layers) :] != []
    assert shown(here, "noise").build_text().more == ""


def test_dials():
    assert set(TITLES) == set(CHANGES_OF_PICTURE)
    assert parse_dials("graph=robustness&change=jpeg") == Dials(ROBUSTNESS, change="jpeg")
    with pytest.raises(ConfigError):
        parse_dials("change=nothing")
    assert asks_for_much(PageState("detections", dials="graph=robustness"))
