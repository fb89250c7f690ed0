"""The truth that drawn answers are compared with."""

import pytest

from core.config import Config
from playground.data.picture import render_picture
from playground.events.lessons import answer_question, state_at
from playground.lessons.drawing import CUMULATIVE, DRAWABLE, HEIGHTS, POINTS, build_drawing, curve_points
from playground.lessons.narration import Narration
from playground.lessons.parser import lessons, read_lesson
from playground.lessons.position import LessonPosition
from playground.pipeline.pipeline import Pipeline
from playground.state.settings import settings_of
from playground.steps.loss.curves import GRADIENT, VALUE, WEIGHT
from playground.steps.loss.step import FIGURES

DRAWN = """# A title
About it.

## Curve
- show: loss
- draw: curve
- curve: weight beside cross-entropy
- set: loss.gamma = 0
- set: loss.alpha = 0.5
- then: loss.gamma = 2

? How?

! So.

## Boxes
- show: detections
- draw: boxes
- then: inference.score_threshold = 0.9

? Which?

! These.
"""


def pipeline(**changes) -> Pipeline:
    config = Config().replace(changes)
    return Pipeline(render_picture(config.scenes), config)


@pytest.fixture
def steps(tmp_path):
    (tmp_path / "01-x.md").write_text(DRAWN)
    return read_lesson(tmp_path / "01-x.md").steps


def test_curves_by_hand():
    loss = {"loss.kind": "focal", "loss.alpha": 0.5}
    weight = curve_points(WEIGHT, pipeline(**loss, **{"loss.gamma": 2}))
    assert len(weight) == POINTS and weight[POINTS // 2] == pytest.approx(0.5 * 0.25) and weight[-1] == pytest.approx(0)
    value = curve_points(VALUE, pipeline(**loss, **{"loss.gamma": 0}))
    assert value[POINTS // 2] == pytest.approx(0.5 * 0.6931, abs=1e-3) and max(value) <= HEIGHTS[VALUE]
    assert curve_points(GRADIENT, pipeline(**loss, **{"loss.gamma": 0}))[POINTS // 2] == pytest.approx(0.25, abs=1e-3)


def test_a_larger_gamma_bends_the_cumulative_loss():
    flat, bent = (curve_points(CUMULATIVE, pipeline(**{"loss.gamma": gamma})) for gamma in (0, 2))
    assert flat[0] == bent[0] == 0 and flat[-1] == bent[-1] == pytest.approx(1) and sum(bent) < sum(flat)
    assert sorted(bent) == bent and set(DRAWABLE) <= set(FIGURES)


def test_the_truth_comes_with_the_answer(steps):
    for step in steps:
        state = state_at(LessonPosition(next(iter(lessons().values())), 0))._replace(
            step=step.show, settings=settings_of(step.initial_config())
        )
        asked = Narration(step, state).build_drawing()
        told = Narration(step, state._replace(answer=0, settings=settings_of(step.config()))).build_drawing()
        assert asked["truth"] is None and told["truth"] and asked["kind"] == told["kind"] == step.draw
        assert asked.get("given") == told.get("given") != told["truth"]  # what was there before stays


def test_all_objects_are_missed_above_every_score(steps):
    high, low = (pipeline(**{"inference.score_threshold": score}) for score in (0.99, 0.05))
    missed = build_drawing(steps[1], high, high, is_answered=True)["truth"]
    found = build_drawing(steps[1], low, low, is_answered=True)["truth"]
    assert [each["box"] for each in missed] == [each["box"] for each in found] and len(missed) == len(high.objects[0])
    assert sum(each["missed"] for each in missed) > sum(each["missed"] for each in found)
    assert {each["name"] for each in missed} <= set(high.class_names)


def test_a_drawn_answer_is_the_only_one(steps, monkeypatch):
    lesson = lessons()["dense"]._replace(key="drawn", steps=steps)
    monkeypatch.setitem(lessons(), "drawn", lesson)
    state = state_at(LessonPosition(lesson, 0))
    assert answer_question(state, "1") is None and answer_question(state, "0").config().loss.gamma == 2
    broken = state._replace(settings=settings_of(state.config().replace({"model.depth": 50})), step="detections")
    assert Narration(steps[1], broken).build_drawing() is not None  # nothing but the size of the picture is needed
    assert Narration(steps[1], broken._replace(answer=0)).build_drawing() is None
