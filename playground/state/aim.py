"""What an event was aimed at: the picture that the visitor saw, which need not be the one on show when it is handled.

Events wait for one another, and their answers take time, in which the visitor goes on with the picture before them.
"""

from collections.abc import Callable

from playground.albums.album import ALL
from playground.albums.service import ALBUMS
from playground.data.albums import index_of
from playground.data.image_ref import ImageRef
from playground.data.sources import open_picture
from playground.state.page_state import PageState, admit
from playground.state.user_picture import UserPicture

MISSED = (
    "That was meant for a picture that is no longer on show, so it has changed nothing: go back to that picture, and "
    "do it again."
)
Outcome = tuple[PageState, str]  # the state after an event, and a message to the visitor, "" for none


def aim_of(event: object) -> object:
    """Returns the `pixels_key` of the picture that the visitor saw at an event of Gradio; untrusted."""
    return getattr(event, "pixels_key", None)


def is_on_show(state: PageState, pixels_key: object) -> bool:
    """True if the picture that an event was aimed at is on show.

    Args:
        state: The state before the event is handled.
        pixels_key: What `aim_of` has returned.
    """
    return state.pipeline().picture.pixels_key == pixels_key


def change_picture(state: PageState, pixels_key: object, change: Callable[[PageState], Outcome]) -> Outcome:
    """Changes the picture that an event was aimed at.

    A picture of the visitor's album is changed wherever they are by now; the one on show stays.

    Args:
        state: The state before the event is handled.
        pixels_key: As in `is_on_show`.
        change: Changes the picture on show in the state that it gets.

    Raises:
        UserError: The change is not possible.
    """
    if is_on_show(state, pixels_key):
        return change(state)
    aimed = _find_own(state, pixels_key)
    if aimed is None:
        return state, MISSED
    _, said = change(aimed)
    return admit(state)[0], said


def _find_own(state: PageState, pixels_key: object) -> PageState | None:
    """Returns the state with a picture of the visitor's album on show, None if there is no such picture."""
    album = ALBUMS.of(state.visitor)
    index = index_of(album, pixels_key) if album else None
    if album is None or index is None:
        return None
    image_ref, scenes = ImageRef(album.key, ALL, index), state.config().scenes
    picture = open_picture(image_ref, scenes, state.visitor)
    return state._replace(user_picture=UserPicture(picture, scenes, image_ref))
