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
    outputs = [parts.step, parts.user_picture, parts.pinned_picture, parts.evaluation_query, parts.pick, parts.level]
    outputs += [parts.lesson, parts.answer, parts.curve, parts.p_t, parts.map]
    outputs += [parts.pinned, parts.beside, parts.buttons["lessons"], parts.buttons["preset"]]
    outputs += [*parts.panel.shown, *run_parts(parts), *parts.all_settings, *parts.shown]
    page.load(load, parts.panel.seen, outputs, **LIVE)

    def back(event: gr.EventData, seen: list[str], own: UserPicture | None, pinned_picture: UserPicture | None) -> list:
        return opened_at(str(getattr(event, "query", "")), seen, own, pinned_picture)

    parts.strip.edit(
        back, [parts.panel.seen, parts.user_picture, parts.pinned_picture], outputs, **{**IN_ORDER, "queue": False}
    )
    parts.buttons["undo"].click(None, js="() => { if (history.state?.depth) history.back(); }")
    parts.buttons["redo"].click(None, js="() => history.forward()")


def load(seen: list[str], request: gr.Request) -> list:
    """Opens the page as its link says."""
    return opened_at(str(request.query_params), seen)


def opened_at(
    query: str, seen: list[str], own: UserPicture | None = None, pinned_picture: UserPicture | None = None
) -> list:
    """Returns the page as a link says; a link that cannot be followed is explained, over the defaults.

    Args:
        query: Of the address.
        seen: Links of the lessons' steps that the browser has seen.
        own: The visitor's own picture, which no link holds.
        pinned_picture: Likewise, of the pinned settings.
    """
    message = ""
    try:
        state = from_link(query)
    except (DataError, PictureError) as error:  # another machine's data set; all else of the link can be followed
        state, message = from_link(query, with_data=False), f"The picture of the link is not on show. {error}"
    except UserError as error:
        state, message = from_link(""), f"The link was not followed. {error}"
    message = " ".join(filter(None, (message, unknown_names(query))))
    place = LessonPosition.from_link(state.lesson)
    state = state._replace(
        user_picture=_kept(state.user_picture, own), pinned_picture=_kept(state.pinned_picture, pinned_picture)
    )
    # Without a run of its own, or one that is gone, a page finds the one that goes on.
    state = newest_frame(state._replace(run=state.run if RUNS.has(state.run) else RUNS.current()))
    shown = show(state)
    return [
        state.step,
        state.user_picture,
        state.pinned_picture,
        state.evaluation_query,
        state.pick,
        state.level,
        state.lesson,
        state.answer,
        state.curve,
        state.p_t,
        state.map,
        state.pinned,
        state.beside,
        place.lesson.key if place else "",
        chosen_preset(place),
        *contents(state, [*known(seen), state.lesson]),
        *run_updates(state),
        *shown_settings(state.config()),
        *updates(shown._replace(notice=message or shown.notice, beside=state.beside)),
    ]


def _kept(linked: UserPicture | None, before: UserPicture | None) -> UserPicture | None:
    """Returns the picture of a link, or the visitor's own, which no link holds, with the objects that were drawn."""
    if linked is None:
        return None if before and before.image_ref else before
    same = before and (before.image_ref, before.scenes) == (linked.image_ref, linked.scenes)
    return before if same else linked


def connect_resets(parts: Parts) -> None:
    """Back to the defaults: everything, or the knobs of one step."""

    def reset(*inputs: Any) -> list:
        state = PageState(*inputs)._replace(
            user_picture=None, pick=None, evaluation_query=EvaluationQuery(), settings=settings_of(Config())
        )
        return [None, None, state.evaluation_query, *shown_settings(Config()), *updates(show(state))]

    cleared = [parts.user_picture, parts.pick, parts.evaluation_query, *parts.all_settings, *parts.shown]
    parts.buttons["reset"].click(reset, parts.state, cleared, **LIVE)
    for key in STEPS:
        _connect_group(parts, key)


def _connect_group(parts: Parts, key: str) -> None:
    usual = {path: knob.default for path, knob in knobs().items() if STEPS[key].has(knob)}

    def reset(*inputs: Any) -> list:
        state = PageState(*inputs)
        config = state.config().replace(usual)
        return [*shown_settings(config), *updates(show(state._replace(settings=settings_of(config))))]

    guarded = refusing(len(parts.all_settings), reset)
    parts.buttons[f"reset-{key}"].click(guarded, parts.state, [*parts.all_settings, *parts.shown], **LIVE)


def connect_header(parts: Parts) -> None:
    """Copying, the theme, and all knobs at once."""

    def take(form: str, *inputs: Any) -> str:
        """Returns the settings in a format, "" for the link, which the browser knows itself."""
        state = PageState(*inputs)
        return takeaway(form, state.pipeline()) if form in FORMATS else ""

    buttons = parts.buttons
    form = [buttons["format"], *parts.state]
    buttons["copy"].click(take, form, buttons["copied"], **LIVE).success(None, buttons["copied"], js=COPY)
    buttons["theme"].click(None, js="() => document.body.classList.toggle('dark')")
    buttons["all"].click(None, js="() => document.body.toggleAttribute('data-all')")
