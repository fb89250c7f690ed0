"""Bounds of the outlines in COCO's format: polygons, and masks as the lengths of runs of equal pixels."""

from typing import NamedTuple

import msgspec
import numpy as np

from core.data.formats.json_files import decode_json
from core.data.formats.outlines import Box

MAX_SIDE = 2**20  # of a mask, in pixels
MAX_CHARACTERS = 8  # of a length in a compressed mask


class Bounds(NamedTuple):
    """The box around an outline as xyxy, and the kind of outline in the plural."""

    box: Box
    kind: str


class _Mask(msgspec.Struct):
    size: tuple[int, int]  # height, width
    counts: list[int] | str


def bound_outline(segmentation: msgspec.Raw) -> Bounds | None:
    """Returns the bounds of polygons or of a mask; None for anything else, and for a mask without pixels."""
    try:
        if bytes(segmentation).lstrip().startswith(b"{"):
            box, kind = _bound_mask(decode_json(segmentation, _Mask)), "Masks"
        else:
            box, kind = _bound_polygons(decode_json(segmentation, list[list[float]])), "Polygons"
    except ValueError:
        return None
    return Bounds(box, kind) if box else None


def _bound_polygons(polygons: list[list[float]]) -> Box | None:
    """Returns the bounds of lists of coordinates x, y, x, y, …"""
    if not polygons or any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
        return None
    xs = [x for polygon in polygons for x in polygon[::2]]
    ys = [y for polygon in polygons for y in polygon[1::2]]
    return min(xs), min(ys), max(xs), max(ys)


def _bound_mask(mask: _Mask) -> Box | None:
    """Returns the bounds of a mask: runs of background and object by turns, counted down the columns."""
    height, width = mask.size
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        return None
    runs = _unpack(mask.counts) if isinstance(mask.counts, str) else _as_array(mask.counts)
    if runs is None or (runs < 0).any() or runs.sum() != height * width:
        return None
    ends = np.cumsum(runs)[1::2]
    firsts, lasts = (ends - runs[1::2])[runs[1::2] > 0], (ends - 1)[runs[1::2] > 0]
    if not len(firsts):
        return None
    left, right = int(firsts[0] // height), int(lasts[-1] // height)
    if (firsts // height != lasts // height).any():  # a run from the bottom of a column to the top of the next
        return left, 0, right + 1, height
    return left, int((firsts % height).min()), right + 1, int((lasts % height).max()) + 1


def _as_array(counts: list[int]) -> np.ndarray | None:
    return np.array(counts, np.int64) if counts and max(counts) <= MAX_SIDE**2 and min(counts) >= 0 else None


def _unpack(text: str) -> np.ndarray | None:
    """Returns the lengths in COCO's compressed form: five bits a character, and differences from the run before last.

    None if the text is not in this form.
    """
    codes = np.frombuffer(text.encode("ascii", errors="replace"), np.uint8).astype(np.int64) - 48
    if not len(codes) or codes.min() < 0 or codes.max() > 63 or codes[-1] & 32:
        return None
    firsts = np.flatnonzero(np.append(True, (codes[:-1] & 32) == 0))
    lengths = np.diff(np.append(firsts, len(codes)))
    if lengths.max() > MAX_CHARACTERS:
        return None
    places = np.arange(len(codes)) - np.repeat(firsts, lengths)
    values = np.add.reduceat((codes & 31) << (5 * places), firsts)
    values -= np.where(codes[firsts + lengths - 1] & 16, 1 << (5 * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
