"""The effect of another value of a hyperparameter in a picture: faults undone, objects gained and lost."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.evaluation.error_types import CLASS, FOREGROUND_IOU, LOCATION, MISSED
from core.rescue.faults import Fault, Standing
from core.retinanet.boxes import iou_matrix


class Change(NamedTuple):
    """The difference between two standings of a picture.

    Attributes:
        found: Number of objects that are found only afterwards.
        lost: Number of objects that were found only before.
        gone: Number of false positives that are gone.
        new: Number of new false positives.
    """

    found: int = 0
    lost: int = 0
    gone: int = 0
    new: int = 0

    @property
    def is_good(self) -> bool:
        """True if no fewer objects are found, and there are no more false positives."""
        return self.found >= self.lost and self.gone >= self.new

    @property
    def harm(self) -> tuple[int, int]:
        """The net number of objects lost, then the net number of new false positives: lower is better."""
        return self.lost - self.found, self.new - self.gone


def find_undone(faults: Sequence[Fault], before: Standing, after: Standing) -> list[bool]:
    """Returns a flag for each fault: True if it is gone.

    A missed object must be found. A false positive must be gone: no false positive of its class overlaps its box with
    an IoU of at least 0.5. If it has a wrong class or a poor box, and nothing else had found its object, that must be
    found as well: hiding the box would only make a missed object of it.
    """
    stays = _find_overlapped(faults, after.wrong)
    return [_is_undone(each, before, after, stays=there) for each, there in zip(faults, stays, strict=True)]


def _is_undone(fault: Fault, before: Standing, after: Standing, *, stays: bool) -> bool:
    if fault.kind == MISSED:
        return fault.object in after.found
    hidden = fault.kind in (CLASS, LOCATION) and fault.object not in before.found and fault.object not in after.found
    return not stays and not hidden


def _find_overlapped(faults: Sequence[Fault], others: Sequence[Fault]) -> list[bool]:
    """Returns a flag for each fault: True if another of its class overlaps it."""
    if not faults or not others:
        return [False] * len(faults)
    found: list[bool] = (_overlap(faults, others) >= FOREGROUND_IOU).any(dim=1).tolist()
    return found


def compare(before: Standing, after: Standing) -> Change:
    """Returns what changes; false positives of a class with an IoU of at least 0.5 are one, best first."""
    stays = _count_same(before.wrong, after.wrong)
    return Change(
        found=len(after.found - before.found),
        lost=len(before.found - after.found),
        gone=len(before.wrong) - stays,
        new=len(after.wrong) - stays,
    )


def _count_same(first: Sequence[Fault], second: Sequence[Fault]) -> int:
    """Returns how many of the first false positives have one among the second; each of these counts once."""
    if not first or not second:
        return 0
    free = np.ones(len(second), dtype=bool)
    count = 0
    for row in _overlap(first, second).numpy():
        best = int(np.where(free, row, -1.0).argmax())
        if free[best] and row[best] >= FOREGROUND_IOU:
            free[best] = False
            count += 1
    return count


def _overlap(first: Sequence[Fault], second: Sequence[Fault]) -> Tensor:
    """Returns the IoU of each of the first boxes with each of the second, −1 for another class: [N, M]."""
    overlap = iou_matrix(torch.stack([each.box for each in first]), torch.stack([each.box for each in second]))
    return torch.where(_labels(first)[:, None] == _labels(second)[None], overlap, -1.0)


def _labels(faults: Sequence[Fault]) -> Tensor:
    return torch.tensor([each.label for each in faults])
