"""Evaluating in the background, and the links in the numbers of a step: pictures, cells, figures, a threshold."""

from typing import Any

import gradio as gr

from core.config import Config, ConfigError, knobs
from core.experiments.atlas import build_config, parse_key, to_settings
from playground.data.image_ref import ImageRef
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.keys import SCORE, curve_key, evaluated_split, evaluation_key, search_key
from playground.evaluations.query import ALONG, LABEL, SLICES, WORST, toggle_weights, update_query
from playground.events.common import IN_ORDER, LIVE, EventOptions, Updates, listen, show
from playground.events.picture import show_image
from playground.layout.components import PageComponents
from playground.server.poll import PollResult, poll
from playground.state.page_state import PageState
from playground.state.weight_names import to_key
from playground.steps.evaluation.against import Compared
from playground.steps.evaluation.along import choose_values, list_curves
from playground.steps.evaluation.slices import list_sliced
from playground.steps.evaluation.step import selected_pictures
from playground.support.untrusted import is_index

STEP, DRAWING = "evaluation", "picture"
COMPARING = (ALONG, SLICES)  # figures that show several weights
FIRST_SEED = 0  # of the runs of the stability atlas


def connect_evaluation(page: PageComponents) -> None:
    """Connects the buttons of the evaluation step, its polling, and the links in the numbers of every step."""
    poll(STEP, poll_evaluation)

    def start(state: PageState) -> Updates:
        EVALUATIONS.start(state.config(), state.image_ref(), state.visitor)
        return show(page, state)

    def stop(state: PageState) -> Updates:
        EVALUATIONS.stop(evaluation_key(state.config(), state.image_ref(), state.visitor), state.visitor)
        return show(page, state)

    controls = page.controls.evaluation
    listen(page, controls.evaluate.click, start, **LIVE)
    listen(page, controls.stop.click, stop, **LIVE)
    _connect_links(page)


def poll_evaluation(state: PageState) -> PollResult:
    """Returns the stamp of the evaluations and the search of a state, and whether any job is active.

    Raises:
        UserError: The settings are not allowed.
    """
    of = state.config(), state.image_ref(), state.visitor
    found = [(key, EVALUATIONS.read_status(key)) for key in (evaluation_key(*of), search_key(*of))]
    stamp = " ".join(f"{hash(key)} {status.state} {status.done}" for key, status in found if status)
    if state.evaluation_query.figure in COMPARING:
        statuses = [each.status for each in _list_compared(state) if each.status]
        stamp += "".join(f" {each.state} {each.done}" for each in statuses)
    return PollResult(stamp, EVALUATIONS.has_active())


def _list_compared(state: PageState) -> tuple[Compared, ...]:
    """Returns the weights in the figure of a state, which compares some."""
    find = list_curves if state.evaluation_query.figure == ALONG else list_sliced
    return find(state.pipeline(), state.focus())


def _find_config(state: PageState, key: str) -> Config:
    """Returns the settings with weights of the figure, by their key, "" for the present ones.

    Raises:
        UserError: The figure does not show them, or they cannot be used.
    """
    if state.evaluation_query.figure in COMPARING:
        for each in _list_compared(state):
            if each.key == key and each.config:
                return each.config
    raise ConfigError("The figure shows no such weights, or they cannot be used: choose others beside it.")


def _measure(state: PageState, key: str) -> PageState:
    """Starts to measure what the figure lacks of some weights."""
    config, dials = _find_config(state, key), state.focus().dials
    if state.evaluation_query.figure == ALONG:
        EVALUATIONS.start_curve(config, dials.along, choose_values(state.config(), dials), state.visitor)
    else:
        EVALUATIONS.start(config, state.image_ref(), state.visitor)
    return state


def _stop_measuring(state: PageState, key: str) -> PageState:
    """Stops what `_measure` has started."""
    config, dials = _find_config(state, key), state.focus().dials
    if state.evaluation_query.figure == ALONG:
        found = curve_key(config, dials.along, choose_values(state.config(), dials))
    else:
        found = evaluation_key(config, state.image_ref(), state.visitor)
    EVALUATIONS.stop(found, state.visitor)
    return state


