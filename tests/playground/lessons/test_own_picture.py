"""Every lesson on a visitor's own picture: nothing fails, and what does not hold there is said with its reason."""

import json

import pytest
import torch

from core.config import Config
from core.scenes.render import CLASS_NAMES, render_scene
from core.structures import Sample
from playground.components import html
from playground.data.picture import picture_of_sample
from playground.lessons.narration import Narration
from playground.lessons.parser import lessons
from playground.lessons.position import LessonPosition
from playground.lessons.stay import answer_question, state_at
from playground.server.render import FIGURE_ALONE, render
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture
from playground.steps.loss.curves import CURVES, TITLES

ALL = [(key, index) for key, lesson in lessons().items() for index in range(len(lesson.steps))]


def own_picture(*, has_objects: bool, class_names: tuple[str, ...] = CLASS_NAMES) -> UserPicture:
    """Returns a picture of noise, on which the built-in weights are not at their best."""
    scenes = Config().scenes
    sample = render_scene(scenes, 0)
    noise = torch.randint(0, 256, sample.image.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    few = slice(0, 1 if has_objects else 0)
    shown = Sample(noise, sample.boxes[few], sample.labels[few], sample.crowd[few], 0)
    return UserPicture(picture_of_sample("noise", shown, class_names), scenes)


@pytest.mark.slow
@pytest.mark.parametrize("has_objects", [False, True])
@pytest.mark.parametrize(("key", "index"), ALL)
def test_every_step_can_be_told_on_it(key, index, has_objects):
    place = LessonPosition(lessons()[key], index)
    state = state_at(place)._replace(user_picture=own_picture(has_objects=has_objects))
    asked = Narration(place.step, state)
    told = Narration(place.step, answer_question(state, "0") if place.step.question else state)
    for narration in (asked, told):
        narration.build_text(), narration.build_question(), narration.build_outcome(), narration.build_drawing()
        assert not any("nan" in number for number in narration.format_numbers().values())
    for failure in told.explain_failures():
        assert "; " in failure or "cannot be checked: " in failure, failure


OF_ONE_SCORE = [
    (key, index) for key, index in ALL if (step := lessons()[key].steps[index]).show == "loss" and step.curve in CURVES
]


@pytest.mark.parametrize(("key", "index"), OF_ONE_SCORE)
def test_the_curve_of_one_score_stays_where_the_weights_do_not_know_the_classes(key, index):
    place, cells = LessonPosition(lessons()[key], index), own_picture(has_objects=True, class_names=("cell",) * 6)
    state = state_at(place)._replace(user_picture=cells)
    if place.step.question:
        state = answer_question(state, "0")
    shown = render(state)
    assert "do not know the class cell" in shown.notice and shown.readout == html.paragraph(FIGURE_ALONE)
    assert json.loads(shown.figure)["layout"]["title"]["text"] in TITLES.values()
    told = Narration(place.step, state)
    assert (told.build_drawing() is None) == (place.step.draw != "curve")
    for failure in told.explain_failures():
        assert (
            "cannot be checked. The built-in weights do not know the class cell" in failure or " different: " in failure
        )


def test_what_a_picture_without_objects_lacks_is_the_reason():
    place = LessonPosition(lessons()["box-regression"], 0)
    state = state_at(place)._replace(user_picture=own_picture(has_objects=False))
    (said,) = Narration(place.step, state).explain_failures()
    assert Narration(place.step, state).format_numbers()["text.anchor_iou"] == "–"
    assert said.endswith("cannot be checked: no objects are drawn on it.") and said.startswith("On your picture, ")


def test_what_does_not_depend_on_objects_has_another_reason():
    place = LessonPosition(lessons()["focal"], 2)
    state = answer_question(state_at(place)._replace(user_picture=own_picture(has_objects=False)), "0")
    back = state._replace(settings=settings_of(state.config().replace({"loss.gamma": 2.0})))
    (said,) = Narration(place.step, back).explain_failures()
    assert said == "On your picture it is different: “weight of an example with pₜ = 0.5” is 0.25, not below 0.05."
