"""Going through lessons: each step sets the page."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from playground.answers import refusing, shown_settings, updates
from playground.asked import Asked
from playground.controls import settings_of
from playground.layout import Parts
from playground.lessons.lesson import lessons
from playground.lessons.panel import Place, chosen_preset, contents, known, moved
from playground.lessons.telling import outcome_of
from playground.show import show


def asked_at(place: Place) -> Asked:
    """Returns what the page is asked to show at a step of a lesson."""
    step = place.lesson.steps[place.index]
    return Asked(step.show, settings=settings_of(step.first_config()), lesson=place.link, curve=step.curve)


def connect_lessons(parts: Parts) -> None:
    """Choosing a lesson, its steps, its questions, and leaving it."""
    panel, buttons = parts.panel, parts.buttons
    anew = [parts.step, parts.own, parts.pick, parts.level, parts.map, parts.curve]
    anew += [parts.pinned, parts.pinned_own, parts.beside]
    states = [parts.lesson, *anew, buttons["lessons"], buttons["preset"], panel.seen]
    asked_of = [panel.seen, parts.run]
    outputs = [*states, *panel.shown, *parts.all_settings, *parts.shown]
    kept = len(outputs) - len(parts.shown)
    slow = {"show_progress": "minimal", "show_progress_on": [panel.text]}

    def at(place: Place | None, seen: list[str], run: str) -> list:
        if place is None:
            skipped = [gr.skip()] * (len(parts.all_settings) + len(parts.shown))
            return ["", *[gr.skip()] * len(anew), "", *[gr.skip()] * 2, *contents(None, []), *skipped]
        asked = asked_at(place)._replace(run=run)
        config = asked.config()
        return [
            asked.lesson,
            asked.step,
            asked.own,
            asked.pick,
            asked.level,
            asked.map,
            asked.curve,
            asked.pinned,
            asked.pinned_own,
            asked.beside,
            place.lesson.key,
            chosen_preset(place),
            seen := known([*known(seen), place.link]),
            *contents(place, seen),
            *shown_settings(config),
            *updates(show(asked)._replace(beside=asked.beside)),
        ]

    def choose(key: str, seen: list[str], run: str) -> list:
        return at(Place(lessons()[key], 0) if key in lessons() else None, seen, run)

    def step(count: int) -> Callable[[str, list[str], str], list]:
        def go(link: str, seen: list[str], run: str) -> list:
            place = Place.from_link(link)
            return at(place and moved(place, count), [*known(seen), link], run)

        return refusing(kept, go)

    def answer(chosen: str, *inputs: Any) -> list:
        asked = Asked(*inputs)
        place = Place.from_link(asked.lesson)
        if place is None:
            return [gr.skip()] * (2 + len(parts.all_settings) + len(parts.shown))
        step = place.lesson.steps[place.index]
        config = asked.config().replace({path: step.settings[path] for path in step.later})
        asked = asked._replace(step=step.show, settings=settings_of(config))
        said = outcome_of(place.lesson, place.index, chosen)
        return [said, asked.step, *shown_settings(config), *updates(show(asked))]

    buttons["lessons"].input(refusing(kept, choose), [buttons["lessons"], *asked_of], outputs, **slow)
    panel.back.click(step(-1), [parts.lesson, *asked_of], outputs, **slow)
    panel.onward.click(step(1), [parts.lesson, *asked_of], outputs, **slow)
    panel.leave.click(lambda: at(None, [], ""), None, outputs, **slow)
    told = [panel.outcome, parts.step, *parts.all_settings, *parts.shown]
    guarded = refusing(len(told) - len(parts.shown), answer)
    panel.question.input(guarded, [panel.question, *parts.asked], told, show_progress="hidden")
