"""The address and the header: what a link opens, undo and redo, and copying the settings."""

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.blocks import Block

from core.data.untrusted import DataError
from core.errors import PictureError, UserError, shorten
from core.export.settings import FORMATS
from playground.data.image_ref import is_from_album
from playground.events.common import (
    LIVE,
    LIVE_IN_ORDER,
    Updates,
    part_updates,
    read_state,
    state_components,
    state_updates,
    with_fields,
)
from playground.events.lessons import panel_components, panel_updates
from playground.events.training import run_components, run_updates, with_newest_frame
from playground.layout.components import PageComponents
from playground.lessons.panel import build_contents, filter_seen, preset_update
from playground.lessons.position import LessonPosition
from playground.runs.privacy import describe_fault
from playground.runs.service import RUNS
from playground.server.permalink import from_link, read_course, shows_upload, unknown_names
from playground.server.private_links import drop_private
from playground.server.render import render
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture, find_upload, set_aside, show_again
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
NOT_SAVED = "The picture of the link was not saved: the generated scene is on show instead. Upload the picture again."
# The fields of the state that a link sets, but for the run and the film's frame, which `run_updates` sets.
SET_BY_LINK = tuple(
    field for field in PageState._fields if field not in ("run", "frame", "suggesting", "held", "switched", "visitor")
)


class Opened(NamedTuple):
    """The state that a link opens, and a message to the visitor, "" for none."""

    state: PageState
    message: str


def connect_address(page: PageComponents, blocks: gr.Blocks) -> None:
    """Connects opening the page, and going back and forward in the browser's history."""

    def load(seen: object, request: gr.Request) -> Updates:
        query = str(request.query_params)
        return show_opened(page, open_link(query, visitor=visitor_of(request)), seen, read_course(query))

    def go_back(event: gr.EventData, request: gr.Request, seen: object, *pictures: UserPicture | None) -> Updates:
        query = str(getattr(with_fields(event), "query", ""))
        opened = open_link(query, *pictures, visitor=visitor_of(request))
        return show_opened(page, opened, seen, read_course(query))

    changed = [component for name in SET_BY_LINK for component in state_components(page, name)]
    outputs: list[Block] = [page.header.lessons, page.controls.training.preset, page.panel.course]
    outputs += [*panel_components(page), *run_components(page), *changed, *page.all_parts]
    blocks.load(load, page.panel.seen, outputs, **LIVE)
    inputs = [page.panel.seen, page.state["user_picture"], page.state["pinned_picture"]]
    page.parts["strip"].edit(go_back, inputs, outputs, **LIVE_IN_ORDER)
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
) -> Opened:
    """Returns the state of a link; one that cannot be opened gives the defaults and a message.

    Args:
        query: Query of the address; untrusted.
        user_picture: The visitor's picture before, which no link holds.
        pinned_picture: The visitor's pinned picture before.
        visitor: Who opens it.
    """
    query, private = drop_private(query, visitor)
    state, message = _follow(query, visitor)
    shown = _keep_drawn(state.user_picture, user_picture)
    if shows_upload(query):
        shown = show_again(user_picture, state.config())
        message = message or ("" if shown else NOT_SAVED)
    run, lost = _choose_run(state.run, visitor)
    message = shorten(" ".join(filter(None, (private, message, lost, unknown_names(query)))))
    state = state._replace(
        user_picture=shown, pinned_picture=_keep_pinned(state.pinned_picture, pinned_picture), run=run
    )
    return Opened(with_newest_frame(state), message)


def _follow(query: str, visitor: str) -> Opened:
    """Returns what a link names, as far as it can be opened, and why the rest is left out."""
    try:
        return Opened(from_link(query, visitor), "")
    except (DataError, PictureError) as error:  # a data set of another machine; the rest of the link is valid
        message = f"The picture of the link is not on show. {name_knobs(error)}"
    except UserError as error:
        return Opened(from_link("", visitor), f"The link was not followed. {name_knobs(error)}")
    try:
        return Opened(from_link(query, visitor, with_data=False), message)
    except UserError as error:
        return Opened(from_link("", visitor), f"The link was not followed. {name_knobs(error)}")


def _choose_run(name: str, visitor: str) -> tuple[str, str]:
    """Returns the run of a link; without one that its visitor may see the one that is training, and a message."""
    try:
        if RUNS.may_see(name, visitor):
            return name, ""
        lost = describe_fault(RUNS.folder(name)) if RUNS.has(name) else ""
        return RUNS.current(visitor), lost
    except UserError as error:  # the folder of the runs cannot be read
        return "", name_knobs(error)


def _keep_drawn(linked: UserPicture | None, before: UserPicture | None) -> UserPicture | None:
    """Returns the picture of a link, or the visitor's own with its drawn objects, which links do not hold."""
    if linked is None:
        drawn_scene = before and before.image_ref is None and before.picture.is_scene
        return before if drawn_scene else set_aside(before)
    if is_from_album(linked.image_ref):  # saved with its drawn objects
        return linked._replace(upload=find_upload(before))
    same = before and (before.image_ref, before.scenes) == (linked.image_ref, linked.scenes)
    return before if same else linked._replace(upload=find_upload(before))


def _keep_pinned(linked: UserPicture | None, before: UserPicture | None) -> UserPicture | None:
    """Returns the pinned picture of a link, or the visitor's own, which links do not hold."""
    if linked is None:
        return None if before and before.image_ref else before
    return _keep_drawn(linked, before)


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
