"""The faults of a detector in one picture, of the kinds of TIDE, with the boxes that they are about."""

from typing import NamedTuple

from torch import Tensor

from core.evaluation.detection_matching import compute_overlaps, match_detections
from core.evaluation.error_types import FOREGROUND_IOU, MISSED, collect_errors
from core.structures import Detections, GroundTruth


class Fault(NamedTuple):
    """A false positive or a missed object.

    Attributes:
        kind: One of `core.evaluation.error_types.KINDS`.
        detection: Index of the detection, −1 for a missed object.
        object: Index of the object concerned, −1 for none.
        label: Class of the detection, or of the missed object.
        score: Score of the detection, 0 for a missed object.
        box: The detection, or the missed object: float32 [4], in pixels of the picture.
    """

    kind: str
    detection: int
    object: int
    label: int
    score: float
    box: Tensor


class Standing(NamedTuple):
    """The objects found, the objects missed and the false positives of a picture.

    Attributes:
        found: Indices of the objects that are found: a detection of their class overlaps them with an IoU of at least
            0.5 and takes them in COCO's matching.
        wrong: The false positives, best first.
        missed: The objects that are missed. One is not if a detection of it has a wrong class or a poor box, as in
            TIDE: then that detection is the fault.
    """

    found: frozenset[int]
    wrong: tuple[Fault, ...]
    missed: tuple[Fault, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults: missed objects, then false positives, best first."""
        return (*self.missed, *self.wrong)


def find_standing(detections: Detections, truth: GroundTruth, num_classes: int) -> Standing:
    """Returns how the detections in a picture stand; those in crowd regions count neither way.

    Args:
        detections: The detections, with labels of the ground truth.
        truth: The ground truth; labels 0 … K−1.
        num_classes: K.
    """
    overlaps = compute_overlaps([detections], [truth])
    matches = match_detections(overlaps, FOREGROUND_IOU, num_classes)
    false_positives, missed = collect_errors(overlaps, matches)
    wrong = tuple(
        Fault(
            each.kind,
            each.detection,
            each.object,
            int(detections.labels[each.detection]),
            float(detections.scores[each.detection]),
            detections.boxes[each.detection],
        )
        for each in false_positives.values()
    )
    lost = tuple(
        Fault(MISSED, -1, each.object, int(truth.labels[each.object]), 0.0, truth.boxes[each.object]) for each in missed
    )
    return Standing(frozenset(matches.object[matches.hit].tolist()), wrong, lost)
