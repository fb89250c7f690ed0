"""Average precision of some of the objects: of those whose size, say, lies within bounds.

The rule is COCO's for its areas: objects outside of a slice are ignored. So are detections that are matched with them,
and detections that are matched with nothing and lie outside themselves; one that finds an object within always counts.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from core.evaluation.coco_metrics import build_coco_dict, drop_non_finite
from core.evaluation.slices.quantities import QUANTITIES
from core.structures import Detections, GroundTruth

MOST = 4  # slices of a quantity
HUGE = 1e10  # beyond any value, as COCO's largest area


class Slice(NamedTuple):
    """Objects with a quantity within bounds, and how well they are found.

    Attributes:
        quantity: One of `QUANTITIES`.
        low: The least value.
        high: Above the highest value; infinity for the last slice.
        objects: Number of objects, without crowd regions.
        ap: Average precision, mean over IoU 0.50:0.05:0.95 and the classes that have such objects.
        ap50: Average precision at IoU 0.5.
    """

    quantity: str
    low: float
    high: float
    objects: int
    ap: float
    ap50: float


def measure_slices(
    predictions: Sequence[Detections], truths: Sequence[GroundTruth], class_names: Sequence[str]
) -> tuple[Slice, ...]:
    """Returns the slices of each quantity, which divide the objects into about equal parts, and how well each is found.

    A quantity that is unknown for an object or a detection, such as the position in a picture of unknown size, has
    none.

    Args:
        predictions: The detections of each image.
        truths: The ground truth of each image, in the same order.
        class_names: The class names of labels 0 … K−1.
    """
    finite = [drop_non_finite(each) for each in predictions]
    slices: list[Slice] = []
    for quantity, measure in QUANTITIES.items():
        values = [measure(each.boxes, each) for each in truths]
        counted = [value[~each.crowd] for value, each in zip(values, truths, strict=True)]
        of_objects = torch.cat(counted).double().numpy() if counted else np.zeros(0)
        found = [measure(each.boxes, truth) for each, truth in zip(finite, truths, strict=True)]
        if any(each.isnan().any() for each in (*values, *found)):  # COCO's rule would count a NaN in every slice
            continue
        bounds = divide(of_objects)
        if len(bounds) <= 2:  # the only slice would have all objects
            continue
        marked = build_coco_dict(truths, class_names, iscrowd=[each.crowd for each in truths])
        detected = build_coco_dict(finite, class_names, score=[each.scores for each in finite])
        averages = _average(_set_areas(marked, values), _set_areas(detected, found), bounds)
        for low, high, (ap, ap50) in zip(bounds[:-1], bounds[1:], averages, strict=True):
            objects = int(((of_objects >= low) & (of_objects < high)).sum())
            slices.append(Slice(quantity, low, high, objects, ap, ap50))
    return tuple(slices)


def divide(values: np.ndarray) -> list[float]:
    """Returns bounds between which about equally many values lie: at most `MOST` + 1 of them, the last one infinite.

    Equal values lie in one slice, so that there may be fewer; without values there is none.
    """
    if not len(values):
        return []
    inner = np.quantile(values, np.linspace(0, 1, MOST + 1)[:-1], method="higher")
    return [*np.unique(inner).tolist(), float("inf")]


def _set_areas(content: dict[str, Any], values: Sequence[Tensor]) -> dict[str, Any]:
    """Replaces the area of each box in the format of COCO's file, by which it ignores, by another quantity."""
    for annotation, value in zip(content["annotations"], torch.cat([*values]).double().tolist(), strict=True):
        annotation["area"] = value
    return content


def _average(truth: dict[str, Any], found: dict[str, Any], bounds: Sequence[float]) -> list[tuple[float, float]]:
    """Returns AP and AP50 of each slice, in the order of its bounds; the first one has no lower bound."""
    from faster_coco_eval import COCO, COCOeval_faster  # imported by the first evaluation

    evaluation = COCOeval_faster(COCO(truth), COCO(found), "bbox")
    lows, highs = (
        [-HUGE, *bounds[1:-1]],
        [math.nextafter(high, -math.inf) for high in bounds[1:]],
    )  # COCO's are inclusive
    evaluation.params.areaRng = [[low, min(high, HUGE)] for low, high in zip(lows, highs, strict=True)]
    evaluation.params.areaRngLbl = [str(number) for number in range(len(lows))]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][..., -1]  # [T, R, K, slices] at 100 detections; −1 without objects
    return [(_mean(precision[..., number]), _mean(precision[0, ..., number])) for number in range(len(lows))]


def _mean(precision: np.ndarray) -> float:
    known = precision[precision > -1]
    return float(known.mean()) if len(known) else math.nan
