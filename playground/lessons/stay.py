"""A visitor's stay in the lessons: the state at each step, and the one to come back to."""

from core.config import Config
from core.errors import UserError
from playground.lessons.position import LessonPosition
from playground.state.page_state import PageState, admit
from playground.state.settings import settings_of
from playground.state.user_picture import UserPicture, set_aside
from playground.support.wording import name_knobs

BACK_AGAIN = "You left the lessons: your own settings, picture and step are back as they were before."
BACK_IN_PART = "You left the lessons: your own settings, picture and step are back, but not all of them."
STAY = "You left the lessons. The settings of the last step stay, since you came by a link: Reset undoes them."
GONE = "You left the lessons. The settings of the last step stay, since your own cannot be used any more: "


def state_at(position: LessonPosition) -> PageState:
    """Returns the state at the beginning of a lesson's step."""
    step = position.step
    settings = settings_of(step.initial_config())
    return PageState(step.show, settings=settings, lesson=position.link, curve=step.curve, dials=step.dials)


def answer_question(state: PageState, choice: object) -> PageState | None:
    """Returns the state after an answer is chosen, None if the choice is no answer; `choice` is untrusted.

    Raises:
        ConfigError: The settings of the answer contradict those that the reader has chosen meanwhile.
    """
    position = LessonPosition.from_link(state.lesson)
    if position is None or state.answer is not None:
        return None
    step = position.step
    if choice not in [str(index) for index in range(step.num_choices)]:
        return None
    config = state.config().replace({path: step.settings[path] for path in step.answer_changes})
    return state.setting(config, step.answer_changes)._replace(step=step.show, answer=int(str(choice)))


def is_own_picture_shown(state: PageState) -> bool:
    """True if a picture that the visitor has chosen or drawn in is on show."""
    try:
        return state.user_picture is not None and state.user_picture.is_shown(state.config())
    except UserError:  # the settings on show are not allowed
        return False


def keep_picture(before: PageState) -> UserPicture | None:
    """Returns the picture at the beginning of the next step of a lesson: one chosen within the lessons stays.

    A step that is about certain scenes shows those, and the step after it the picture again.
    """
    shown = before.user_picture
    stays = is_own_picture_shown(before) or _is_hidden_by_step(before)
    if shown is None or not before.lesson or not stays or shown.picture.is_scene:
        return set_aside(shown)
    return shown._replace(scenes=Config().scenes)  # those at which it is on show


def _is_hidden_by_step(state: PageState) -> bool:
    """True if scenes that a lesson's step is about are on show instead of the visitor's picture."""
    position, shown = LessonPosition.from_link(state.lesson), state.user_picture
    if position is None or shown is None or shown.aside:
        return False
    try:
        scenes = state.config().scenes
    except UserError:  # the settings on show are not allowed
        return False
    return shown.scenes == Config().scenes != scenes == position.step.initial_config().scenes


def come_back(state: PageState, own: PageState | None, missing: str = "") -> tuple[PageState, str]:
    """Returns the state after leaving the lessons, and a message.

    Args:
        state: The state of the last step.
        own: The state before the lessons; None if they were opened by a link.
        missing: What could not be found of it again, "" for nothing.
    """
    stay, message = state._replace(lesson="", answer=None), STAY
    if own is None:
        return stay, message
    back, hidden = admit(own._replace(run=state.run, visitor=state.visitor, began=None))
    try:
        back.config()
    except UserError as error:  # such as weights that are private meanwhile
        return stay, f"{GONE}{name_knobs(error)}"
    lost = f"{missing} {hidden}".strip()
    return back, f"{BACK_IN_PART} {lost}" if lost else BACK_AGAIN
