"""The record of an album: one JSON file."""

import hashlib
import json
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from core.data.dataset import SPLITS
from core.io.paths import is_file_name
from core.io.text import is_text
from playground.albums.album import Album, AlbumPicture, Box, Removed, Unread
from playground.support.names import COLOUR
from playground.support.picture_limits import MAX_SIDE

Entry = TypeVar("Entry")
_CACHED = 4096  # pictures whose text is kept: a stroke changes one of up to 300


def write_record(album: Album) -> str:
    """Returns an album as the text of its record."""
    values = album._asdict()
    pictures, removed = values.pop("pictures"), values.pop("removed")
    for name in ("used", "stamp", "lost", "unread", "is_previous"):
        del values[name]
    listed = ",\n".join((*map(to_text, pictures), *album.unread.pictures))
    kept = (f"[{to_text(each.picture)}, {each.place}, {each.time}]" for each in removed)
    taken = ",\n".join((*kept, *album.unread.removed))
    return f'{{"album": {json.dumps(values)},\n"pictures": [\n{listed}],\n"removed": [\n{taken}]}}\n'


def read_record(text: str) -> Album:
    """Reads the text of `write_record`; a picture whose entry is damaged costs itself alone, see `Album.unread`.

    Raises:
        ValueError: It is damaged.
    """
    try:
        values = json.loads(text)
        album = values["album"]
        names, colours = (tuple(map(str, album[name])) for name in ("class_names", "class_colours"))
        pictures, damaged = _read_each(values["pictures"], lambda each: _read_picture(each, len(names)))
        removed, unrestorable = _read_each(values["removed"], lambda each: _read_removed(each, len(names)))
        if len(names) != len(colours) or not all(map(is_text, names)) or not all(map(COLOUR.fullmatch, colours)):
            raise ValueError("There is not a name and a colour for each class.")
        key, owner, shared = str(album["key"]), str(album["owner"]), album["shared"] is True
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"The record is damaged: {error}.") from None
    unread = Unread(damaged, unrestorable)
    return Album(key, owner, shared, names, colours, pictures, 0.0, removed, stamp_of(text), len(damaged), unread)


def stamp_of(text: str) -> str:
    """Returns the stamp of an album with that record."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(_CACHED)
def to_text(picture: AlbumPicture) -> str:
    """Returns a picture as the text of its entry."""
    return json.dumps(picture._asdict(), separators=(",", ":"))


def _read_each(entries: list[Any], read: Callable[[Any], Entry]) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Returns the entries that can be read, and the others as JSON."""
    found: list[Entry] = []
    damaged: list[str] = []
    for each in entries:
        try:
            found.append(read(each))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            damaged.append(json.dumps(each))
    return tuple(found), tuple(damaged)


def _read_removed(values: Any, num_classes: int) -> Removed:
    picture, place, time = values
    return Removed(_read_picture(picture, num_classes), int(place), float(time))


def _read_picture(values: Any, num_classes: int) -> AlbumPicture:
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
