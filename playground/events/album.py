"""My pictures: what arrives in the visitor's album, and what its panel does."""

from collections.abc import Callable

import gradio as gr

from core.errors import UserError
from core.retinanet.preprocess import require_usable_sides
from playground.albums.album import ALL, Album, AlbumError, is_album_key
from playground.albums.service import ALBUMS
from playground.data.albums import index_in, index_of
from playground.data.image_ref import ImageRef
from playground.data.intake import read_upload
from playground.data.picture import open_upload
from playground.events.common import (
    IN_ORDER,
    ONE_AFTER_ANOTHER,
    EventOptions,
    Updates,
    after_edits,
    listen,
    part_updates,
    show,
    show_and_say,
)
from playground.events.picture import show_image
from playground.layout.components import PageComponents
from playground.layout.page_update import PageUpdate
from playground.pipeline.knowledge import knowledge_of
from playground.pipeline.proposals import known_classes
from playground.state.aim import Outcome, aim_of, change_picture
from playground.state.looking import look_at
from playground.state.own_picture import require_own
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture, classes_to_draw
from playground.support.wording import NOT_READ

DELETED = (
    "Your pictures have been deleted, with the runs and evaluations that used them: you can put them back under "
    "My pictures."
)
ARRIVED = "Your pictures have been added: find them under My pictures."
CHANGES = ("user_picture", "pick", "suggesting")
MAX_SECONDS = 8.0  # that looking for the next picture may take; those not looked at yet are for the next time
PROGRESS = gr.Progress()  # as a parameter's default, it makes Gradio pass the progress of the event


def connect_album(page: PageComponents) -> None:
    """Connects the intake of pictures and the panel "My pictures"."""
    controls, panel, canvas = page.controls.picture, page.parts["album"], page.parts["canvas"]

    def shown(state: PageState, *, event: gr.EventData) -> Updates:
        """Shows the first picture of an upload, unless the visitor has gone on to something else meanwhile."""
        path, name, began = (getattr(event, key, None) for key in ("path", "name", "began"))
        if (
            aim_of(event) is not None and began != state.choices()
        ):  # an unsaved one is always shown: nothing else keeps it
            return show_and_say(page, state, ARRIVED)
        return show(page, show_upload(state, aim_of(event), path, name), *CHANGES)

    def acting(state: PageState, *, event: gr.EventData) -> Updates:
        state, said = act(state, getattr(event, "action", None), getattr(event, "value", None), aim_of(event))
        return show_and_say(page, state, said, *CHANGES)

    def following(state: PageState, *, progress: gr.Progress = PROGRESS) -> Updates:
        return show(page, show_next(state, lambda done, total: progress((done, total), "Looking")), *CHANGES)

    def download(state: PageState, form: object) -> Updates:
        path = ALBUMS.export(state.visitor, str(form))
        offer = gr.DownloadButton(f"Save {path.name}", value=str(path), visible=True)
        return {controls.album_file: offer, **part_updates(page, PageUpdate(""))}

    # A queue of its own: what takes seconds must not hold up the quick events of all visitors.
    one_at_a_time: EventOptions = {**IN_ORDER, "concurrency_id": "looking", "concurrency_limit": 1}
    busy: EventOptions = {**one_at_a_time, "show_progress": "minimal", "show_progress_on": [canvas]}
    listen(page, controls.intake.upload, shown, changes=CHANGES, **IN_ORDER)
    listen(page, panel.select, acting, changes=CHANGES, **ONE_AFTER_ANOTHER)
    for event in (panel.next, canvas.next):
        listen(page, event, following, changes=CHANGES, **busy)
    form = gr.State("")
    listen(page, after_edits(panel.download, form), download, inputs=[form], outputs=[controls.album_file], **IN_ORDER)


def show_upload(state: PageState, pixels_key: object, path: object, name: object) -> PageState:
    """Returns the state with a picture that the browser has uploaded.

    Args:
        state: The state before.
        pixels_key: Of the picture in the visitor's album, None if it was not saved. It comes from the browser and can
            be anything, as the rest.
        path: The path of the upload, which is read if the picture was not saved.
        name: The name of the file.

    Raises:
        UserError: There is no such picture, or it cannot be opened.
    """
    if pixels_key is not None:
        album = own_album(state)
        return show_own(state, album, index_of(album, pixels_key))
    file, name = read_upload({"path": path, "name": name})
    pipeline = state.pipeline()
    picture = open_upload(str(file), name, classes_to_draw(pipeline))
    height, width = picture.sample.image.shape[1:]
    require_usable_sides(height, width, pipeline.config.inference.max_image_size)
    return state._replace(user_picture=UserPicture(picture, pipeline.config.scenes), pick=None)


def show_own(state: PageState, album: Album, index: object) -> PageState:
    """Returns the state with a picture of an album; raises `UserError` if there is no such picture."""
    if type(index) is not int:
        raise AlbumError("There is no such picture: choose one above the picture.")
    album.picture(index)
    return show_image(state, ImageRef(album.key, ALL, index))


