"""What a lesson does to the page, at every answer of the server: its question, its numbers, its checks, its layers."""

import json
from typing import Any

from markupsafe import Markup

from playground.components import html
from playground.lessons.narration import Narration
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState
from playground.steps.step import StepView
from playground.support.cache import PostponedError

AS_TOLD = "as told"  # what choosing the link under changed settings tells


def staged(state: PageState) -> tuple[str | None, str | None]:
    """Returns the values of the parts "lesson" and "checks"; None leaves them while a number takes too long."""
    place = LessonPosition.from_link(state.lesson)
    if place is None:
        return json.dumps({"link": ""}), ""
    telling = Narration(place.lesson.steps[place.index], state)
    try:
        return json.dumps(_question(place, telling)), _checks(telling)
    except PostponedError:
        return None, None


def _question(place: LessonPosition, telling: Narration) -> dict[str, Any]:
    step = telling.step
    question, answers = telling.question()
    return {
        "link": place.link,
        "question": question,
        "answers": answers,
        "chosen": telling.state.answer,
        "right": step.right if telling.answered else None,
        "numbers": telling.numbers(),
        "look": step.look,
        "veil": () if telling.answered else step.veil,
        "needs": (step.show, *step.settings, *step.needs),
    }


def _checks(telling: Narration) -> Markup:
    """Returns the claims, each true or not, and what the reader has moved."""
    items = html.join(Markup("<li>{}</li>").format(str(check)) for check in telling.checks())
    text = Markup("<ul>{}</ul>").format(items) if items else Markup()
    if moved := telling.moved():
        back = html.link("Back to the lesson's settings", AS_TOLD)
        text += Markup("<p>You moved: {}. {}</p>").format(" · ".join(moved), back)
    return text


def layered(look: StepView, state: PageState) -> StepView:
    """Returns what a step shows with the layers on that the lesson wants, while it is the step of the lesson."""
    place = LessonPosition.from_link(state.lesson)
    step = place and place.lesson.steps[place.index]
    if not step or not step.layers or state.step != step.show:
        return look
    layers = tuple(each._replace(visible=step.layers.get(each.key, each.visible)) for each in look.layers)
    heat = look.heat and look.heat._replace(visible=step.layers.get(look.heat.key, look.heat.visible))
    return look._replace(layers=layers, heat=heat)
