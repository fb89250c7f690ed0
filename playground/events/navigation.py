"""The address and the header: what a link opens, undo and redo, reset, and settings to take home."""

from typing import Any

import gradio as gr

from core.config import Config, knobs
from core.data.untrusted import DataError
from core.errors import PictureError, UserError
from core.export.settings import FORMATS
from playground.evaluations.query import EvaluationQuery
from playground.events.common import IN_ORDER, LIVE, refusing, shown_settings, updates
from playground.events.training import newest_frame, run_parts, run_updates
from playground.layout.layout import Parts
from playground.lessons.panel import chosen_preset, contents, known
from playground.lessons.position import LessonPosition
from playground.runs.service import RUNS
from playground.server.permalink import from_link, unknown_names
from playground.server.render import show, takeaway
from playground.state.page_state import PageState, UserPicture
from playground.state.settings import settings_of
from playground.steps import STEPS

# Browsers lend the clipboard to https and to this machine only; elsewhere what is copied is shown to be copied.
COPY = """(text) => navigator.clipboard
  ? navigator.clipboard.writeText(text || location.href) : window.prompt("Copy this:", text || location.href)"""


def connect_address(page: gr.Blocks, parts: Parts) -> None:
    """Opening the page, and going back and forward in the browser's history."""
    outputs = [parts.step, parts.own, parts.pinned_own, parts.inquiry, parts.pick, parts.level]
    outputs += [parts.lesson, parts.answer, parts.curve, parts.p_t, parts.map]
    outputs += [parts.pinned, parts.beside, parts.buttons["lessons"], parts.buttons["preset"]]
    outputs += [*parts.panel.shown, *run_parts(parts), *parts.all_settings, *parts.shown]
    page.load(load, parts.panel.seen, outputs, **LIVE)

    def back(event: gr.EventData, seen: list[str], own: UserPicture | None, pinned_own: UserPicture | None) -> list:
        return opened_at(str(getattr(event, "query", "")), seen, own, pinned_own)

    parts.strip.edit(back, [parts.panel.seen, parts.own, parts.pinned_own], outputs, **{**IN_ORDER, "queue": False})
    parts.buttons["undo"].click(None, js="() => { if (history.state?.depth) history.back(); }")
    parts.buttons["redo"].click(None, js="() => history.forward()")


def load(seen: list[str], request: gr.Request) -> list:
    """Opens the page as its link says."""
    return opened_at(str(request.query_params), seen)


def opened_at(
    query: str, seen: list[str], own: UserPicture | None = None, pinned_own: UserPicture | None = None
) -> list:
    """Returns the page as a link says; a link that cannot be followed is explained, over the defaults.

    Args:
        query: Of the address.
        seen: Links of the lessons' steps that the browser has seen.
        own: The visitor's own picture, which no link holds.
        pinned_own: Likewise, of the pinned settings.
    """
    message = ""
    try:
        asked = from_link(query)
    except (DataError, PictureError) as error:  # another machine's data set; all else of the link can be followed
        asked, message = from_link(query, with_data=False), f"The picture of the link is not on show. {error}"
    except UserError as error:
        asked, message = from_link(""), f"The link was not followed. {error}"
    message = " ".join(filter(None, (message, unknown_names(query))))
    place = LessonPosition.from_link(asked.lesson)
    asked = asked._replace(own=_kept(asked.own, own), pinned_own=_kept(asked.pinned_own, pinned_own))
    # Without a run of its own, or one that is gone, a page finds the one that goes on.
    asked = newest_frame(asked._replace(run=asked.run if RUNS.has(asked.run) else RUNS.current()))
    shown = show(asked)
    return [
        asked.step,
        asked.own,
        asked.pinned_own,
        asked.inquiry,
        asked.pick,
        asked.level,
        asked.lesson,
        asked.answer,
        asked.curve,
        asked.p_t,
        asked.map,
        asked.pinned,
        asked.beside,
        place.lesson.key if place else "",
        chosen_preset(place),
        *contents(asked, [*known(seen), asked.lesson]),
        *run_updates(asked),
        *shown_settings(asked.config()),
        *updates(shown._replace(notice=message or shown.notice, beside=asked.beside)),
    ]


def _kept(linked: UserPicture | None, before: UserPicture | None) -> UserPicture | None:
    """Returns the picture of a link, or the visitor's own, which no link holds, with the objects that were drawn."""
    if linked is None:
        return None if before and before.place else before
    same = before and (before.place, before.scenes) == (linked.place, linked.scenes)
    return before if same else linked


def connect_resets(parts: Parts) -> None:
    """Back to the defaults: everything, or the knobs of one step."""

    def reset(*inputs: Any) -> list:
        asked = PageState(*inputs)._replace(
            own=None, pick=None, inquiry=EvaluationQuery(), settings=settings_of(Config())
        )
        return [None, None, asked.inquiry, *shown_settings(Config()), *updates(show(asked))]

    cleared = [parts.own, parts.pick, parts.inquiry, *parts.all_settings, *parts.shown]
    parts.buttons["reset"].click(reset, parts.asked, cleared, **LIVE)
    for key in STEPS:
        _connect_group(parts, key)


def _connect_group(parts: Parts, key: str) -> None:
    usual = {path: knob.default for path, knob in knobs().items() if STEPS[key].has(knob)}

    def reset(*inputs: Any) -> list:
        asked = PageState(*inputs)
        config = asked.config().replace(usual)
        return [*shown_settings(config), *updates(show(asked._replace(settings=settings_of(config))))]

    guarded = refusing(len(parts.all_settings), reset)
    parts.buttons[f"reset-{key}"].click(guarded, parts.asked, [*parts.all_settings, *parts.shown], **LIVE)


def connect_header(parts: Parts) -> None:
    """Copying, the theme, and all knobs at once."""

    def take(form: str, *inputs: Any) -> str:
        """Returns the settings in a format, "" for the link, which the browser knows itself."""
        asked = PageState(*inputs)
        return takeaway(form, asked.pipeline()) if form in FORMATS else ""

    buttons = parts.buttons
    form = [buttons["format"], *parts.asked]
    buttons["copy"].click(take, form, buttons["copied"], **LIVE).success(None, buttons["copied"], js=COPY)
    buttons["theme"].click(None, js="() => document.body.classList.toggle('dark')")
    buttons["all"].click(None, js="() => document.body.toggleAttribute('data-all')")
