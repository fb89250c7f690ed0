"""What links name that is private: it is left out, and the rest of the link is followed."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from core.config import MAX_TEXT, ConfigError
from playground.albums.album import AlbumError
from playground.albums.service import ALBUMS
from playground.data.image_ref import ImageRef, is_from_album
from playground.evaluations.query import SEPARATOR
from playground.runs.privacy import describe_fault, may_see_file
from playground.runs.service import RUNS
from playground.state.weight_names import from_key

RUN = "The run of the link was trained on private pictures."
WEIGHTS = "The weights of the link were trained on private pictures."
PINNED = "The settings that the link pins have weights that were trained on private pictures."
ASK = "Ask the owner of the pictures to share them."


class AllowedLink(NamedTuple):
    """A link without what is private, and a message about that, "" for nothing."""

    query: str
    message: str


def drop_private(query: str, visitor: str) -> AllowedLink:
    """Leaves out what a visitor may not see; everything else stays as it is, whether it is valid or not.

    Args:
        query: Query of the address; untrusted.
        visitor: Who opens the link.
    """
    values = parse_qsl(query, keep_blank_values=True) if len(query) <= MAX_TEXT else []
    refusals = {index: CHECKS[name](value, visitor) for index, (name, value) in enumerate(values) if name in CHECKS}
    messages = list(dict.fromkeys(filter(None, refusals.values())))
    if not messages:
        return AllowedLink(query, "")
    kept = [pair for index, pair in enumerate(values) if not refusals.get(index)]
    if PINNED in messages:
        kept = [(name, value) for name, value in kept if name not in ("pinned_data", "beside")]
    return AllowedLink(urlencode(kept, errors="replace"), f"{' '.join(messages)} {ASK}")


def _refuse_picture(text: str, visitor: str) -> str:
    try:
        image_ref = ImageRef.from_link(text)
        if is_from_album(image_ref):
            ALBUMS.get(image_ref.source, visitor)
    except AlbumError as error:
        return f"The picture of the link is not on show. {error}"
    except ConfigError:  # opening the link says so
        return ""
    return ""


def _refuse_run(name: str, visitor: str) -> str:
    if not RUNS.has(name) or RUNS.may_see(name, visitor) or describe_fault(RUNS.folder(name)):
        return ""
    return RUN


def _refuse_weights(name: str, visitor: str) -> str:
    return "" if may_see_file(from_key(name), visitor) else WEIGHTS


def _refuse_other_weights(names: str, visitor: str) -> str:
    return "" if all(may_see_file(from_key(each), visitor) for each in names.split(SEPARATOR)) else WEIGHTS


def _refuse_pinned(query: str, visitor: str) -> str:
    weights = [value for name, value in parse_qsl(query) if name == "model.weights"]
    return "" if all(may_see_file(from_key(each), visitor) for each in weights) else PINNED


CHECKS: dict[str, Callable[[str, str], str]] = {
    "data": _refuse_picture,
    "pinned_data": _refuse_picture,
    "run": _refuse_run,
    "model.weights": _refuse_weights,
    "weights": _refuse_other_weights,
    "pinned": _refuse_pinned,
}
