"""Why a data set cannot be used at all: too little is left, classes are unknown, or numbers cannot be what they should.

What is wrong in single pictures and boxes is left out and counted instead, see `core.data.left_out`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from core.data.annotations import BAD_FILE, BAD_OBJECT, BAD_PATH, ORPHAN_LABELS, UNKNOWN_CLASS, UNKNOWN_PICTURE
from core.data.formats.box_kinds import CERTAIN_SHARE, MAX_SAMPLE, MAX_SIDE_OVERHANG, SUSPECT_SHARE
from core.data.images import read_image_size
from core.data.left_out import EMPTY_BOX, GONE, MISSING, OTHER_SIZE, OUTSIDE_BOX, UNREADABLE, LeftOut, describe_count
from core.data.raw import JudgedBoxes, RawData, RawImage, judge_boxes
from core.data.untrusted import quote
from core.errors import PictureError
from core.io.text import count_noun

LOST_PICTURES = (BAD_FILE, BAD_PATH, ORPHAN_LABELS, MISSING, UNREADABLE, OTHER_SIZE)
LOST_BOXES = (BAD_OBJECT, UNKNOWN_PICTURE, EMPTY_BOX, OUTSIDE_BOX)
LARGEST_FRACTION = 1.0  # pixel boxes without a larger coordinate are fractions of the picture's sides
MAX_LEAVING = 0.5  # share of boxes that leave their pictures
MIN_BOXES = 5  # of pictures without annotated sizes; fewer say little


def find_unknown_classes(left_out: LeftOut) -> tuple[str, ...]:
    """Returns why a data set with objects of unknown classes cannot be used; () if it has none."""
    count = left_out.counts.get(UNKNOWN_CLASS, 0)
    if not count:
        return ()
    return (f"it has {describe_count(UNKNOWN_CLASS, count)}: {left_out.examples[UNKNOWN_CLASS][0]}",)


def find_shared_pictures(owners: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Returns why a data set with a picture in several places cannot be used; () if it has none.

    Args:
        owners: Paths of pictures, each with the annotation file or the split that has it.
    """
    first: dict[str, str] = {}
    shared = {name: (first[name], owner) for name, owner in owners if first.setdefault(name, owner) != owner}
    if not shared:
        return ()
    name, (one, other) = next(iter(shared.items()))
    verb = "is" if len(shared) == 1 else "are"
    return (
        f"{count_noun(len(shared), 'picture')} {verb} in more than one split, such as {quote(name)}, which is in {one} "
        f"and {other}: keep each picture in one of them.",
    )


def find_refusals(
    images: Sequence[RawImage], judged: JudgedBoxes, splits: Mapping[str, RawData], left_out: LeftOut
) -> tuple[str, ...]:
    """Returns why a data set cannot be used, one message for each reason but unknown classes.

    Args:
        images: All pictures that can be used, of all splits.
        judged: Their boxes.
        splits: The splits; {} if they do not matter.
        left_out: What cannot be used.
    """
    listed = sum(len(raw.images) for raw in splits.values())
    reasons = [*_find_lost(len(images), listed, judged, left_out), *_find_wrong_units(images, judged)]
    if not reasons and UNKNOWN_CLASS not in left_out.counts and all(image.crowd.all() for image in images):
        crowds = sum(len(image.labels) for image in images)
        reasons = [
            f"every object ({crowds:,}) is a crowd region or difficult, which does not train: correct these flags."
            if crowds
            else "no picture has an object: check that the annotations belong to these pictures."
        ]
    return tuple(reasons)


def _find_lost(images: int, listed: int, judged: JudgedBoxes, left_out: LeftOut) -> Iterator[str]:
    """Yields that less than half of the pictures or boxes can be used."""
    boxes = int(judged.valid.sum())
    parts = ((images, LOST_PICTURES, "pictures"), (listed, (GONE,), "listed pictures"), (boxes, LOST_BOXES, "boxes"))
    for kept, kinds, what in parts:
        lost = sum(left_out.counts.get(kind, 0) for kind in kinds)
        if kept < lost:
            yield f"only {kept:,} of {kept + lost:,} {what} are left, less than half. {left_out.describe(kinds)}"


def _find_wrong_units(images: Sequence[RawImage], judged: JudgedBoxes) -> Iterator[str]:
    """Yields why the boxes cannot be in the unit, or of the kind, as which they were read."""
    fractions = _find_fractions(images, judged)
    if fractions:
        yield fractions
        return
    measured = _measure_sample(images)
    if measured is images:
        yield from _find_wrong_kind(images, judged)
    elif sum(len(image.labels) for image in measured) >= MIN_BOXES:
        yield from _find_wrong_kind(measured, judge_boxes(measured))


