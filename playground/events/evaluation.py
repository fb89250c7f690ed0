"""Evaluating in the background, and what is chosen in the numbers of a step: pictures, cells, figures, a threshold."""

from typing import Any

import gradio as gr

from core.config import ConfigError
from playground.data.image_ref import ImageRef
from playground.evaluations.jobs import EVALUATIONS, SCORE, evaluated_split, evaluation_key
from playground.evaluations.query import WORST, update_query
from playground.events.common import IN_ORDER, LIVE, refusing, shown_settings, updates
from playground.events.data import at_place
from playground.layout.layout import Parts
from playground.server.poll import PollResult, watch
from playground.server.render import show
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.evaluation.step import chosen_of

STEP = "evaluation"


def connect_evaluation(parts: Parts) -> None:
    """Wires the buttons of the evaluation step, the watch over it, and the links in the numbers."""
    watching = watch(STEP, news)

    def start(*inputs: Any) -> list:
        state = PageState(*inputs)
        EVALUATIONS.start(state.config(), state.image_ref())
        return ["", *updates(show(state))]  # nothing of it has been shown

    def stop(*inputs: Any) -> list:
        state = PageState(*inputs)
        EVALUATIONS.stop(evaluation_key(state.config(), state.image_ref()))
        return updates(show(state))

    def tick(*inputs: Any) -> list:
        state = PageState(*inputs)
        if state.step != STEP:  # it has just been left
            return [gr.skip()] * (1 + len(parts.shown))
        return [news(state).stamp, *updates(show(state))]

    buttons = parts.buttons
    buttons["evaluate"].click(refusing(1, start), parts.state, [watching, *parts.shown], **LIVE)
    buttons["stop_evaluation"].click(refusing(0, stop), parts.state, parts.shown, **LIVE)
    watching.tick(refusing(1, tick), parts.state, [watching, *parts.shown], **LIVE)
    _connect_links(parts)


def news(state: PageState) -> PollResult:
    """Returns what there is of the evaluation of what is asked; raises as `PageState.config` and `evaluation_key`."""
    key = evaluation_key(state.config(), state.image_ref())
    standing = EVALUATIONS.read_status(key)
    stamp = f"{hash(key)} {standing.state} {standing.done}" if standing else ""
    return PollResult(stamp, EVALUATIONS.has_active())


def _connect_links(parts: Parts) -> None:
    outputs = [parts.user_picture, parts.pick, parts.evaluation_query, *parts.all_settings, *parts.shown]

    def follow(event: gr.EventData, *inputs: Any) -> list:
        state = followed(PageState(*inputs), str(getattr(event, "choose", "")))
        settings = shown_settings(state.config())
        return [state.user_picture, state.pick, state.evaluation_query, *settings, *updates(show(state))]

    guarded = refusing(len(outputs) - len(parts.shown), follow)
    for part in (parts.readout, parts.more):
        part.select(guarded, parts.state, outputs, **IN_ORDER)


def followed(state: PageState, chosen: str) -> PageState:
    """Returns what is asked for after a link in the numbers was chosen, of which the browser may say anything.

    Args:
        state: Before.
        chosen: "go mine/val/3", "open 3" of the worst pictures, "use 0.4" as the score threshold, or a field of the
            inquiry and its value, see `update_query`.

    Raises:
        UserError: There is no such thing.
    """
    word, _, value = chosen.partition(" ")
    if word == "go":
        return at_place(state, ImageRef.from_link(value))
    if word == "use":
        config = state.config().replace({SCORE: value})
        return state._replace(settings=settings_of(config))
    if word == "open":
        if not (value.isascii() and value.isdecimal() and len(value) < 10):
            raise ConfigError("There is no such picture: choose one of the list.")
        state = state._replace(evaluation_query=state.evaluation_query._replace(choice=WORST))
        return at_place(state, evaluated_split(state.image_ref()).with_index(int(value)))
    evaluation_query = update_query(state.evaluation_query, word, value)
    if word == "choice" and evaluation_query.choice == state.evaluation_query.choice:
        return state._replace(evaluation_query=evaluation_query._replace(choice=""))
    state = state._replace(evaluation_query=evaluation_query)
    pictures = chosen_of(state.pipeline(), evaluation_query) if word == "choice" else None
    if pictures and pictures.pictures:
        return at_place(state, evaluated_split(state.image_ref()).with_index(pictures.pictures[0]))
    return state
