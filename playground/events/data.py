"""Data sets: importing, splitting and deleting them, and choosing the page's picture from them."""

from collections.abc import Callable
from pathlib import Path

import gradio as gr

from core.data.untrusted import DataError
from core.retinanet.preprocess import prepare
from playground.data import browse
from playground.data.datasets import DATA, Progress, RefusedError
from playground.data.image_ref import ImageRef, is_from_data_set
from playground.data.records import StoredDataSet
from playground.data.report import build_report
from playground.data.sources import open_picture
from playground.evaluations.jobs import evaluated_split
from playground.events.common import IN_ORDER, LIVE, EventOptions, Updates, listen, show
from playground.layout.components import DataControls, PageComponents
from playground.layout.step_controls import SHARES
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture
from playground.steps.evaluation.step import selected_pictures
from playground.support.visitors import visitor_of

STEP = "picture"  # shows the numbers of the data set
CHANGES = ("user_picture", "pick", "step")
PROGRESS = gr.Progress()  # as a parameter's default, it makes Gradio pass the progress of the event


def connect_data(page: PageComponents, blocks: gr.Blocks) -> None:
    """Connects uploads, folders, splits, deletion and the bar above the picture."""
    controls = page.controls.picture.data
    _connect_import(page, controls)
    _connect_deletion(page, controls)
    _connect_bar(page)
    blocks.load(undo_button, None, controls.put_back, **LIVE)


def _connect_import(page: PageComponents, controls: DataControls) -> None:
    def upload(state: PageState, file: str, *, request: gr.Request, progress: gr.Progress = PROGRESS) -> Updates:
        def add() -> StoredDataSet:
            try:
                name, owner = Path(file).name, visitor_of(request)
                return DATA.add_zip(Path(file), name, state.config(), _report_to(progress), owner=owner)
            finally:
                Path(file).unlink(missing_ok=True)

        return _import(page, state, add)

    def use(state: PageState, folder: str, *, request: gr.Request, progress: gr.Progress = PROGRESS) -> Updates:
        def add() -> StoredDataSet:
            return DATA.add_folder(folder, state.config(), _report_to(progress), owner=visitor_of(request))

        return _import(page, state, add)

    def split(state: PageState, by: str, shares: str, *, request: gr.Request) -> Updates:
        name, visitor = _name_of_data_set(state, "split"), visitor_of(request)
        return _open(page, state, DATA.split(name, by, parse_shares(shares), state.config(), visitor=visitor))

    options: EventOptions = {
        "show_progress": "full",
        "show_progress_on": [controls.split],
        "concurrency_id": "data",
        "concurrency_limit": 1,
    }
    listen(page, controls.archive.upload, upload, inputs=[controls.archive], changes=CHANGES, **options)
    listen(page, controls.use_folder.click, use, inputs=[controls.folder], changes=CHANGES, **options)
    listen(page, controls.split.click, split, inputs=[controls.split_by, controls.shares], changes=CHANGES, **options)


