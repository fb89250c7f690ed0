"""Copy-paste: objects of another picture are pasted (Ghiasi et al., "Simple Copy-Paste", 2021), simplified for boxes.

The paper pastes objects along their outlines. Data sets for RetinaNet have boxes alone, so whole boxes are pasted here,
with the background in them and whatever else they show, and scenes are treated alike. The paper also rescales both
pictures at random and softens the edges; neither is done here.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.structures import Sample
from core.training.augmentation.windows import (
    MIN_LEFT,
    Size,
    Window,
    cut_out,
    join,
    keep_objects,
    place,
    shift,
    slices_of,
)

MAX_PASTED = 10  # objects; crowded pictures would otherwise cover all of the other


class Pasted(NamedTuple):
    """A patch: the part of a picture, its boxes in pixels of the image it is pasted into, and where it covers that."""

    part: Sample
    window: Window


def paste_objects(sample: Sample, source: Sample, rng: torch.Generator) -> Sample:
    """Pastes the boxes of some objects of another sample, each at a random position.

    The number of objects is uniform between one and all, at most `MAX_PASTED`. They are scaled as if the shorter sides
    of both images were equal, as the network sees them; an object that then does not fit is left out, and crowd regions
    are never pasted. What a patch shows of other objects comes with it, see `cut_out`.

    The box of an object that is partly covered shrinks to what is visible; it is dropped if less than `MIN_LEFT` of the
    area of its box is visible.

    Args:
        sample: The sample to paste into; it is not modified.
        source: The sample from which objects are taken.
        rng: Source of randomness, on the CPU.
    """
    patches = list(_place(sample, source, rng))
    image = sample.image.clone()
    for part, window in patches:
        image[:, *slices_of(window)] = part.image
    covered = torch.zeros(image.shape[1:], dtype=torch.bool)
    visible = []
    for part, window in reversed(patches):  # the last one is on top
        visible.append(_keep_visible(part, covered))
        covered[slices_of(window)] = True
    return join(image, [_keep_visible(sample, covered), *reversed(visible)])


def _place(sample: Sample, source: Sample, rng: torch.Generator) -> Iterator[Pasted]:
    """Yields the patches, from bottom to top."""
    height, width = sample.image.shape[-2:]
    factor = min(height, width) / min(source.image.shape[-2:])
    for box in _choose_objects(source, rng):
        left, top = torch.rand(2, generator=rng).tolist()
        window = _enclose(box)
        size = Size(max(1, round(window.width * factor)), max(1, round(window.height * factor)))
        if size.width <= width and size.height <= height:
            at = place(size, Size(width, height), (left, top))
            yield Pasted(shift(cut_out(source, window, size), at.left, at.top), at)


def _choose_objects(source: Sample, rng: torch.Generator) -> list[list[float]]:
    """Returns the boxes of a random subset of the objects, in random order."""
    candidates = source.boxes[~source.crowd]
    share = torch.rand(1, generator=rng).item()
    order = torch.randperm(len(candidates), generator=rng)
    boxes: list[list[float]] = candidates[order[: 1 + int(share * min(len(candidates), MAX_PASTED))]].tolist()
    return boxes


def _enclose(box: Sequence[float]) -> Window:
    """Returns the pixels that a box touches."""
    left, top = math.floor(box[0]), math.floor(box[1])
    return Window(left, top, math.ceil(box[2]) - left, math.ceil(box[3]) - top)


def _keep_visible(sample: Sample, covered: Tensor) -> Sample:
    """Shrinks boxes to their visible part, and drops objects with a visible share below `MIN_LEFT`.

    Args:
        sample: Objects in the pixels of the image.
        covered: The pixels that are covered, bool [H, W].
    """
    boxes, keep = sample.boxes.clone(), torch.ones_like(sample.crowd)
    for index, box in enumerate(sample.boxes):
        rows, columns = slices_of(_enclose(box.tolist()))
        free = ~covered[rows, columns]
        if not free.all():
            boxes[index], share = _measure_visible(box, free)
            keep[index] = share >= MIN_LEFT
    return keep_objects(sample._replace(boxes=boxes), keep)


def _measure_visible(box: Tensor, free: Tensor) -> tuple[Tensor, float]:
    """Returns the smallest box around the visible part of a box, and the visible share of its area.

    Args:
        box: xyxy.
        free: Which of the pixels that it touches are visible, bool [h, w].
    """
    window = _enclose(box.tolist())
    x = (window.left + torch.arange(window.width + 1)).clamp(box[0], box[2])  # the edges of its columns, inside the box
    y = (window.top + torch.arange(window.height + 1)).clamp(box[1], box[3])
    area = (y.diff()[:, None] * x.diff() * free).sum() / (y.diff()[:, None] * x.diff()).sum()
    rows, columns = free.any(dim=1).nonzero().flatten(), free.any(dim=0).nonzero().flatten()
    if not len(rows):
        return box, 0.0
    return torch.stack([x[columns[0]], y[rows[0]], x[columns[-1] + 1], y[rows[-1] + 1]]), area.item()
