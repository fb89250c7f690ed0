"""Predicts which states take long to answer."""

from core.config import Config
from core.errors import UserError
from core.rescue.trials import MAX_PASSES
from playground.pipeline.effort import is_heavy
from playground.pipeline.networks import is_cached
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture
from playground.steps.dials import ROBUSTNESS
from playground.steps.robustness.measured import PASSES

EXPLAINING = 3.5  # passes of the network: one for the outputs; forth and back for what a prediction rests on
DETECTIONS = "detections"  # the step with the search for rescues
BUILTIN_NAME = "builtin"  # the small network's weights


def asks_for_much(state: PageState) -> bool:
    """True if the settings, or those that were kept as A, ask for much work; settings that are not allowed do not."""
    try:
        dials = state.focus().dials
        passes = EXPLAINING if state.pick and dials.why else 1
        if state.step == DETECTIONS:
            passes += (MAX_PASSES if dials.rescue else 0) + (PASSES if dials.graph == ROBUSTNESS else 0)
        if _is_heavy(state.config(), state.user_picture, passes, held=state.held):
            return True
        return bool(state.pinned) and _is_heavy(state.pinned_config(), state.pinned_picture, passes)
    except UserError:
        return False


def _is_heavy(config: Config, user_picture: UserPicture | None, passes: float, *, held: bool = False) -> bool:
    is_quick = config.model.weights == BUILTIN_NAME or held  # to build; while a knob is held, no network is built
    if not is_quick and not is_cached(config):
        return True
    if user_picture and user_picture.is_shown(config):
        return is_heavy(config, *user_picture.picture.sample.image.shape[1:], passes=passes)
    return is_heavy(config, config.scenes.image_size, config.scenes.image_size, passes=passes)
