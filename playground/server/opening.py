"""Opens links: the state that they name, as far as their visitor may see it, and what is left out of it."""

import difflib
from typing import NamedTuple
from urllib.parse import parse_qsl

from core.config import knobs
from core.data.untrusted import DataError
from core.errors import MAX_QUOTED, PictureError, UserError, quote, shorten
from playground.data.image_ref import UPLOAD, is_from_album
from playground.lessons.position import parse_course
from playground.runs.privacy import describe_fault
from playground.runs.progress import ACTIVE
from playground.runs.service import RUNS
from playground.server.permalink import COURSE, DRAWN, HIDE, from_link
from playground.server.private_links import drop_private
from playground.state.page_state import PageState
from playground.state.taught import taught_album
from playground.state.user_picture import UserPicture, find_upload, set_aside, show_again
from playground.steps import STEPS
from playground.support.wording import name_knobs

# Ids of elements that a link can hide, beside steps and knobs.
HIDEABLE = ("lessons", "all-knobs", "share", "explore", "my-pictures", "pin", "curve", "example")
MAX_UNKNOWN = 5  # unknown names for which a similar one is looked up
NOT_SAVED = "The picture of the link was not saved: the generated scene is on show instead. Upload the picture again."
NOT_DRAWN = "The objects that were drawn on the picture of the link were not saved: those it had before are on show."


class Opened(NamedTuple):
    """The state that a link opens, and a message to the visitor, "" for none."""

    state: PageState
    message: str


def follow_link(
    query: str,
    user_picture: UserPicture | None = None,
    pinned_picture: UserPicture | None = None,
    *,
    visitor: str = "",
    run: str = "",
) -> Opened:
    """Returns the state of a link; one that cannot be opened gives the defaults and a message.

    Args:
        query: Query of the address; untrusted.
        user_picture: The visitor's picture before, which no link holds.
        pinned_picture: The visitor's pinned picture before.
        visitor: Who opens it.
        run: The run before, if it still waits or trains: links name one in the training step alone.
    """
    query, private = drop_private(query, visitor)
    state, message = _follow(query, visitor)
    shown = _keep_drawn(state.user_picture, user_picture)
    if shows_upload(query):
        shown = show_again(user_picture, state.config())
        message = message or ("" if shown else NOT_SAVED)
    if shows_drawn(query) and not (shown and shown.is_drawn and shown.is_shown(state.config())):
        message = message or NOT_DRAWN
    run, lost = _choose_run(state.run, visitor, run)
    message = shorten(" ".join(filter(None, (private, message, lost, unknown_names(query)))))
    state = state._replace(
        user_picture=shown, pinned_picture=_keep_pinned(state.pinned_picture, pinned_picture), run=run
    )
    return Opened(state, message)


def _follow(query: str, visitor: str) -> Opened:
    """Returns what a link names, as far as it can be opened, and why the rest is left out."""
    try:
        return Opened(from_link(query, visitor), "")
    except (DataError, PictureError) as error:  # a data set of another machine; the rest of the link is valid
        message = f"The picture of the link is not on show. {name_knobs(error)}"
    except UserError as error:
        return Opened(from_link("", visitor), f"The link was not followed. {name_knobs(error)}")
    try:
        return Opened(from_link(query, visitor, with_data=False), message)
    except UserError as error:
        return Opened(from_link("", visitor), f"The link was not followed. {name_knobs(error)}")


def _choose_run(name: str, visitor: str, before: str) -> tuple[str, str]:
    """Returns the run of a link, or else the one to follow among those that its visitor may see; and a message."""
    try:
        if RUNS.may_see(name, visitor):
            return name, ""
        lost = describe_fault(RUNS.folder(name)) if RUNS.has(name) else ""
        kept = before if RUNS.may_see(before, visitor) else _find_taught(visitor)
        return kept or RUNS.current(visitor), lost
    except UserError as error:  # the folder of the runs cannot be read
        return "", name_knobs(error)


def _find_taught(visitor: str) -> str:
    """Returns the newest run on the visitor's own pictures that waits or trains, "" for none."""
    active = (name for name, each in RUNS.statuses().items() if each.state in ACTIVE and RUNS.may_see(name, visitor))
    return next((name for name in active if taught_album(PageState("training", run=name, visitor=visitor))), "")


def _keep_drawn(linked: UserPicture | None, before: UserPicture | None) -> UserPicture | None:
    """Returns the picture of a link, or the visitor's own with its drawn objects, which links do not hold."""
    if linked is None:
        drawn_scene = before and before.image_ref is None and before.picture.is_scene
        return before if drawn_scene else set_aside(before)
    if is_from_album(linked.image_ref):  # saved with its drawn objects
        return linked._replace(upload=find_upload(before))
    same = before and (before.image_ref, before.scenes) == (linked.image_ref, linked.scenes)
    return before if same else linked._replace(upload=find_upload(before))


def _keep_pinned(linked: UserPicture | None, before: UserPicture | None) -> UserPicture | None:
    """Returns the pinned picture of a link, or the visitor's own, which links do not hold."""
    if linked is None:
        return None if before and before.image_ref else before
    return _keep_drawn(linked, before)


def shows_upload(query: str) -> bool:
    """True for a link to a picture that no album holds, which only its visitor's page still has."""
    return dict(parse_qsl(query)).get("data") == UPLOAD


def shows_drawn(query: str) -> bool:
    """True for a link to a picture in which its visitor has drawn objects."""
    return DRAWN in dict(parse_qsl(query))


def unknown_names(query: str) -> str:
    """Returns a message about names that a link can neither hide nor pick, "" if all are known."""
    try:
        parse_course(dict(parse_qsl(query)).get(COURSE, ""))
    except UserError as error:
        return f"The link picks a step that does not exist, so all steps are there. {error}"
    known = (*STEPS, *knobs(), *HIDEABLE)
    named = [name.strip() for name in dict(parse_qsl(query)).get(HIDE, "").split(",")]
    unknown = [name for name in dict.fromkeys(named) if name and name not in known]
    more = [f"{HIDE} has {len(unknown) - MAX_UNKNOWN:,} more unknown names."] if len(unknown) > MAX_UNKNOWN else []
    return " ".join([*(_unknown_name(name, known) for name in unknown[:MAX_UNKNOWN]), *more])


def _unknown_name(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name[:MAX_QUOTED], known, n=1)
    steps, others = ", ".join(STEPS), ", ".join(HIDEABLE)
    hint = (
        f"did you mean {near[0]}?" if near else f"it may name steps ({steps}), knobs such as loss.gamma, or {others}."
    )
    return f"{HIDE} = {quote(name)} hides nothing: {hint}"
