"""The address and the header: what a link opens, undo and redo, and copying the settings."""

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block

from core.errors import UserError
from core.export.settings import FORMATS
from playground.events.common import (
    LIVE,
    LIVE_IN_ORDER,
    Updates,
    announce_answers,
    part_updates,
    read_state,
    state_components,
    state_updates,
    with_fields,
)
from playground.events.lessons import panel_components, panel_updates
from playground.events.training import (
    ListHolders,
    RunList,
    keep_end,
    list_runs,
    run_components,
    run_updates,
    with_newest_frame,
)
from playground.layout.components import PageComponents
from playground.lessons.panel import build_contents, filter_seen, preset_update
from playground.lessons.position import LessonPosition
from playground.runs.progress import ACTIVE
from playground.server.opening import Opened, follow_link
from playground.server.permalink import read_course
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture
from playground.state.weight_names import NAME
from playground.support.visitors import visitor_of
from playground.support.wording import name_knobs

# Browsers offer the clipboard to https and to this machine only; elsewhere a prompt shows what to copy.
COPY = """async (text) => {
  const say = (detail) => document.dispatchEvent(new CustomEvent("said", { detail }));
  try {
    if (!navigator.clipboard) window.prompt("Copy this:", text || location.href);
    else say(await navigator.clipboard.writeText(text || location.href).then(() => "Copied"));
  } catch {
    say("The browser refused to copy: allow it in the address bar.");
  }
}"""
# The fields of the state that a link sets, but for the run and the film's frame, which `run_updates` sets.
NOT_SET_BY_LINK = ("run", "frame", "suggesting", "held", "switched", "visitor", "began")
SET_BY_LINK = tuple(field for field in PageState._fields if field not in NOT_SET_BY_LINK)


def connect_address(page: PageComponents, blocks: gr.Blocks, holders: ListHolders) -> None:
    """Connects opening the page, and going back and forward in the browser's history.

    Args:
        page: The page's components.
        blocks: The page.
        holders: What `connect_training` returns: the run that the page opens with is followed from then on.
    """

    def open_at(query: str, opened: Opened, seen: object, last: RunList) -> Updates:
        held = holders.hold(keep_end(last, list_runs(opened.state), opened.state), opened.state)
        return {**show_opened(page, opened, seen, read_course(query)), **held}

    def load(seen: object, request: gr.Request) -> Updates:
        query = str(request.query_params)
        return open_at(query, open_link(query, visitor=visitor_of(request)), seen, RunList())

    def go_back(
        event: gr.EventData, request: gr.Request, seen: object, last: RunList, *pictures: UserPicture | None
    ) -> Updates:
        query, run = str(getattr(with_fields(event), "query", "")), last.run if last.state in ACTIVE else ""
        opened = open_link(query, *pictures, visitor=visitor_of(request), run=run)
        left: Updates = {} if opened.state.lesson else {page.panel.own_link: ""}
        return {**open_at(query, opened, seen, last), **left}

    changed = [component for name in SET_BY_LINK for component in state_components(page, name)]
    outputs: list[Block] = [page.header.lessons, page.controls.training.preset, page.panel.course, page.panel.own_link]
    outputs += [*panel_components(page), *run_components(page), *holders, *changed, *page.all_parts]
    blocks.load(load, page.panel.seen, outputs, **LIVE)
    inputs = [page.panel.seen, holders.listed, page.state["user_picture"], page.state["pinned_picture"]]
    announce_answers(page.parts["strip"].edit(go_back, inputs, outputs, **LIVE_IN_ORDER))
    page.header.undo.click(None, js="() => { if (history.state?.depth) history.back(); }")
    page.header.redo.click(None, js="() => history.forward()")


def show_opened(page: PageComponents, opened: Opened, seen: object, course: tuple[str, ...]) -> Updates:
    """Returns the updates that show an opened link.

    Args:
        page: The page's components.
        opened: The link's state.
        seen: Links of the lesson steps that the browser has seen; untrusted.
        course: Links of the lesson steps that a teacher has picked, () for all.
    """
    state, message = opened
    position = LessonPosition.from_link(state.lesson)
    update = render(state)
    update = update._replace(notice=message or update.notice, beside=state.beside)
    return {
        page.header.lessons: position.lesson.key if position else "",
        page.controls.training.preset: preset_update(position),
        page.panel.course: course,
        **panel_updates(page, build_contents(state, filter_seen([*filter_seen(seen), state.lesson]), course)),
        **run_updates(page, state),
        **state_updates(page, state, *SET_BY_LINK),
        **part_updates(page, update),
    }


def open_link(
    query: str,
    user_picture: UserPicture | None = None,
    pinned_picture: UserPicture | None = None,
    *,
    visitor: str = "",
    run: str = "",
) -> Opened:
    """Returns the state of a link with the newest frame of its run's film; see `follow_link`."""
    state, message = follow_link(query, user_picture, pinned_picture, visitor=visitor, run=run)
    return Opened(with_newest_frame(state), message)


def connect_header(page: PageComponents) -> None:
    """Connects copying, and the button that shows all knobs; `header.js` does the rest in the browser."""
    header = page.header

    def copy(event: gr.EventData, request: gr.Request, *values: Any) -> str:
        """Returns the settings in a format, "" for the link, which the browser knows."""
        form = getattr(with_fields(event), "choose", None)
        if not isinstance(form, str) or form not in FORMATS:
            return ""
        try:
            pipeline = read_state(page, values, visitor_of(request)).pipeline()
            config = pipeline.config.replace({NAME: Path(pipeline.config.model.weights).name})
            return FORMATS[form](config, len(pipeline.class_names))
        except UserError as error:
            raise gr.Error(name_knobs(error), print_exception=False) from None  # nothing is copied then

    header.share.select(copy, list(page.state.values()), header.copied, **LIVE).success(None, header.copied, js=COPY)
    header.all_knobs.click(None, js="() => document.body.toggleAttribute('data-all')")
