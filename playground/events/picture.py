"""The page's picture: scenes, uploads, clicks and drawn boxes."""

from collections.abc import Callable, Mapping

import gradio as gr

from core.config import knobs
from core.retinanet.preprocess import require_usable_sides
from playground.albums.album import ALL
from playground.canvas.edit import CHANGE_FIELDS, EDIT_FIELDS, Pick, parse_click
from playground.data.image_ref import PHOTOGRAPHS, ImageRef, is_from_album
from playground.data.photographs import find_photographs
from playground.data.scene_examples import apply_example
from playground.data.sources import open_picture
from playground.events.common import (
    IN_ORDER,
    LIVE,
    ONE_AFTER_ANOTHER,
    WITHOUT_PROGRESS,
    EventOptions,
    Updates,
    announce_answers,
    listen,
    show,
    show_and_say,
)
from playground.layout.components import PageComponents
from playground.state.aim import MISSED, aim_of, change_picture, is_on_show
from playground.state.own_picture import change_class, draw_own
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture, draw_objects, find_upload, set_aside

SCENE_SEEDS = 2**31  # the next scene's seed starts again at the knob's upper bound


def connect_picture(page: PageComponents) -> None:
    """Connects scenes, uploads, clicks and drawn boxes."""
    _connect_scenes(page)
    canvas = page.parts["canvas"]

    def edit(state: PageState, *, event: gr.EventData) -> Updates:
        fields = {name: getattr(event, name, None) for name in EDIT_FIELDS}
        return show_changed(state, event, lambda aimed: draw(aimed, fields))

    def change(state: PageState, *, event: gr.EventData) -> Updates:
        fields = {name: getattr(event, name, None) for name in CHANGE_FIELDS}
        return show_changed(state, event, lambda aimed: change_class(fields, aimed.pipeline(), aimed.visitor))

    def show_changed(state: PageState, event: gr.EventData, change: Callable[[PageState], UserPicture]) -> Updates:
        is_saved = is_from_album(state.image_ref())  # then each event reads it again, see `admit`
        after, said = change_picture(
            state, aim_of(event), lambda aimed: (aimed._replace(user_picture=change(aimed)), "")
        )
        return show_and_say(page, after, said, *(() if is_saved else ("user_picture",)))

    def click(state: PageState, *, event: gr.EventData) -> Updates:
        if getattr(event, "clear", None) is True:
            return show(page, state._replace(pick=None), "pick")
        if not is_on_show(state, aim_of(event)):
            return show_and_say(page, state, MISSED, "pick")
        height, width = state.pipeline().size
        x, y, layer, index = (getattr(event, name, None) for name in Pick._fields)
        return show(page, state._replace(pick=parse_click(x, y, width, height, layer, index)), "pick")

    for event, handler in ((canvas.edit, edit), (canvas.classes, change)):
        changed = listen(page, event, handler, changes=["user_picture"], **ONE_AFTER_ANOTHER)
        announce_answers(changed, "edit-answered")
    listen(page, canvas.select, click, changes=["pick"], **IN_ORDER)


def draw(state: PageState, fields: Mapping[str, object]) -> UserPicture:
    """Returns the picture on show with drawn objects, which are saved if it is the visitor's own.

    Args:
        state: The state before.
        fields: Those of the event `edit`; untrusted.

    Raises:
        UserError: The fields are not those of an edit, or the picture is somebody else's.
    """
    pipeline = state.pipeline()
    if is_from_album(pipeline.image_ref):
        return draw_own(fields, pipeline, state.visitor)
    drawn = draw_objects(fields, pipeline)
    upload = find_upload(state.user_picture) if drawn.picture.is_scene or pipeline.image_ref else None
    return drawn._replace(image_ref=pipeline.image_ref, upload=upload)


def _connect_scenes(page: PageComponents) -> None:
    seed, controls = page.knobs["scenes.seed"], page.controls.picture
    controls.another.click(next_seed, seed, seed, **LIVE)
    changes = ("user_picture", "pick", "settings")

    def example(state: PageState, name: str) -> Updates:
        photographs = [each.file for each, _ in find_photographs()]
        if name in photographs:
            image_ref = ImageRef(PHOTOGRAPHS, ALL, photographs.index(name))
            return show(page, show_image(state, image_ref), *changes)
        scenes = [path for path, knob in knobs().items() if knob.section == "scenes"]
        state = state.setting(apply_example(name, state.config()), scenes)
        return show(page, show_image(state, None), *changes)

    def to_scene(state: PageState) -> Updates:
        return show(page, show_image(state, None), "user_picture", "pick")

    listen(page, controls.to_scene.click, to_scene, changes=["user_picture", "pick"], **LIVE)
    # A choice that comes meanwhile is read afterwards: side by side, the earlier one could be the last to be shown.
    newest: EventOptions = {**WITHOUT_PROGRESS, "trigger_mode": "always_last"}
    listen(page, controls.example.input, example, inputs=[controls.example], changes=changes, **newest)


def next_seed(seed: object) -> int:
    """Returns the number of the next scene; anything but a number, which is what the page sends, is as none."""
    if not isinstance(seed, int | float) or not abs(seed) < SCENE_SEEDS:  # or NaN
        return 1
    return (int(seed) + 1) % SCENE_SEEDS


def show_image(state: PageState, image_ref: ImageRef | None) -> PageState:
    """Returns the state with another picture: an image of a data set, or the generated scene for None.

    Raises:
        UserError: The image cannot be opened, or the network cannot process it.
    """
    if image_ref is None:
        return state._replace(user_picture=set_aside(state.user_picture), pick=None)
    config = state.config()
    picture = open_picture(image_ref, config.scenes, state.visitor)
    height, width = picture.sample.image.shape[1:]
    require_usable_sides(height, width, config.inference.max_image_size)
    shown = UserPicture(picture, config.scenes, image_ref, upload=find_upload(state.user_picture))
    return state._replace(user_picture=shown, pick=None)
