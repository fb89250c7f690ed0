"""What happens on the page: handlers read what is asked for, let `playground.server.render` make it, and hand it back.

Knobs take another way, past Gradio's events (`playground.server.live`): a widget tells the browser its value, which
asks the server itself and enters it, a little later, into the one text of all settings that the events here read.
"""

from typing import Any

import gradio as gr

from core.errors import UserError
from core.retinanet.anchors import LEVELS
from playground.events.common import IN_ORDER, refusing, shown_settings, updates
from playground.layout.layout import Parts
from playground.pipeline.anchor_search import fit_anchors
from playground.server.render import PageUpdate, follow_weights, show
from playground.state.page_state import PageState
from playground.state.settings import settings_of, tell
from playground.steps import STEPS
from playground.steps.step import MAPS

WEIGHTS = "model.weights"


def connect_settings(parts: Parts) -> None:
    """Knobs, the step, and what one looks at in it."""
    for path, widget in parts.knobs.items():
        if path != WEIGHTS:  # weights bring other settings along
            widget.change(None, widget, None, js=tell(path))
    parts.settings.change(None, parts.settings, None, js="(text) => live.told(text)")
    told = "(value) => { live.choose('frame', value); return value; }"
    parts.film.change(None, parts.film, parts.frame, js=told)
    for name in ("curve", "p_t"):
        widget = getattr(parts, name)
        widget.change(None, widget, None, js=f"(value) => live.choose({name!r}, value)")

    def choose(event: gr.EventData, *inputs: Any) -> list:
        state = chosen(PageState(*inputs), *(getattr(event, name, None) for name in ("step", "map", "level")))
        return [state.step, state.map, state.level, *updates(show(state))]

    outputs = [parts.step, parts.map, parts.level, *parts.shown]
    parts.strip.select(choose, parts.state, outputs, **{**IN_ORDER, "queue": False})


def chosen(state: PageState, step: object, map_: object, level: object) -> PageState:
    """Returns what is asked for after a choice in the strip, of which the browser may say anything."""
    return state._replace(
        step=step if step in tuple(STEPS) else state.step,
        map=map_ if map_ in MAPS else state.map,
        level=level if type(level) is int and 0 <= level < len(LEVELS) else state.level,
    )


def connect_weights(parts: Parts) -> None:
    """Choosing weights brings the settings they need along; if they cannot be had, the choice goes back."""
    widget, upload = parts.knobs[WEIGHTS], parts.buttons["weights"]
    back = 1 + list(parts.knobs).index(WEIGHTS)
    outputs = [*parts.all_settings, *parts.shown]

    def follow(name: str, *inputs: Any) -> list:
        state = PageState(*inputs)
        before = state.config()
        try:
            config = follow_weights(before.replace({WEIGHTS: name}))
        except UserError as error:
            kept = [gr.skip()] * len(parts.all_settings)
            kept[back] = before.model.weights
            return [*kept, *updates(PageUpdate(str(error)))]
        return [*shown_settings(config), *updates(show(state._replace(settings=settings_of(config))))]

    slow = {"show_progress": "minimal", "show_progress_on": [parts.canvas]}
    guarded = refusing(len(parts.all_settings), follow)
    widget.input(guarded, [widget, *parts.state], outputs, **slow)
    upload.upload(guarded, [upload, *parts.state], outputs, **slow)


def connect_anchors(parts: Parts) -> None:
    """Looking for anchors that fit."""

    def fit(whose: str, *inputs: Any) -> list:
        state = PageState(*inputs)
        config, said = fit_anchors(whose, state.pipeline(), state.image_ref())
        shown = show(state._replace(settings=settings_of(config)))
        return [*shown_settings(config), *updates(shown._replace(notice=shown.notice or said))]

    slow = {"show_progress": "minimal", "show_progress_on": [parts.canvas], "concurrency_limit": 1}
    guarded = refusing(len(parts.all_settings), fit)
    buttons = parts.buttons
    buttons["fit"].click(guarded, [buttons["fit_to"], *parts.state], [*parts.all_settings, *parts.shown], **slow)
