"""The differences between what two implementations make of the same picture and weights."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.conventions.view import Seen
from core.evaluation.detection_matching import compute_overlaps, match_image
from core.evaluation.error_types import FOREGROUND_IOU
from core.retinanet.assigners.match import Match
from core.structures import Detections, GroundTruth

STILL = 0.01  # px, up to which a box counts as the same: rounding of single precision is far less
SAME_SCORE = 1e-4
SAME_LOSS = 5e-4  # half of the third decimal, to which losses are shown


class AnchorDifference(NamedTuple):
    """Anchors that differ.

    Attributes:
        moved: bool [N]: outputs whose anchor has another box.
        largest: By how many pixels an edge differs at most.
    """

    moved: Tensor
    largest: float


class AssignmentDifference(NamedTuple):
    """Outputs that are taught something else, bool [N] each.

    Attributes:
        gained: Foreground there and not here.
        lost: Foreground here and not there.
        other_object: Foreground in both, for another object.
        ignored: Background here and ignored there, or the reverse.
    """

    gained: Tensor
    lost: Tensor
    other_object: Tensor
    ignored: Tensor

    @property
    def total(self) -> int:
        """How many outputs they are."""
        return sum(int(each.sum()) for each in self)


class DetectionDifference(NamedTuple):
    """Detections that differ.

    A detection there is one here if both have the same class, and the same box or an IoU of at least 0.5; each is one
    at most, matched as in COCO.

    Attributes:
        lost: int64: indices of those here that are none there.
        new: int64: indices of those there that are none here.
        here: int64 [P]: those that are found in both, here …
        there: int64 [P]: … and there.
        iou: float32 [P]: the IoU of each pair; 1 if it has the same box.
        changed: bool [P]: pairs of which an edge or the score differs.
    """

    lost: Tensor
    new: Tensor
    here: Tensor
    there: Tensor
    iou: Tensor
    changed: Tensor

    @property
    def total(self) -> int:
        """How many detections are lost, new or changed."""
        return len(self.lost) + len(self.new) + int(self.changed.sum())


class Difference(NamedTuple):
    """All differences between what is made of a picture here and there."""

    anchors: AnchorDifference
    assignment: AssignmentDifference
    losses: tuple[float, float]  # classification and box there, less those here
    detections: DetectionDifference

    @property
    def is_none(self) -> bool:
        """True if nothing differs."""
        counts = int(self.anchors.moved.sum()), self.assignment.total, self.detections.total
        return not any(counts) and all(abs(each) < SAME_LOSS for each in self.losses)


def find_differences(here: Seen, there: Seen) -> Difference:
    """Compares what is made of a picture here and there."""
    return Difference(
        compare_anchors(here.anchors, there.anchors),
        compare_assignments(here.match, there.match),
        (
            (there.losses.classification - here.losses.classification).item(),
            (there.losses.box - here.losses.box).item(),
        ),
        compare_detections(here.detections, there.detections),
    )


def compare_anchors(here: Tensor, there: Tensor) -> AnchorDifference:
    """Compares anchors [N, 4], output by output."""
    shift = (there - here).abs().amax(dim=1)
    return AnchorDifference(shift > STILL, shift.max().item())


def compare_assignments(here: Match, there: Match) -> AssignmentDifference:
    """Compares two assignments of N outputs, each to its own anchors."""
    both = here.foreground & there.foreground
    neither = ~here.foreground & ~there.foreground
    return AssignmentDifference(
        there.foreground & ~here.foreground,
        here.foreground & ~there.foreground,
        both & (here.object != there.object),
        neither & (here.label != there.label),
    )


def compare_detections(here: Detections, there: Detections) -> DetectionDifference:
    """Compares the detections in a picture."""
    truth = GroundTruth(here.boxes, here.labels, torch.zeros(len(here.boxes), dtype=torch.bool))
    overlaps = compute_overlaps([there], [truth], most=len(there.scores))[0]
    still = torch.cdist(there.boxes[overlaps.detection], here.boxes, p=torch.inf) <= STILL  # also of empty boxes
    overlaps = overlaps._replace(iou=np.where(still.numpy(), 1.0, overlaps.iou))
    matched, _ = match_image(overlaps, FOREGROUND_IOU)
    hit = matched >= 0
    ours, theirs = torch.from_numpy(matched[hit]).long(), torch.from_numpy(overlaps.detection[hit]).long()
    edges = (here.boxes[ours] - there.boxes[theirs]).abs().amax(dim=1) > STILL if len(ours) else ours.bool()
    changed = edges | ((here.scores[ours] - there.scores[theirs]).abs() > SAME_SCORE)
    iou = torch.from_numpy(overlaps.iou[hit, matched[hit]]).float()
    return DetectionDifference(
        _rest(ours, len(here.boxes)), _rest(theirs, len(there.boxes)), ours, theirs, iou, changed
    )


def _rest(indices: Tensor, count: int) -> Tensor:
    """Returns the numbers below a count that are not among some indices."""
    left = torch.ones(count, dtype=torch.bool)
    left[indices] = False
    return torch.nonzero(left).squeeze(1)
