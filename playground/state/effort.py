"""Predicts which states take long to answer."""

from core.config import Config
from core.errors import UserError
from playground.pipeline.effort import is_heavy
from playground.pipeline.networks import is_cached
from playground.state.page_state import PageState
from playground.state.user_picture import UserPicture

BUILTIN_NAME = "builtin"  # the small network's weights


def asks_for_much(state: PageState) -> bool:
    """True if the settings, or those that were kept as A, ask for much work; settings that are not allowed do not."""
    try:
        if _is_heavy(state.config(), state.user_picture, held=state.held):
            return True
        return bool(state.pinned) and _is_heavy(state.pinned_config(), state.pinned_picture)
    except UserError:
        return False


def _is_heavy(config: Config, user_picture: UserPicture | None, *, held: bool = False) -> bool:
    is_quick = config.model.weights == BUILTIN_NAME or held  # to build; while a knob is held, no network is built
    if not is_quick and not is_cached(config):
        return True
    if user_picture and user_picture.is_shown(config):
        return is_heavy(config, *user_picture.picture.sample.image.shape[1:])
    return is_heavy(config, config.scenes.image_size, config.scenes.image_size)
