"""Bringing a data set, splitting it, and choosing the page's picture from it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from core.data.untrusted import DataError
from core.retinanet.preprocess import prepare
from playground.data.browse import choose_picture
from playground.data.datasets import DATA, Progress, RefusedError
from playground.data.image_ref import ImageRef, is_from_data_set
from playground.data.records import StoredDataSet
from playground.data.report import build_report
from playground.data.sources import open_picture
from playground.evaluations.jobs import evaluated_split
from playground.events.common import IN_ORDER, LIVE, refusing, updates
from playground.layout.layout import Parts
from playground.layout.step_controls import SHARES
from playground.server.render import show
from playground.state.page_state import PageState, UserPicture
from playground.steps.evaluation.step import chosen_of
from playground.support.visitors import visitor_of

STEP = "picture"  # whose numbers tell of the data set


def connect_data(page: gr.Blocks, parts: Parts) -> None:
    """Wires uploads, folders, splits, deletion and the bar above the picture."""
    buttons = parts.buttons
    outputs = [parts.user_picture, parts.pick, parts.step, *parts.shown]
    slow = {"show_progress": "full", "show_progress_on": [buttons["split"]], "concurrency_id": "data"}
    slow |= {"concurrency_limit": 1}

    def upload(request: gr.Request, file: str, *inputs: Any, progress: gr.Progress = gr.Progress()) -> list:  # noqa: B008 (Gradio's way)
        def bring(state: PageState) -> StoredDataSet:
            try:
                name, owner = Path(file).name, visitor_of(request)
                return DATA.add_zip(Path(file), name, state.config(), _told(progress), owner=owner)
            finally:
                Path(file).unlink(missing_ok=True)

        return _brought(PageState(*inputs), bring)

    def use(request: gr.Request, folder: str, *inputs: Any, progress: gr.Progress = gr.Progress()) -> list:  # noqa: B008
        def bring(state: PageState) -> StoredDataSet:
            return DATA.add_folder(folder, state.config(), _told(progress), owner=visitor_of(request))

        return _brought(PageState(*inputs), bring)

    def split(request: gr.Request, by: str, shares: str, *inputs: Any) -> list:
        state = PageState(*inputs)
        name, visitor = _name_on_show(state, "split"), visitor_of(request)
        return _opened(state, DATA.split(name, by, shares_of(shares), state.config(), visitor=visitor))

    buttons["archive"].upload(refusing(3, upload), [buttons["archive"], *parts.state], outputs, **slow)
    buttons["use_folder"].click(refusing(3, use), [buttons["folder"], *parts.state], outputs, **slow)
    buttons["split"].click(refusing(3, split), [buttons["split_by"], buttons["shares"], *parts.state], outputs, **slow)
    _connect_deletion(page, parts)
    _connect_choice(parts)


def _connect_deletion(page: gr.Blocks, parts: Parts) -> None:
    delete, undo = parts.buttons["delete"], parts.buttons["put_back"]
    outputs = [undo, parts.user_picture, parts.pick, parts.step, *parts.shown]

    def deleting(request: gr.Request, *inputs: Any) -> list:
        state = PageState(*inputs)._replace(step=STEP)
        deleted = DATA.delete(_name_on_show(state, "delete"), visitor=visitor_of(request))
        shown = show(state._replace(user_picture=None, pick=None))._replace(
            notice=f"The data set {deleted.title} is deleted."
        )
        return [undo_button(request), None, None, STEP, *updates(shown)]

    def undoing(request: gr.Request, *inputs: Any) -> list:
        opened = _opened(PageState(*inputs), DATA.restore(visitor_of(request)))
        return [undo_button(request), *opened]

    delete.click(refusing(4, deleting), parts.state, outputs, show_progress="hidden")
    undo.click(refusing(4, undoing), parts.state, outputs, show_progress="hidden")
    page.load(undo_button, None, undo, **LIVE)


def undo_button(request: gr.Request) -> gr.Button:
    """Returns the button that puts back what a visitor deleted last; there is none where there is nothing."""
    last = DATA.last_deleted(visitor_of(request))
    return gr.Button(f"Put {last.title} back" if last else "", visible=last is not None)


def _name_on_show(state: PageState, what: str) -> str:
    place = state.image_ref()
    if not is_from_data_set(place):
        raise DataError(f"There is no data set on show to {what}: choose one above the picture.")
    return place.source


def _connect_choice(parts: Parts) -> None:
    outputs = [parts.user_picture, parts.pick, parts.evaluation_query, *parts.shown]

    def choose(event: gr.EventData, *inputs: Any) -> list:
        names = ("source", "split", "index", "turn")
        state = gone(PageState(*inputs), *(getattr(event, name, None) for name in names))
        return [state.user_picture, state.pick, state.evaluation_query, *updates(show(state))]

    parts.bar.select(refusing(3, choose), parts.state, outputs, **IN_ORDER)


def gone(state: PageState, source: object, split: object, index: object, turn: object) -> PageState:
    """Returns what is asked for after a choice in the bar, of which the browser may say anything.

    Raises:
        UserError: The picture is not to be had.
    """
    place = state.image_ref()
    if turn not in (-1, 1):
        query = state.evaluation_query._replace(choice="")
        return at_place(state._replace(evaluation_query=query), choose_picture(place, source, split, index))
    pictures = chosen_of(state.pipeline(), state.evaluation_query)
    if pictures and pictures.pictures:
        return at_place(state, evaluated_split(place).with_index(_next(pictures.pictures, place, turn)))
    return at_place(state, place and choose_picture(place, place.source, place.split, place.index + turn))


def _next(pictures: tuple[int, ...], place: ImageRef | None, turn: int) -> int:
    """Returns the neighbour of a picture in a list; the first for one that is not in it."""
    if place is None or place.index not in pictures:
        return pictures[0]
    return pictures[min(max(pictures.index(place.index) + turn, 0), len(pictures) - 1)]


def at_place(state: PageState, place: ImageRef | None) -> PageState:
    """Returns what is asked for with another picture on show, or the scene of the dials for None.

    Raises:
        UserError: The picture is not to be had, or the network cannot see it.
    """
    if place is None:
        return state._replace(user_picture=None, pick=None)
    config = state.config()
    picture = open_picture(place, config.scenes)
    prepare([picture.sample.image], config.inference)
    return state._replace(user_picture=UserPicture(picture, config.scenes, place), pick=None)


def _brought(state: PageState, bring: Callable[[PageState], StoredDataSet]) -> list:
    """Shows a data set that has come, or tells what is wrong with it."""
    try:
        kept = bring(state)
    except RefusedError as error:
        text = build_report("What was brought", error.check, error.check.sizes, error.check.issues)
        shown = show(state._replace(step=STEP))._replace(notice=str(error), readout=text)
        return [gr.skip(), gr.skip(), STEP, *updates(shown)]
    return _opened(state, kept)


def _opened(state: PageState, kept: StoredDataSet) -> list:
    state = at_place(state._replace(step=STEP), choose_picture(None, kept.name, None, None))
    return [state.user_picture, state.pick, state.step, *updates(show(state))]


def shares_of(text: str) -> tuple[float, ...]:
    """Reads the shares of train, val and test.

    Raises:
        DataError: They are not three numbers.
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3:
        raise DataError(f"The shares {text[:100]!r} must be numbers for train, val and test, such as {SHARES}.")
    return shares


def _told(progress: gr.Progress) -> Progress:
    """Returns what tells the page of every hundredth of the way."""

    def tell(done: int, total: int) -> None:
        if done % max(1, total // 100) == 0:
            progress((done, total), unit="pictures")

    return tell
