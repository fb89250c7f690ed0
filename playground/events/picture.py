"""Scenes, uploads, clicks and drawn boxes."""

from pathlib import Path
from typing import Any

import gradio as gr

from core.retinanet.preprocess import prepare
from playground.canvas.edit import Pick, parse_click
from playground.data.picture import open_upload
from playground.data.scene_examples import apply_example
from playground.events.common import IN_ORDER, LIVE, refusing, shown_settings, updates
from playground.layout.layout import Parts
from playground.server.render import edited, own_classes, show
from playground.state.page_state import PageState, UserPicture
from playground.state.settings import settings_of

SCENE_SEEDS = 2**31  # "another scene" counts up to the knob's bound and starts again


def connect_picture(parts: Parts) -> None:
    """Scenes, uploads, clicks and drawn boxes."""
    seed, buttons = parts.knobs["scenes.seed"], parts.buttons
    buttons["another"].click(lambda value: (int(value or 0) + 1) % SCENE_SEEDS, seed, seed, **LIVE)

    def example(name: str, *inputs: Any) -> list:
        config = apply_example(name, PageState(*inputs).config())
        state = PageState(*inputs)._replace(user_picture=None, settings=settings_of(config))
        return [None, *shown_settings(config), *updates(show(state))]

    guarded = refusing(1 + len(parts.all_settings), example)
    buttons["example"].input(
        guarded, [buttons["example"], *parts.state], [parts.user_picture, *parts.all_settings, *parts.shown], **LIVE
    )
    changed = [parts.user_picture, *parts.shown]

    def upload(file: str, *inputs: Any) -> list:
        state = PageState(*inputs)
        pipeline = state.pipeline()
        own = UserPicture(open_upload(file, Path(file).name, own_classes(pipeline)), pipeline.config.scenes)
        prepare([own.picture.sample.image], pipeline.config.inference)  # refused now if the network cannot see it
        return [own, *updates(show(state._replace(user_picture=own, pick=None)))]

    def edit(event: gr.EventData, *inputs: Any) -> list:
        state = PageState(*inputs)
        own = edited(getattr(event, "boxes", None), state.pipeline())._replace(image_ref=state.image_ref())
        return [own, *updates(show(state._replace(user_picture=own)))]

    def click(event: gr.EventData, *inputs: Any) -> list:
        state = PageState(*inputs)
        height, width = state.pipeline().size
        x, y, layer, index = (getattr(event, name, None) for name in Pick._fields)
        pick = parse_click(x, y, width, height, layer, index)
        return [pick, *updates(show(state._replace(pick=pick)))]

    buttons["upload"].upload(refusing(1, upload), [buttons["upload"], *parts.state], changed, concurrency_limit=1)
    parts.canvas.edit(refusing(1, edit), parts.state, changed, **IN_ORDER)
    parts.canvas.select(refusing(1, click), parts.state, [parts.pick, *parts.shown], **IN_ORDER)
