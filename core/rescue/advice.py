"""Suggestions for each kind of error of an evaluation, with the counts that support them.

Everything is counted in what the evaluation has: detections and objects. Whether a remedy helps is for another
evaluation to say.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from core.config import Inference
from core.evaluation.detection_matching import ImageOverlaps, match_image
from core.evaluation.error_types import (
    BACKGROUND,
    BOTH,
    CLASS,
    DUPLICATE,
    FOREGROUND_IOU,
    KINDS,
    LOCATION,
    MISSED,
    ErrorCase,
    ErrorTypes,
)
from core.io.text import count_noun
from core.retinanet.boxes import pairwise_iou
from core.structures import Detections, GroundTruth

SMALL = 32**2  # px², COCO's bound of small objects
ELONGATED = 2.0  # quotient of the sides
NEARLY = 0.4  # IoU from which a box is nearly well placed


class Evidence(NamedTuple):
    """The pictures of an evaluation with their errors.

    Attributes:
        overlaps: Of each picture.
        predictions: The detections in each picture.
        truths: The objects in each picture.
        errors: Their errors.
        best: The score with the best F1, None without one.
        class_names: The names of the classes.
        inference: The settings of post-processing, under which it was made.
    """

    overlaps: Sequence[ImageOverlaps]
    predictions: Sequence[Detections]
    truths: Sequence[GroundTruth]
    errors: ErrorTypes
    best: float | None
    class_names: Sequence[str]
    inference: Inference


class Advice(NamedTuple):
    """A suggestion for one kind of error.

    Attributes:
        kind: One of `KINDS`.
        errors: The number of errors.
        evidence: What was counted, a sentence.
        remedy: What to try next, a sentence; it names hyperparameters by their paths.
    """

    kind: str
    errors: int
    evidence: str
    remedy: str


def advise(found: Evidence) -> tuple[Advice, ...]:
    """Returns a suggestion for each kind of error that occurs, the costliest first."""
    costs = {kind: cost if math.isfinite(cost) else 0.0 for kind, cost in found.errors.cost.items()}
    advice = []
    for kind in sorted(KINDS, key=lambda each: -costs[each]):
        if cases := found.errors.select(kind):
            advice.append(Advice(kind, len(cases), *REMEDIES[kind](found, cases)))
    return tuple(advice)


def _advise_on_duplicates(found: Evidence, cases: Sequence[ErrorCase]) -> tuple[str, str]:
    """Finds the NMS threshold that reaches half of the duplicates: their IoU with the box that has their object."""
    overlap = np.sort(list(_overlap_with_finder(found, cases)))
    median = overlap[(len(overlap) - 1) // 2]
    threshold = max(0, math.ceil(100 * median) - 1) / 100
    reached = int((overlap > threshold).sum())
    evidence = f"{reached} of {len(cases)} overlap the box that took their object by more than {threshold:g}."
    cost = "which also drops neighbours that overlap as much"
    if found.inference.nms_kind == "hard":
        return evidence, f"Lower inference.nms_threshold to {threshold:g}, {cost}; or try soft NMS."
    return evidence, f"Set inference.nms_kind to hard and inference.nms_threshold to {threshold:g}, {cost}."


def _overlap_with_finder(found: Evidence, cases: Sequence[ErrorCase]) -> Iterator[float]:
    """Yields the IoU of each duplicate with the detection that was matched with its object."""
    for case in cases:
        image, boxes = found.overlaps[case.image], found.predictions[case.image].boxes
        matched, ignored = match_image(image, FOREGROUND_IOU)
        row = int(np.flatnonzero((matched == case.object) & ~ignored)[0])
        pair = boxes[[case.detection, int(image.detection[row])]]
        yield float(pairwise_iou(pair[0], pair[1]))


def _advise_on_background(found: Evidence, cases: Sequence[ErrorCase]) -> tuple[str, str]:
    if found.best is None:
        return f"All {len(cases)} lie where there is no object.", "That needs training: nothing is found yet."
    scores = np.array([float(found.predictions[each.image].scores[each.detection]) for each in cases])
    right = np.concatenate([_scores_of_right(each) for each in found.overlaps])
    threshold = math.floor(100 * found.best) / 100  # as it is written, so that what is counted is what it does
    weak, lost = int((scores <= threshold).sum()), int((right <= threshold).sum())
    evidence = f"{weak} of {len(cases)} have a score of at most {threshold:.2f}, about where F1 is best."
    training = (
        f"{len(cases) - weak} {'needs' if len(cases) - weak == 1 else 'need'} training, as on pictures without objects."
    )
    if not weak:
        return evidence, training
    drop = f"Set inference.score_threshold to {threshold:.2f}, which loses {count_noun(lost, 'right detection')}"
    return evidence, f"{drop}; {training}" if weak < len(cases) else f"{drop}."


def _scores_of_right(image: ImageOverlaps) -> np.ndarray:
    matched, ignored = match_image(image, FOREGROUND_IOU)
    return image.score[(matched >= 0) & ~ignored]


def _advise_on_location(found: Evidence, cases: Sequence[ErrorCase]) -> tuple[str, str]:
    overlap = np.array([_overlap_with_object(found.overlaps[each.image], each) for each in cases])
    nearly = int((overlap >= NEARLY).sum())
    fusion = "; weighted boxes fusion (inference.nms_kind wbf) can be tried without training"
    return (
        f"The median of their IoU is {np.median(overlap):.2f}; {nearly} of {len(cases)} reach {NEARLY:g}.",
        "That needs training: longer, with loss.box_loss giou, a higher loss.box_weight, or with anchors.ratios and "
        f"anchors.scales nearer to the objects{'' if found.inference.nms_kind == 'wbf' else fusion}.",
    )


def _overlap_with_object(image: ImageOverlaps, case: ErrorCase) -> float:
    return float(image.iou[np.flatnonzero(image.detection == case.detection)[0], case.object])


def _advise_on_classes(found: Evidence, cases: Sequence[ErrorCase]) -> tuple[str, str]:
    pairs = Counter(
        (int(found.truths[each.image].labels[each.object]), int(found.predictions[each.image].labels[each.detection]))
        for each in cases
    )
    (true, predicted), count = pairs.most_common(1)[0]
    double = sum(_is_found(found.overlaps[each.image], each.object) for each in cases)
    names, training = found.class_names, "training, with more examples of both classes."
    agnostic = "Switch on inference.class_agnostic_nms, which keeps the surer of two labels; the others need "
    return (
        f"Most often {names[true]} is called {names[predicted]}, {count} times; {double} of {len(cases)} have a second "
        "box with the right class.",
        f"That needs {training}" if found.inference.class_agnostic_nms else agnostic + training,
    )


def _is_found(image: ImageOverlaps, number: int) -> bool:
    matched, ignored = match_image(image, FOREGROUND_IOU)
    return bool(((matched == number) & ~ignored).any())


def _advise_on_both(found: Evidence, cases: Sequence[ErrorCase]) -> tuple[str, str]:
    return (
        f"All {len(cases)} touch an object of another class, and none well.",
        "That needs training; the remedies for background errors hide them.",
    )


def _advise_on_missed(found: Evidence, cases: Sequence[ErrorCase]) -> tuple[str, str]:
    """Compares the missed objects with all of them: small ones, and elongated ones."""
    every = np.concatenate([each.boxes[~each.crowd].double().numpy() for each in found.truths])
    missed = np.array([found.truths[each.image].boxes[each.object].double().tolist() for each in cases])
    (small, long), (all_small, all_long) = _measure(missed), _measure(every)
    evidence = (
        f"Of {len(cases)} missed, {small:.0%} are smaller than 32² px (of all objects {all_small:.0%}), {long:.0%} "
        f"more than twice as long as wide ({all_long:.0%})."
    )
    if small > all_small and small >= long:
        return evidence, "Raise inference.image_size, or set inference.tile_size: small objects grow."
    if long > all_long:
        return evidence, "Add anchors.ratios for elongated objects and train: no other setting makes up for them."
    return (
        evidence,
        f"Lower inference.score_threshold below {found.inference.score_threshold:g}, from which they were looked for, "
        "raise inference.topk_candidates where it is crowded, or train longer.",
    )


def _measure(boxes: np.ndarray) -> tuple[float, float]:
    """Returns the shares of small and of elongated boxes, [N, 4]."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer, shorter = sides.max(axis=1), sides.min(axis=1)
    return float((sides.prod(axis=1) < SMALL).mean()), float((longer > ELONGATED * shorter).mean())


REMEDIES: dict[str, Callable[[Evidence, Sequence[ErrorCase]], tuple[str, str]]] = {
    CLASS: _advise_on_classes,
    LOCATION: _advise_on_location,
    BOTH: _advise_on_both,
    DUPLICATE: _advise_on_duplicates,
    BACKGROUND: _advise_on_background,
    MISSED: _advise_on_missed,
}
