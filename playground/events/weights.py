"""The choice of weights, and the buttons of the banner above the picture."""

import gradio as gr

from core.config import Config, knobs
from core.errors import UserError
from core.weights.download import COCO
from playground.events.common import (
    UPLOADS_AT_ONCE,
    EventOptions,
    Updates,
    listen,
    part_updates,
    show,
    show_and_say,
    weights_update,
)
from playground.layout.components import PageComponents
from playground.layout.page_update import PageUpdate
from playground.pipeline.networks import MissingWeightsError, follow_weights
from playground.server.banner import ARRIVED, TITLES, TRAIN, offer
from playground.state.page_state import PageState, require_known_weights
from playground.state.weight_names import NAME as WEIGHTS, from_key
from playground.steps.weights import describe
from playground.support.wording import name_knobs

THRESHOLD = "inference.score_threshold"
# COCO's weights have 80 classes: at the usual threshold an ordinary photograph is under boxes.
COCO_THRESHOLD = 0.5


class Choices:
    """Counts the choices of weights in a window: some take long, and the newest one counts."""

    def __init__(self) -> None:
        self._count = 0

    def begin(self) -> int:
        """Returns the number of a choice that begins."""
        self._count += 1
        return self._count

    def is_newest(self, number: int) -> bool:
        """True if no other choice has begun since."""
        return number == self._count


def connect_weights(page: PageComponents) -> None:
    """Connects the choice of weights, which changes the settings that they need; refused weights are put back."""

    def follow(state: PageState, name: str, choices: Choices) -> Updates:
        number = choices.begin()
        updates = choose_weights(page, state, name)
        return updates if choices.is_newest(number) else {page.parts["notice"]: gr.skip()}

    def select(state: PageState, choices: Choices, *, event: gr.EventData) -> Updates:
        action, name, before = (getattr(event, key, None) for key in ("action", "name", "before"))
        if action == TRAIN:
            return show(page, state._replace(step="training"), "step", "settings")
        if action == ARRIVED and isinstance(name, str) and name in TITLES and has_gone_on(state, name, before):
            return show_and_say(page, state, describe_arrival(state, name))
        return follow(state, name if isinstance(name, str) and name else state.config().model.weights, choices)

    choices = gr.State(Choices())
    widget, upload = page.knobs[WEIGHTS], page.controls.network.upload
    options: EventOptions = {
        "show_progress": "minimal",
        "show_progress_on": [page.parts["canvas"]],
        "concurrency_id": "weights",
        "concurrency_limit": UPLOADS_AT_ONCE,
        "trigger_mode": "multiple",
    }
    for event, chosen in ((widget.input, widget), (upload.upload, upload)):
        listen(page, event, follow, inputs=[chosen, choices], changes=["settings"], **options)
    listen(page, page.parts["banner"].select, select, inputs=[choices], changes=["settings", "step"], **options)


def has_gone_on(state: PageState, name: str, before: object) -> bool:
    """True if weights that were downloaded are not to be used by themselves.

    Args:
        state: The state at the end of the download: a lesson has chosen its weights, unless they are these.
        name: The weights.
        before: The weights when it began, None if that is not known; untrusted.
    """
    weights = state.config().model.weights
    if weights == name:
        return False
    return bool(state.lesson) or (isinstance(before, str) and from_key(before) != weights)


def describe_arrival(state: PageState, name: str) -> str:
    """Returns where to choose weights that were downloaded while the visitor has gone on to something else."""
    after = "The lesson keeps its own: after it, choose" if state.lesson else "To use them, choose"
    return f"The {TITLES[name]} weights are here. {after} {name} under “{knobs()[WEIGHTS].label}” in the Network step."


def choose_weights(page: PageComponents, state: PageState, name: object) -> Updates:
    """Returns the page with weights and the settings that follow from them, and a notice of what is assumed of them.

    Weights that have to be downloaded first are offered in the banner, with their size.
    """
    before = state.config()
    chosen = before.replace({WEIGHTS: from_key(str(name))})
    try:
        require_known_weights(chosen, state.visitor)  # before a file is opened: the name is untrusted
        config = adapt_threshold(before, follow_weights(chosen))
    except MissingWeightsError:
        update = PageUpdate("", banner=offer(chosen.model.weights, chosen.model.depth))
        return {page.knobs[WEIGHTS]: weights_update(before), **part_updates(page, update)}
    except UserError as error:
        return {page.knobs[WEIGHTS]: weights_update(before), **part_updates(page, PageUpdate(name_knobs(error)))}
    paths = [path for path in knobs() if path.startswith(("model.", "anchors.", "inference."))]  # of any weights
    said = (*describe(config), *_describe_threshold(before, config))
    return show_and_say(page, state.setting(config, paths), " ".join(said), "settings")


def adapt_threshold(before: Config, config: Config) -> Config:
    """Returns the settings with the score threshold that suits their weights, unless the visitor has moved it."""
    usual, present = _usual_threshold(before), before.inference.score_threshold
    return config.replace({THRESHOLD: _usual_threshold(config)}) if present == usual else config


def _usual_threshold(config: Config) -> float:
    return COCO_THRESHOLD if config.model.weights in COCO else float(knobs()[THRESHOLD].default)


def _describe_threshold(before: Config, config: Config) -> list[str]:
    """Returns a sentence on the picture size and the threshold, if the weights have changed the latter."""
    threshold = config.inference.score_threshold
    if threshold == before.inference.score_threshold:
        return []
    size = config.inference.image_size
    return [
        f"Pictures are resized to {size} px, and detections with a score below {threshold:g} are hidden: the "
        "Detections step can change that."
    ]