def _find_fractions(images: Sequence[RawImage], judged: JudgedBoxes) -> str:
    """Returns why boxes in pixels seem to be fractions; "" if they do not."""
    counts = [len(image.labels) for image in images]
    pixels = ~judged.empty & ~np.repeat([image.relative for image in images], counts).astype(bool)
    boxes = np.concatenate([image.boxes for image in images] or [np.zeros((0, 4))])[pixels]
    if not len(boxes) or (boxes.max(axis=1) <= LARGEST_FRACTION).mean() < 0.5:
        return ""
    return (
        f"it has boxes like {_format(boxes[0])}, which are fractions of the picture's sides where pixels are expected: "
        "multiply them by the width and height."
    )


def _measure_sample(images: Sequence[RawImage]) -> Sequence[RawImage]:
    """Returns the pictures whose boxes have limits: all but those in pixels without a size, of which some are read."""
    unmeasured = {number for number, image in enumerate(images) if not (image.size or image.relative)}
    if not unmeasured:
        return images
    sample = [number for number in sorted(unmeasured) if len(images[number].labels)]
    sample = sample[:: max(1, -(-len(sample) // MAX_SAMPLE))]
    measured = {number: size for number in sample if (size := _read_size(images[number]))}
    return [
        image._replace(size=measured.get(number, image.size))
        for number, image in enumerate(images)
        if number in measured or number not in unmeasured
    ]


def _read_size(image: RawImage) -> tuple[int, int] | None:
    try:
        return read_image_size(image.path)
    except PictureError:  # counted when it is needed
        return None


def _find_wrong_kind(images: Sequence[RawImage], judged: JudgedBoxes) -> Iterator[str]:
    """Yields why the four numbers of boxes cannot be what they were read as."""
    counts = np.array([len(image.labels) for image in images], dtype=np.int64)
    boxes = np.concatenate([image.boxes for image in images] or [np.zeros((0, 4))])
    if not len(boxes):
        return
    relative = np.repeat([image.relative for image in images], counts)
    sides = np.repeat([max(image.size) if image.size else 1 for image in images], counts)  # 1: fractions
    tolerance = np.maximum(MAX_SIDE_OVERHANG * sides, sides > 1)
    solid = ~judged.empty
    leaves = solid & (judged.overhang > tolerance)
    backwards = np.asarray((boxes[:, 2:] < boxes[:, :2]).any(axis=1))

    def fit_as(others: np.ndarray, which: np.ndarray) -> bool:
        """True if nearly all of some boxes fit their pictures with other numbers."""
        read = judge_boxes(_replace_boxes(images, counts, others))
        return bool((~read.empty & (read.overhang <= tolerance))[which].mean() >= CERTAIN_SHARE)

    suspect = ""
    if solid.any() and leaves[solid].mean() >= SUSPECT_SHARE and fit_as(_read_as_corners(boxes, relative), solid):
        suspect = "; they seem to be the corners xmin, ymin, xmax, ymax where a width and height are expected"
    if solid.any() and (leaves[solid].mean() > MAX_LEAVING or suspect):
        yield (
            f"{count_noun(int(leaves.sum()), 'box', 'boxes')} of {int(solid.sum()):,} leave their pictures, the first "
            f"in {_locate(images, counts, boxes, leaves)}{suspect}: correct the annotations."
        )
    if backwards.mean() >= SUSPECT_SHARE and fit_as(_read_as_sides(boxes), np.isfinite(boxes).all(axis=1)):
        yield (
            f"{count_noun(int(backwards.sum()), 'box', 'boxes')} of {len(boxes):,} end before they begin, the first in "
            f"{_locate(images, counts, boxes, backwards)}; they seem to be x, y, width and height where the corners "
            "xmin, ymin, xmax, ymax are expected: correct the annotations."
        )


def _locate(images: Sequence[RawImage], counts: np.ndarray, boxes: np.ndarray, which: np.ndarray) -> str:
    """Returns the picture and the corners of the first of some boxes."""
    number = int(np.flatnonzero(which)[0])
    owner = images[int(np.searchsorted(np.cumsum(counts), number, side="right"))]
    return f"{owner.path.name} from {_format(boxes[number])}"


def _read_as_corners(boxes: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """Returns the four numbers that boxes were made from: a corner or, of fractions, the centre; width and height."""
    with np.errstate(invalid="ignore"):  # infinite numbers
        corner, size = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
        return np.hstack([np.where(relative[:, None], corner + size / 2, corner), size])


def _read_as_sides(boxes: np.ndarray) -> np.ndarray:
    """Returns the boxes whose corner, width and height are the given corners."""
    return np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def _replace_boxes(images: Sequence[RawImage], counts: np.ndarray, boxes: np.ndarray) -> list[RawImage]:
    parts = np.split(boxes, np.cumsum(counts)[:-1])
    return [image._replace(boxes=part) for image, part in zip(images, parts, strict=True)]


def _format(box: np.ndarray) -> str:
    xmin, ymin, xmax, ymax = (f"{value:g}" for value in box.tolist())
    return f"({xmin}, {ymin}) to ({xmax}, {ymax})"
