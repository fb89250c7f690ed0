"""Changes of an album's pictures: their objects and splits, their removal and return."""

import math
from collections.abc import Sequence

from torch import Tensor

from core.data.dataset import SPLITS
from core.data.untrusted import quote
from playground.albums.album import Album, AlbumError, AlbumPicture, Box, Removed
from playground.albums.classes import add_classes
from playground.support.picture_limits import MAX_BOXES

MAX_REMOVED = 300  # pictures that can be restored; each change of an album writes them all
MIN_SIDE = 1e-3  # px, of a box

Boxes = Sequence[Sequence[float]] | Tensor


def set_objects(
    album: Album, index: int, boxes: Boxes, labels: Sequence[int] | Tensor, class_names: Sequence[str], rejected: Boxes
) -> Album:
    """Returns the album with other objects in a picture, see `Albums.set_objects`."""
    picture = album.picture(index)
    album, known = add_classes(album, class_names)
    placed, given = _place(boxes, picture), _read_labels(labels, len(known), count=len(boxes))
    objects = [(box, known[label]) for box, label in zip(placed, given, strict=True) if _has_area(box)]
    picture = picture._replace(
        boxes=tuple(box for box, _ in objects),
        labels=tuple(label for _, label in objects),
        labelled=bool(objects) or (picture.labelled and not picture.boxes),
        rejected=tuple(filter(_has_area, _place(rejected, picture))),
    )
    return album.with_picture(index, picture)


def mark_empty(album: Album, index: int) -> Album:
    """Returns the album with a picture marked as one without objects."""
    return album.with_picture(index, album.picture(index)._replace(boxes=(), labels=(), labelled=True))


def set_split(album: Album, index: int, split: str) -> Album:
    """Returns the album with a chosen split for a picture; raises `AlbumError` for an unknown one."""
    if split not in ("", *SPLITS):
        raise AlbumError(f"There is no split {quote(split)}: choose {', '.join(SPLITS)}, or none to have it made.")
    return album.with_picture(index, album.picture(index)._replace(split=split))


def remove_picture(album: Album, index: int, now: float) -> Album:
    """Returns the album without a picture, which it remembers with the time."""
    taken = Removed(album.picture(index), index, now)
    rest = (*album.pictures[:index], *album.pictures[index + 1 :])
    return album._replace(pictures=rest, removed=(*album.removed, taken)[-MAX_REMOVED:])


def last_removed(album: Album) -> Removed | None:
    """Returns the picture that was removed last, None if there is none that can still be restored."""
    return album.removed[-1] if album.removed else None


def require_removed(album: Album) -> Removed:
    """Returns the picture of `last_removed`; raises `AlbumError` if there is none."""
    last = last_removed(album)
    if last is None:
        raise AlbumError("There is no removed picture to restore any more: upload it again.")
    return last


def restore_picture(album: Album) -> Album:
    """Returns the album with the picture of `require_removed` in its former place."""
    last = require_removed(album)
    pictures = (*album.pictures[: last.place], last.picture, *album.pictures[last.place :])
    return album._replace(pictures=pictures, removed=album.removed[:-1])


def _place(boxes: Boxes, picture: AlbumPicture) -> list[Box]:
    """Returns boxes clipped to a picture.

    Raises:
        AlbumError: There are more than `MAX_BOXES`, or one is not four numbers.
    """
    if len(boxes) > MAX_BOXES:
        raise AlbumError(f"A picture can have at most {MAX_BOXES} boxes, not {len(boxes):,}: remove some.")
    placed = []
    for number, values in enumerate(boxes.tolist() if isinstance(boxes, Tensor) else boxes, 1):
        if len(values) != 4 or not all(math.isfinite(value) for value in values):
            raise AlbumError(f"Box {number} does not have four coordinates: draw it again.")
        limits = (picture.width, picture.height) * 2
        left, top, right, bottom = (
            round(min(max(float(value), 0.0), limit), 3) for value, limit in zip(values, limits, strict=True)
        )
        placed.append((left, top, right, bottom))
    return placed


def _has_area(box: Box) -> bool:
    return box[2] - box[0] >= MIN_SIDE and box[3] - box[1] >= MIN_SIDE


def _read_labels(labels: Sequence[int] | Tensor, num_classes: int, *, count: int) -> list[int]:
    """Returns the labels of boxes; raises `AlbumError` unless each box has one of the classes."""
    given = [int(label) for label in labels]
    if len(given) != count or not all(0 <= label < num_classes for label in given):
        raise AlbumError("A box has no class: choose one for each box.")
    return given
