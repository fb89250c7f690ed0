"""The record of an album: one JSON file."""

import hashlib
import json
import math
from functools import lru_cache
from typing import Any

from core.data.dataset import SPLITS
from core.io.paths import is_file_name
from core.io.text import is_text
from playground.albums.album import Album, AlbumPicture, Box, Removed
from playground.support.names import COLOUR
from playground.support.picture_limits import MAX_SIDE

_CACHED = 4096  # pictures whose text is kept: a stroke changes one of up to 300


def write_record(album: Album) -> str:
    """Returns an album as the text of its record."""
    values = album._asdict()
    pictures, removed = values.pop("pictures"), values.pop("removed")
    for name in ("used", "stamp", "lost"):
        del values[name]
    listed = ",\n".join(map(_to_text, pictures))
    taken = ",\n".join(f"[{_to_text(each.picture)}, {each.place}, {each.time}]" for each in removed)
    return f'{{"album": {json.dumps(values)},\n"pictures": [\n{listed}],\n"removed": [\n{taken}]}}\n'


def read_record(text: str) -> Album:
    """Reads the text of `write_record`; a picture that is damaged costs itself alone.

    Raises:
        ValueError: It is damaged.
    """
    try:
        values = json.loads(text)
        album = values["album"]
        names, colours = (tuple(map(str, album[name])) for name in ("class_names", "class_colours"))
        read = [_try_to_read(each, len(names)) for each in values["pictures"]]
        pictures = tuple(each for each in read if each)
        restorable = [(_try_to_read(one, len(names)), int(at), float(when)) for one, at, when in values["removed"]]
        removed = tuple(Removed(one, at, when) for one, at, when in restorable if one)
        if len(names) != len(colours) or not all(map(is_text, names)) or not all(map(COLOUR.fullmatch, colours)):
            raise ValueError("There is not a name and a colour for each class.")
        key, owner, shared = str(album["key"]), str(album["owner"]), album["shared"] is True
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"The record is damaged: {error}.") from None
    lost = len(read) - len(pictures)
    return Album(key, owner, shared, names, colours, pictures, 0.0, removed, stamp_of(text), lost)


def stamp_of(text: str) -> str:
    """Returns the stamp of an album with that record."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(_CACHED)
def _to_text(picture: AlbumPicture) -> str:
    return json.dumps(picture._asdict(), separators=(",", ":"))


def _try_to_read(values: dict[str, Any], num_classes: int) -> AlbumPicture | None:
    """Returns a picture of the record, None if it is damaged."""
    try:
        return _read_picture(values, num_classes)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return None


def _read_picture(values: dict[str, Any], num_classes: int) -> AlbumPicture:
    width, height = int(values["width"]), int(values["height"])
    boxes, rejected = (tuple(map(_read_box, values[name])) for name in ("boxes", "rejected"))
    labels = tuple(map(int, values["labels"]))
    file, title, split, made = (str(values[name]) for name in ("file", "title", "split", "made"))
    flags = values["labelled"] is True, values["scaled"] is True
    named = is_file_name(file) and is_text(title)
    if not named or len(labels) != len(boxes) or not all(0 <= label < num_classes for label in labels):
        raise ValueError("A picture of the record is damaged.")
    if not {split, made} <= {"", *SPLITS} or not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError("A picture of the record has another split or size.")
    return AlbumPicture(file, title, width, height, boxes, labels, flags[0], rejected, split, made, flags[1])


def _read_box(values: list[float]) -> Box:
    left, top, right, bottom = map(float, values)
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise ValueError("A box of the record is damaged.")
    return left, top, right, bottom
