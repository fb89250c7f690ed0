"""The knobs, and the choice of a step and of anchors.

Moving a knob fires no event of Gradio (see `playground.server.live`): the widget passes its value to the browser's
script, which asks the server and, a little later, writes it into the one text of all settings that the events read.
"""

import gradio as gr

from core.config import Config, knobs
from core.retinanet.anchors import LEVELS
from playground.events.common import (
    LIVE,
    LIVE_IN_ORDER,
    EventOptions,
    Updates,
    announce_answers,
    keep_notice,
    listen,
    show,
    show_and_say,
    state_updates,
)
from playground.layout.components import PageComponents
from playground.state.anchor_search import fit_anchors
from playground.state.page_state import PageState
from playground.state.settings import on_change, settings_of
from playground.state.user_picture import set_aside
from playground.state.weight_names import NAME as WEIGHTS
from playground.steps import STEPS
from playground.steps.step import MAPS


def connect_settings(page: PageComponents) -> None:
    """Connects the knobs, the film's slider, and the controls of the loss step."""
    for path, widget in page.knobs.items():
        if path != WEIGHTS:  # weights change other settings too
            widget.change(None, widget, None, js=on_change(path))
    curve, p_t = page.controls.loss
    page.settings.change(None, page.settings, None, js="(text) => live.receiveSettings(text)")
    page.film.change(
        None, page.film, page.state["frame"], js="(value) => { live.choose('frame', value); return value; }"
    )
    curve.change(None, curve, None, js="(value) => live.choose('curve', value)")
    p_t.change(None, p_t, None, js="(value) => live.choose('p_t', value)")


def connect_strip(page: PageComponents) -> None:
    """Connects the choice of a step, a level and a kind of map."""
    changes = ("step", "map", "level", "story")

    def select(state: PageState, *, event: gr.EventData) -> Updates:
        chosen = (getattr(event, name, None) for name in changes)
        state = select_in_strip(state, *chosen)
        if getattr(event, "keep_notice", None) is not True:
            return show(page, state, *changes)
        # After a late answer: this one is to be shown in any case.
        updates = {**show(page, state._replace(began=None)), **state_updates(page, state, *changes)}
        return keep_notice(page, updates)

    announce_answers(listen(page, page.parts["strip"].select, select, changes=changes, **LIVE_IN_ORDER))


def select_in_strip(state: PageState, step: object, map_: object, level: object, story: object = None) -> PageState:
    """Returns the state after a choice in the strip; values that the page does not have are ignored.

    Choosing a step leaves the story, unless `story` is True.
    """
    known = isinstance(step, str) and step in STEPS
    return state._replace(
        step=str(step) if known else state.step,
        story=story is True if known else state.story,
        map=map_ if isinstance(map_, str) and map_ in MAPS else state.map,
        level=level if type(level) is int and 0 <= level < len(LEVELS) else state.level,
    )


def connect_anchors(page: PageComponents) -> None:
    """Connects the search for anchors that fit."""
    controls = page.controls.anchors

    def fit(state: PageState, objects: str) -> Updates:
        config, improvement = fit_anchors(objects, state.pipeline(), state.image_ref())
        state = state.setting(config, ("anchors.scales", "anchors.ratios"))
        return show_and_say(page, state, improvement, "settings")

    options: EventOptions = {
        "show_progress": "minimal",
        "show_progress_on": [page.parts["canvas"]],
        "concurrency_limit": 1,
    }
    listen(page, controls.fit.click, fit, inputs=[controls.fit_to], changes=["settings"], **options)


def connect_resets(page: PageComponents) -> None:
    """Connects the buttons that reset everything, or the knobs of one step."""
    changes = ("user_picture", "pick", "evaluation_query", "settings")

    def reset(state: PageState) -> Updates:
        initial = PageState(state.step, settings=settings_of(Config()))
        kept = set_aside(state.user_picture)
        state = state._replace(**{name: getattr(initial, name) for name in changes})
        state = state._replace(user_picture=kept, began=None)  # everything, whatever has been set meanwhile
        return show(page, state, *changes)

    listen(page, page.header.reset.click, reset, changes=changes, **LIVE)
    for key in STEPS:
        _connect_reset_of_step(page, key)


def _connect_reset_of_step(page: PageComponents, key: str) -> None:
    defaults = {path: knob.default for path, knob in knobs().items() if STEPS[key].has_knob(knob)}

    def reset(state: PageState) -> Updates:
        return show(page, state.setting(state.config().replace(defaults), defaults), "settings")

    listen(page, page.controls.resets[key].click, reset, changes=["settings"], **LIVE)
