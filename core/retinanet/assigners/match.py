"""The result of an assignment: which anchors are foreground, and of which object, ignored or background."""

from typing import NamedTuple

from torch import Tensor

FOREGROUND, BACKGROUND, IGNORED = 1, 0, -1


class Closest(NamedTuple):
    """The candidates of M objects under ATSS, C of each.

    Attributes:
        anchor: int64 [M, C]: the closest anchors of each level.
        iou: float32 [M, C]: their IoU with the object.
        inside: bool [M, C]: centred inside the object.
        threshold: float32 [M]: the object's own, the mean of the IoUs plus their deviation.
    """

    anchor: Tensor
    iou: Tensor
    inside: Tensor
    threshold: Tensor

    @property
    def is_foreground(self) -> Tensor:
        """bool [M, C]: candidates that the object claims; another object may overlap one of them more."""
        return (self.iou >= self.threshold[:, None]) & self.inside


class Cheapest(NamedTuple):
    """What M objects take under SimOTA.

    Attributes:
        number: int64 [M]: k, how many anchors each takes; another object may get one of them.
        limit: float32 [M]: what the most expensive of them costs; −∞ for an object without candidates.
    """

    number: Tensor
    limit: Tensor


class Match(NamedTuple):
    """The assignment of N anchors to M objects.

    Attributes:
        label: int8 [N]: FOREGROUND, BACKGROUND or IGNORED.
        object: int64 [N]: index of the object that the anchor is assigned to, and for other anchors, as for all by max
            IoU, of the object with the anchor's highest IoU; meaningless without objects.
        iou: float32 [N]: IoU with that object, 0 without objects.
        forced: bool [N]: below the threshold, and foreground only because no anchor has a higher IoU with some object.
        best_iou: float32 [M]: the highest IoU of any anchor with each object.
        best_anchor: int64 [M]: the first anchor with that IoU.
        closest: How ATSS came to it; None under other assigners.
        cheapest: How SimOTA came to it; None under other assigners.
    """

    label: Tensor
    object: Tensor
    iou: Tensor
    forced: Tensor
    best_iou: Tensor
    best_anchor: Tensor
    closest: Closest | None = None
    cheapest: Cheapest | None = None

    @property
    def foreground(self) -> Tensor:
        """bool [N]: anchors that are assigned to an object."""
        return self.label == FOREGROUND