def _report_to(progress: gr.Progress) -> Progress:
    """Returns a function that shows every hundredth of the work on the page."""

    def report_progress(done: int, total: int) -> None:
        if done % max(1, total // 100) == 0:
            progress((done, total), unit="pictures")

    return report_progress


def _import(page: PageComponents, state: PageState, add: Callable[[], StoredDataSet]) -> Updates:
    """Adds a data set and opens it, or shows what is wrong with it."""
    try:
        stored = add()
    except RefusedError as error:
        text = build_report("The data set", error.check, error.check.sizes, error.check.issues)
        updates = show(page, state._replace(step=STEP), "step")
        return {**updates, page.parts["notice"]: str(error), page.parts["readout"]: text}
    return _open(page, state, stored)


def _open(page: PageComponents, state: PageState, stored: StoredDataSet) -> Updates:
    """Shows the first picture of a data set."""
    state = show_image(state._replace(step=STEP), browse.choose_picture(None, stored.name, None, None))
    return show(page, state, *CHANGES)


def _connect_deletion(page: PageComponents, controls: DataControls) -> None:
    notice = page.parts["notice"]

    def delete(state: PageState, *, request: gr.Request) -> Updates:
        deleted = DATA.delete(_name_of_data_set(state, "delete"), visitor=visitor_of(request))
        updates = show(page, state._replace(step=STEP, user_picture=None, pick=None), *CHANGES)
        deleted_notice = f"The data set {deleted.title} is deleted."
        return {**updates, notice: deleted_notice, controls.put_back: undo_button(request)}

    def undo(state: PageState, *, request: gr.Request) -> Updates:
        updates = _open(page, state, DATA.restore(visitor_of(request)))
        return {**updates, controls.put_back: undo_button(request)}

    outputs = [controls.put_back]
    listen(page, controls.delete.click, delete, changes=CHANGES, outputs=outputs, show_progress="hidden")
    listen(page, controls.put_back.click, undo, changes=CHANGES, outputs=outputs, show_progress="hidden")


def undo_button(request: gr.Request) -> gr.Button:
    """Returns the button that restores the data set a visitor deleted last; hidden if there is none."""
    last = DATA.last_deleted(visitor_of(request))
    return gr.Button(f"Put {last.title} back" if last else "", visible=last is not None)


def _name_of_data_set(state: PageState, action: str) -> str:
    image_ref = state.image_ref()
    if not is_from_data_set(image_ref):
        raise DataError(f"There is no data set to {action}: choose one above the picture.")
    return image_ref.source


def _connect_bar(page: PageComponents) -> None:
    changes = ("user_picture", "pick", "evaluation_query")

    def choose(state: PageState, *, event: gr.EventData) -> Updates:
        names = ("source", "split", "index", "turn")
        return show(page, browse_to(state, *(getattr(event, name, None) for name in names)), *changes)

    listen(page, page.parts["bar"].select, choose, changes=changes, **IN_ORDER)


def browse_to(state: PageState, source: object, split: object, index: object, turn: object) -> PageState:
    """Returns the state after a choice in the bar above the picture; the arguments are untrusted.

    Args:
        state: The state before.
        source: Data set, "" for the generated scene.
        split: Split of the data set.
        index: Image in the split.
        turn: −1 or 1 for the previous or next picture, of an evaluation's choice if there is one.

    Raises:
        UserError: The picture cannot be opened.
    """
    image_ref = state.image_ref()
    if not isinstance(turn, int) or turn not in (-1, 1):
        query = state.evaluation_query._replace(choice="")
        return show_image(
            state._replace(evaluation_query=query), browse.choose_picture(image_ref, source, split, index)
        )
    chosen = selected_pictures(state.pipeline(), state.evaluation_query)
    if chosen and chosen.pictures:
        return show_image(state, evaluated_split(image_ref).with_index(_neighbour(chosen.pictures, image_ref, turn)))
    if image_ref is None:
        return show_image(state, None)
    return show_image(
        state, browse.choose_picture(image_ref, image_ref.source, image_ref.split, image_ref.index + turn)
    )


def _neighbour(indices: tuple[int, ...], image_ref: ImageRef | None, turn: int) -> int:
    """Returns the previous or next index of a list; the first one if the image is not in it."""
    if image_ref is None or image_ref.index not in indices:
        return indices[0]
    return indices[min(max(indices.index(image_ref.index) + turn, 0), len(indices) - 1)]


def show_image(state: PageState, image_ref: ImageRef | None) -> PageState:
    """Returns the state with another picture: an image of a data set, or the generated scene for None.

    Raises:
        UserError: The image cannot be opened, or the network cannot process it.
    """
    if image_ref is None:
        return state._replace(user_picture=None, pick=None)
    config = state.config()
    picture = open_picture(image_ref, config.scenes)
    prepare([picture.sample.image], config.inference)
    return state._replace(user_picture=UserPicture(picture, config.scenes, image_ref), pick=None)


def parse_shares(text: str) -> tuple[float, ...]:
    """Parses the shares of the train, val and test splits.

    Raises:
        DataError: The text is not three numbers.
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3:
        raise DataError(f"The shares {text[:100]!r} must be numbers for train, val and test, such as {SHARES}.")
    return shares
