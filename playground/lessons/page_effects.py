"""The effects of a lesson on the page: its question, its numbers, the check of its claims, and layers it switches."""

import json
from typing import Any

from markupsafe import Markup

from playground.components import html
from playground.lessons.narration import Narration
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState
from playground.steps.comparison.view import find_results
from playground.steps.step import StepView
from playground.support.cache import PostponedError

STORY_NEEDS = ("loss", "loss.gamma")  # what no link can hide on the first screen
RESTORE = "as told"  # the event of the link that restores the lesson's settings


def build_lesson_state(state: PageState) -> tuple[str | None, str | None]:
    """Returns the values of the page's parts "lesson" and "checks".

    Both are None, which leaves the parts as they are, while a number takes too long to compute.
    """
    position = LessonPosition.from_link(state.lesson)
    if position is None:
        return json.dumps({"link": "", "needs": STORY_NEEDS} if state.in_story else {"link": ""}), ""
    narration = Narration(position.step, state)
    try:
        return json.dumps(_build_question(position, narration)), _build_checks(narration)
    except PostponedError:
        return None, None


def _build_question(position: LessonPosition, narration: Narration) -> dict[str, Any]:
    step = position.step
    question, answers = narration.build_question()
    return {
        "link": position.link,
        "question": question,
        "answers": answers,
        "chosen": narration.state.answer,
        "answered": narration.is_answered and bool(step.question),
        "right": step.right if narration.is_answered else None,
        "numbers": narration.format_numbers(),
        "drawing": narration.build_drawing(),
        "look": (*step.look, *find_results(narration.state.run, step.compare)),
        "knobs": step.knobs,
        "controls": step.named_controls,
        "tables": step.tables,
        "veil": () if narration.is_answered else step.veil,
        "needs": (step.show, *step.settings, *step.knobs, *step.controls, *step.needs),
    }


def _build_checks(narration: Narration) -> Markup:
    """Returns the claims that do not hold, in words, and the settings that the reader has changed."""
    text = html.join(map(html.paragraph, narration.explain_failures()))
    if named := narration.name_failures():
        text += html.said(" ".join(named))
    if changes := narration.list_changes():
        back = html.link("Back to the lesson's settings", RESTORE)
        text += Markup("<p>You changed: {}. {}</p>").format(" · ".join(changes), back)
    return text


def apply_layers(view: StepView, state: PageState) -> StepView:
    """Returns the view of the page's step with the layers that the lesson switches, if it is about this step."""
    position = LessonPosition.from_link(state.lesson)
    step = position.step if position else None
    if not step or not step.layers or state.step != step.show:
        return view
    layers = tuple(each._replace(visible=step.layers.get(each.key, each.visible)) for each in view.layers)
    heat = view.heat and view.heat._replace(visible=step.layers.get(view.heat.key, view.heat.visible))
    return view._replace(layers=layers, heat=heat)