def own_album(state: PageState) -> Album:
    """Returns the visitor's own album.

    Raises:
        AlbumError: There is none.
    """
    album = ALBUMS.of(state.visitor)
    if album is None or not album.pictures:
        raise AlbumError("You have no pictures here yet: upload some first.")
    return album


def act(state: PageState, action: object, value: object, pixels_key: object = None) -> Outcome:
    """Returns the state after an action in the panel, and a message to the visitor, "" for none.

    Args:
        state: The state before.
        action: Key of `ACTIONS` or `ON_PICTURE`. It comes from the browser and can be anything, as the rest.
        value: What the action needs.
        pixels_key: Of the picture that the panel was about, see `aim_of`; only those of `ON_PICTURE` need it.

    Raises:
        UserError: The action is not possible.
    """
    if not isinstance(action, str) or action not in {**ACTIONS, **ON_PICTURE}:
        raise UserError(NOT_READ)
    if action in ACTIONS:
        return ACTIONS[action](state, value)
    return change_picture(state, pixels_key, lambda aimed: ON_PICTURE[action](aimed, value))


def _on_show(state: PageState) -> tuple[Album, int]:
    return require_own(state.image_ref(), state.visitor)


def _show_first(state: PageState, value: object) -> Outcome:
    return show_own(state, own_album(state), 0), ""


def _mark_empty(state: PageState, value: object) -> Outcome:
    _, index = _on_show(state)
    return show_own(state, ALBUMS.mark_empty(state.visitor, index), index), ""


def _set_split(state: PageState, value: object) -> Outcome:
    _, index = _on_show(state)
    return show_own(state, ALBUMS.set_split(state.visitor, index, str(value)), index), ""


def _remove(state: PageState, value: object) -> Outcome:
    album, index = _on_show(state)
    title = album.pictures[index].title
    album = ALBUMS.remove(state.visitor, index)
    said = f"{title} has been removed: you can put it back under My pictures."
    if not album.pictures:
        return show_image(state, None), said
    return show_own(state, album, min(index, len(album.pictures) - 1)), said


def _undo(state: PageState, value: object) -> Outcome:
    if isinstance(value, str) and is_album_key(value):
        return show_own(state, ALBUMS.restore_all(state.visitor, value), 0), ""
    return show_own(state, *ALBUMS.restore_picture(state.visitor)), ""


def _share(state: PageState, value: object) -> Outcome:
    ALBUMS.share(state.visitor, value is True)
    return state, ""


def _delete_all(state: PageState, value: object) -> Outcome:
    album, image_ref = own_album(state), state.image_ref()
    ALBUMS.delete_all(state.visitor)
    if image_ref and image_ref.source == album.key:
        state = show_image(state, None)
    return state, DELETED


def _switch_suggestions(state: PageState, value: object) -> Outcome:
    return state._replace(suggesting=state.suggesting._replace(on=value is True)), ""


def _set_threshold(state: PageState, value: object) -> Outcome:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError("The score above which boxes are suggested must be a number from 0 to 1.")
    return state._replace(suggesting=state.suggesting._replace(above=float(value))), ""


Action = Callable[[PageState, object], Outcome]
ON_PICTURE: dict[str, Action] = {"empty": _mark_empty, "split": _set_split, "remove": _remove}
ACTIONS: dict[str, Action] = {
    "show": _show_first,
    "undo": _undo,
    "share": _share,
    "delete": _delete_all,
    "suggest": _switch_suggestions,
    "above": _set_threshold,
}


def show_next(state: PageState, report: Callable[[int, int], None]) -> PageState:
    """Returns the state with the next picture to label: of those without labels, the one the weights are least sure of.

    Weights that know none of the classes cannot tell: then it is the next one in order.

    Args:
        state: The state before.
        report: Called with the number of pictures looked at and their total.

    Raises:
        UserError: All pictures are labelled, or there are none.
    """
    album = own_album(state)
    index = index_in(album, state.image_ref())
    at = -1 if index is None else index
    count = len(album.pictures)
    order = [(at + step) % count for step in range(1, count + 1)]
    waiting = [each for each in order if not album.pictures[each].labelled and each != index]
    if not waiting:
        raise AlbumError("All your other pictures are labelled: upload more, or train on these.")
    config = state.config()
    try:
        knows = bool(known_classes(knowledge_of(config).class_names, album.class_names))
    except UserError:  # weights that do not fit the settings; labelling goes on
        knows = False
    return show_own(state, album, _least_sure(state, album, waiting, report) if knows else waiting[0])


def _least_sure(state: PageState, album: Album, waiting: list[int], report: Callable[[int, int], None]) -> int:
    """Returns the picture that the weights are least sure of, among those that can be looked at in `MAX_SECONDS`."""
    doubts: dict[int, float] = {}
    for index, summary in look_at(album, waiting, state.config(), state.visitor, seconds=MAX_SECONDS):
        doubts[index] = summary.doubt
        report(len(doubts), len(waiting))
    return max(doubts, key=lambda index: doubts[index])
