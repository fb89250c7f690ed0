"""Data sets: splitting and deleting them, and choosing the page's picture from them."""

import math
from collections.abc import Sequence

import gradio as gr
from gradio.blocks import Block

from core.data.untrusted import DataError
from core.errors import quote
from playground.data import browse
from playground.data.datasets import DATA
from playground.data.image_ref import UPLOAD, ImageRef
from playground.data.stored.records import StoredDataSet
from playground.evaluations.keys import evaluated_split
from playground.events.common import IN_ORDER, LIVE, WITHOUT_PROGRESS, EventOptions, Updates, listen, show
from playground.events.data.importing import CHANGES, STEP, DataImport, open_data_set, progress_options
from playground.events.picture import show_image
from playground.layout.components import DataControls, PageComponents
from playground.layout.step_controls import SHARES
from playground.state.page_state import PageState
from playground.state.user_picture import show_again
from playground.steps.evaluation.step import selected_pictures
from playground.support.visitors import visitor_of

# The state holds the picture that is on show when an event is handled: the visitor may have gone on to another one.
WITH_SOURCE = "(...values) => [...values.slice(0, {}), document.querySelector('.source-of').value]"


def connect_data(page: PageComponents, blocks: gr.Blocks) -> None:
    """Connects uploads, folders, splits, deletion and the bar above the picture."""
    controls = page.controls.picture.data
    DataImport(page, controls).connect()
    _connect_split(page, controls)
    _connect_deletion(page, controls)
    _connect_bar(page)
    blocks.load(undo_button, None, controls.put_back, **LIVE)
    blocks.load(lambda: unread_updates(controls), None, [controls.unread, controls.delete_unread], **LIVE)
    blocks.load(undo_split_button, None, controls.undo_split, **LIVE)


def _connect_split(page: PageComponents, controls: DataControls) -> None:
    def split(state: PageState, by: str, shares: str, source: object, *, request: gr.Request) -> Updates:
        name, visitor = require_data_set(source, "split"), visitor_of(request)
        before = DATA.library.get(name)
        after = DATA.split(name, by, parse_shares(shares), state.config(), visitor=visitor)
        updates = open_data_set(page, state, after) if is_shown(state, name) else show(page, state)
        return with_change(updates, before, after, request)

    def undo(state: PageState, *, request: gr.Request) -> Updates:
        visitor = visitor_of(request)
        before = DATA.library.get(DATA.last_split(visitor)) if DATA.last_split(visitor) else None
        after = DATA.undo_split(state.config(), visitor=visitor)
        return with_change(open_data_set(page, state, after), before or after, after, request)

    def with_change(updates: Updates, before: StoredDataSet, after: StoredDataSet, request: gr.Request) -> Updates:
        said = updates[page.parts["notice"]] or describe_split(before, after)
        return {**updates, page.parts["notice"]: said, controls.undo_split: undo_split_button(request)}

    inputs, outputs = [controls.split_by, controls.shares, controls.source], [controls.undo_split]
    options = progress_options(controls)
    listen(page, controls.undo_split.click, undo, changes=CHANGES, outputs=outputs, **options)
    options["js"] = _with_source(page, inputs)
    listen(page, controls.split.click, split, inputs=inputs, changes=CHANGES, outputs=outputs, **options)


def _connect_deletion(page: PageComponents, controls: DataControls) -> None:
    notice = page.parts["notice"]

    def delete(state: PageState, source: object, *, request: gr.Request) -> Updates:
        name = require_data_set(source, "delete")
        shown = is_shown(state, name)
        deleted = DATA.delete(name, visitor=visitor_of(request))
        updates = show(page, state._replace(step=STEP, user_picture=None, pick=None) if shown else state, *CHANGES)
        deleted_notice = f"The data set {deleted.title} is deleted."
        return {**updates, notice: deleted_notice, controls.put_back: undo_button(request)}

    def delete_unread(state: PageState, name: str, *, request: gr.Request) -> Updates:
        updates: Updates = {}
        try:
            said = f"The data set {DATA.delete_unread(name).title} is deleted."
            updates = {**show(page, state), controls.put_back: undo_button(request)}
        except DataError as error:  # such as one that has been deleted from another window: the button names the next
            said = str(error)
        return {**updates, notice: said, **unread_updates(controls)}

    def undo(state: PageState, *, request: gr.Request) -> Updates:
        updates = open_data_set(page, state, DATA.restore(visitor_of(request)))
        return {**updates, controls.put_back: undo_button(request)}

    outputs = [controls.put_back]
    unread = [controls.unread, controls.delete_unread]
    listen(
        page, controls.delete_unread.click, delete_unread, inputs=unread[:1], outputs=[*outputs, *unread],
        **WITHOUT_PROGRESS,
    )  # fmt: skip
    source: EventOptions = {**WITHOUT_PROGRESS, "js": _with_source(page, [controls.source])}
    listen(page, controls.delete.click, delete, inputs=[controls.source], changes=CHANGES, outputs=outputs, **source)
    listen(page, controls.put_back.click, undo, changes=CHANGES, outputs=outputs, **WITHOUT_PROGRESS)