def _connect_links(page: PageComponents) -> None:
    changes = ("user_picture", "pick", "evaluation_query", "settings", "step")

    def follow(state: PageState, *, event: gr.EventData) -> Updates:
        return show(page, follow_link(state, str(getattr(event, "choose", ""))), *changes)

    options: EventOptions = {**IN_ORDER, "concurrency_id": "links"}  # clicks in both parts are followed in order
    for name in ("readout", "more"):
        listen(page, page.parts[name].select, follow, changes=changes, **options)


def _set(state: PageState, values: dict[str, Any]) -> PageState:
    return state.setting(state.config().replace(values), values)


def follow_link(state: PageState, link: str) -> PageState:
    """Returns the state after a click on a link in the numbers of a step.

    Args:
        state: The state before.
        link: "go mine/val/3" for an image, "open 3" for one of the worst images, "label 3" for one with suspected
            labels and "correct 3" to draw on it, "use 0.4" for a score threshold, "set inference.image_size 512" for
            any hyperparameter, "place" and a key of the stability atlas for the values of its axes, "repeat" and a key
            for all settings of its first run, "against run/x" to add weights to the figure or take them out, without a
            key the present ones, "measure run/x" and "unmeasure run/x" to start and stop their evaluation,
            "search start" and "search stop" for the rescues over the pictures of an evaluation, or a field of the
            evaluation query and its value, see `update_query`; untrusted.

    Raises:
        UserError: The link is not one of these, or leads nowhere.
    """
    word, _, value = link.partition(" ")
    match word:
        case "go":
            return show_image(state, ImageRef.from_link(value))
        case "use":
            return _set(state, {SCORE: value})
        case "set":
            path, _, text = value.partition(" ")
            return _set(state, {path: text})
        case "place":
            return _set(state, to_settings(parse_key(value)))
        case "repeat":
            return state.setting(build_config(parse_key(value), FIRST_SEED), knobs())
        case "against":
            key = value or to_key(state.config().model.weights)
            return state._replace(evaluation_query=toggle_weights(state.evaluation_query, key))
        case "measure":
            return _measure(state, value)
        case "unmeasure":
            return _stop_measuring(state, value)
        case "search":
            return _search(state, value)
        case "open":
            return _open(state, value, WORST)
        case "label":
            return _open(state, value, _label_choice(state))
        case "correct":
            return _open(state, value, _label_choice(state))._replace(step=DRAWING)
    return _change_query(state, word, value)


def _search(state: PageState, word: str) -> PageState:
    """Starts the search for rescues over the pictures of an evaluation, or stops it."""
    if word == "start":
        EVALUATIONS.start_search(state.config(), state.image_ref(), state.visitor)
    elif word == "stop":
        EVALUATIONS.stop(search_key(state.config(), state.image_ref(), state.visitor), state.visitor)
    else:
        raise ConfigError("A search can be started and stopped: choose one of these on the page.")
    return state


def _label_choice(state: PageState) -> str:
    """Returns the choice of the kind of suspected labels that is on show, that of all kinds if none is."""
    choice = state.evaluation_query.choice
    return choice if choice.split(" ")[0] == LABEL else LABEL


def _open(state: PageState, index: str, choice: str) -> PageState:
    if not is_index(index):
        raise ConfigError("There is no such picture: choose one from the list.")
    state = state._replace(evaluation_query=state.evaluation_query._replace(choice=choice))
    return show_image(state, evaluated_split(state.image_ref()).with_index(int(index)))


def _change_query(state: PageState, field: str, value: str) -> PageState:
    query = update_query(state.evaluation_query, field, value)
    if field != "choice":
        return state._replace(evaluation_query=query)
    if query.choice == state.evaluation_query.choice:  # a second click undoes the first
        return state._replace(evaluation_query=query._replace(choice=""))
    state = state._replace(evaluation_query=query)
    chosen = selected_pictures(state.pipeline(), query)
    if not chosen or not chosen.pictures:
        return state
    return show_image(state, evaluated_split(state.image_ref()).with_index(chosen.pictures[0]))
