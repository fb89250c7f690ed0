"""Evaluating in the background, and the links in the numbers of a step: pictures, cells, figures, a threshold."""

import gradio as gr

from core.config import ConfigError
from core.experiments.atlas import build_config, parse_key, to_settings
from playground.data.image_ref import ImageRef
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.keys import SCORE, evaluated_split, evaluation_key
from playground.evaluations.query import LABEL, WORST, update_query
from playground.events.common import IN_ORDER, LIVE, EventOptions, Updates, listen, show
from playground.events.picture import show_image
from playground.layout.components import PageComponents
from playground.server.poll import PollResult, poll
from playground.state.page_state import PageState
from playground.state.settings import settings_of
from playground.steps.evaluation.step import selected_pictures
from playground.support.untrusted import is_index

STEP, DRAWING = "evaluation", "picture"
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
    """Returns the stamp of the evaluation of a state, and whether any evaluation is active.

    Raises:
        UserError: The settings are not allowed.
    """
    key = evaluation_key(state.config(), state.image_ref(), state.visitor)
    status = EVALUATIONS.read_status(key)
    stamp = f"{hash(key)} {status.state} {status.done}" if status else ""
    return PollResult(stamp, EVALUATIONS.has_active())


def _connect_links(page: PageComponents) -> None:
    changes = ("user_picture", "pick", "evaluation_query", "settings", "step")

    def follow(state: PageState, *, event: gr.EventData) -> Updates:
        return show(page, follow_link(state, str(getattr(event, "choose", ""))), *changes)

    options: EventOptions = {**IN_ORDER, "concurrency_id": "links"}  # clicks in both parts are followed in order
    for name in ("readout", "more"):
        listen(page, page.parts[name].select, follow, changes=changes, **options)


def follow_link(state: PageState, link: str) -> PageState:
    """Returns the state after a click on a link in the numbers of a step.

    Args:
        state: The state before.
        link: "go mine/val/3" for an image, "open 3" for one of the worst images, "label 3" for one with suspected
            labels and "correct 3" to draw on it, "use 0.4" for a score threshold, "set inference.image_size 512" for
            any hyperparameter, "place" and a key of the stability atlas for the values of its axes, "repeat" and a key
            for all settings of its first run, or a field of the evaluation query and its value, see `update_query`;
            untrusted.

    Raises:
        UserError: The link is not one of these, or leads nowhere.
    """
    word, _, value = link.partition(" ")
    match word:
        case "go":
            return show_image(state, ImageRef.from_link(value))
        case "use":
            return state._replace(settings=settings_of(state.config().replace({SCORE: value})))
        case "set":
            path, _, text = value.partition(" ")
            return state._replace(settings=settings_of(state.config().replace({path: text})))
        case "place":
            return state._replace(settings=settings_of(state.config().replace(to_settings(parse_key(value)))))
        case "repeat":
            return state._replace(settings=settings_of(build_config(parse_key(value), FIRST_SEED)))
        case "open":
            return _open(state, value, WORST)
        case "label":
            return _open(state, value, _label_choice(state))
        case "correct":
            return _open(state, value, _label_choice(state))._replace(step=DRAWING)
    return _change_query(state, word, value)


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