def _with_source(page: PageComponents, inputs: Sequence[Block]) -> str:
    """Returns the script that sets the last input to the source chosen above the picture at the click."""
    return WITH_SOURCE.format(len(page.state) + len(inputs) - 1)


def is_shown(state: PageState, name: str) -> bool:
    """True if a picture of a data set is on show."""
    image_ref = state.image_ref()
    return image_ref is not None and image_ref.source == name


def describe_split(before: StoredDataSet, after: StoredDataSet) -> str:
    """Returns what splitting a data set changed, and what follows for the runs that were trained on it."""
    was, now = (", ".join(f"{name} {count:,}" for name, count in each.splits.items()) for each in (before, after))
    return (
        f"{after.name} is split anew: {now} (before: {was}). Runs that were trained on it before may have seen "
        "pictures that are now in val or test; the Evaluation step says so."
    )


def undo_split_button(request: gr.Request) -> gr.Button:
    """Returns the button that undoes the visitor's last split; hidden if there is none."""
    name = DATA.last_split(visitor_of(request))
    return gr.Button(f"Undo the split of {name}" if name else "", visible=bool(name))


def undo_button(request: gr.Request) -> gr.Button:
    """Returns the button that restores the data set a visitor deleted last; hidden if there is none."""
    last = DATA.last_deleted(visitor_of(request))
    return gr.Button(f"Put {last.title} back" if last else "", visible=last is not None)


def unread_updates(controls: DataControls) -> Updates:
    """Returns the first data set that cannot be read, and the button that deletes it; hidden if there is none."""
    names = DATA.list_unread()
    more = f" ({len(names)} cannot be read)" if len(names) > 1 else ", which cannot be read"
    button = gr.Button(f"Delete {names[0]}{more}" if names else "", visible=bool(names))
    return {controls.unread: names[0] if names else "", controls.delete_unread: button}


def require_data_set(source: object, action: str) -> str:
    """Returns the name of the data set that was chosen above the picture.

    Args:
        source: What was chosen there; untrusted.
        action: What is to be done with it, as a verb.

    Raises:
        DataError: It is no data set, such as a scene.
    """
    if not isinstance(source, str) or source not in DATA.library.names():
        raise DataError(f"There is no data set to {action}: choose one above the picture.")
    return source


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
        if source == UPLOAD and (upload := show_again(state.user_picture, state.config())):
            return state._replace(user_picture=upload, pick=None, evaluation_query=query)
        return show_image(
            state._replace(evaluation_query=query),
            browse.choose_picture(image_ref, source, split, index, state.visitor),
        )
    chosen = selected_pictures(state.pipeline(), state.evaluation_query)
    if chosen and chosen.pictures:
        return show_image(state, evaluated_split(image_ref).with_index(_neighbour(chosen.pictures, image_ref, turn)))
    if image_ref is None:
        return show_image(state, None)
    index = image_ref.index + turn
    return show_image(state, browse.choose_picture(image_ref, image_ref.source, image_ref.split, index, state.visitor))


def _neighbour(indices: tuple[int, ...], image_ref: ImageRef | None, turn: int) -> int:
    """Returns the previous or next index of a list; the first one if the image is not in it."""
    if image_ref is None or image_ref.index not in indices:
        return indices[0]
    return indices[min(max(indices.index(image_ref.index) + turn, 0), len(indices) - 1)]


def parse_shares(text: str | None) -> tuple[float, ...]:
    """Parses the shares of the train, val and test splits; None is what Gradio makes of an empty field.

    Raises:
        DataError: The text is not three numbers.
    """
    try:
        shares = tuple(float(part) for part in (text or "").split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3 or not all(map(math.isfinite, shares)):
        raise DataError(f"The shares {quote(text or '')} must be numbers for train, val and test, such as {SHARES}.")
    return shares
