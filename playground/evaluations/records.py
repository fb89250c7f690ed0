"""Evaluations as they are stored: detections and ground truth of each picture, or a curve along a dial of the scenes.

All figures are computed again from them.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.evaluation.dataset_predictions import ImageResult
from core.evaluation.slices.along_dial import SCENE_DIALS, Curve, Point, curve_to_dict
from core.runs.folder import FINISHED, STOPPED
from core.scenes.render import CLASS_NAMES
from core.structures import Detections, GroundTruth


class StoredEvaluation(NamedTuple):
    """An evaluation as it is stored.

    Attributes:
        state: "finished" or "stopped".
        total: The number of pictures that were to be evaluated.
        images: The pictures that were evaluated, with the data set's class indices.
        names: The names of these pictures.
        class_names: The data set's classes.
    """

    state: str
    total: int
    images: tuple[ImageResult, ...]
    names: tuple[str, ...]
    class_names: tuple[str, ...]


class StoredCurve(NamedTuple):
    """A curve along a dial of the scenes as it is stored.

    Attributes:
        state: "finished" or "stopped".
        total: The number of pictures that were to be evaluated.
        curve: The points that were measured, at least one.
    """

    state: str
    total: int
    curve: Curve


def to_state(record: StoredEvaluation | StoredCurve) -> dict[str, Any]:
    """Returns a record as tensors and plain values in plain containers, which `from_state` reads."""
    if isinstance(record, StoredCurve):
        return {"state": record.state, "total": record.total, **curve_to_dict(record.curve), "dial": record.curve.dial}
    detections, truths = [each.detections for each in record.images], [each.truth for each in record.images]
    return {
        "state": record.state,
        "total": record.total,
        "names": list(record.names),
        "class_names": list(record.class_names),
        "image_ids": [each.image_id for each in record.images],
        "problems": [each.problem for each in record.images],
        "sizes": [each.truth.size for each in record.images],
        "found": [len(each.scores) for each in detections],
        "objects": [len(each.labels) for each in truths],
        "detections": [_concatenate([each[field] for each in detections]) for field in range(3)],
        "truth": [_concatenate([each[:3][field] for each in truths]) for field in range(3)],
    }


def from_state(state: dict[str, Any]) -> StoredEvaluation | StoredCurve:
    """Returns the record that `to_state` has written.

    Raises:
        AttributeError, KeyError, OverflowError, RuntimeError, TypeError, ValueError: The values are none of a record.
    """
    return _read_curve(state) if "points" in state else _read_evaluation(state)


def _read_curve(state: dict[str, Any]) -> StoredCurve:
    _require_ended(state)
    points = tuple(_read_point(each) for each in state["points"])
    if not points or state["dial"] not in SCENE_DIALS or not set(state["rare_classes"]) <= set(CLASS_NAMES):
        raise ValueError("The file holds no curve.")
    return StoredCurve(state["state"], int(state["total"]), Curve(state["dial"], tuple(state["rare_classes"]), points))


def _read_point(values: dict[str, Any]) -> Point:
    numbers = [math.nan if values[name] is None else float(values[name]) for name in Point._fields]
    counts = [int(values[name]) for name in ("pictures", "objects", "rare_objects")]
    if not math.isfinite(numbers[0]) or min(counts) < 0 or not all(math.isnan(each) or each >= 0 for each in numbers):
        raise ValueError("The file holds a point of a curve that is none.")
    value, _, _, ap, ap50, _, rare_ap = numbers
    return Point(value, counts[0], counts[1], ap, ap50, counts[2], rare_ap)


def _require_ended(state: dict[str, Any]) -> None:
    if state["state"] not in (FINISHED, STOPPED):
        raise ValueError("The file is of an evaluation that has not ended.")


def _read_evaluation(state: dict[str, Any]) -> StoredEvaluation:
    _require_ended(state)
    detections = zip(*(field.split(state["found"]) for field in state["detections"]), strict=True)
    truths = zip(*(field.split(state["objects"]) for field in state["truth"]), strict=True)
    sizes = map(_read_size, state.get("sizes", [None] * len(state["image_ids"])))  # not in earlier files
    images = tuple(
        ImageResult(Detections(*found), GroundTruth(*truth)._replace(size=size), int(image_id), str(problem))
        for found, truth, size, image_id, problem in zip(
            detections, truths, sizes, state["image_ids"], state["problems"], strict=True
        )
    )
    names, class_names = (tuple(map(str, state[field])) for field in ("names", "class_names"))
    if not images or len(images) != len(names):
        raise ValueError("The file lists another number of names than of pictures.")
    (found, _, labels), (objects, classes, _) = state["detections"], state["truth"]
    if not all(_are_objects(*each, len(class_names)) for each in ((found, labels), (objects, classes))):
        raise ValueError("The file holds boxes or labels that are none.")
    return StoredEvaluation(state["state"], int(state["total"]), images, names, class_names)


def _read_size(size: Any) -> tuple[int, int] | None:
    """Returns the height and width of a picture, None if they are not known; raises `ValueError` for anything else."""
    if size is None:
        return None
    height, width = map(int, size)
    if min(height, width) < 1:
        raise ValueError("The file holds the size of a picture that is none.")
    return height, width


def _are_objects(boxes: Tensor, labels: Tensor, num_classes: int) -> bool:
    """True for boxes [N, 4] of finite numbers and labels 0 … K−1."""
    plain = boxes.shape == (len(labels), 4) and boxes.is_floating_point() and labels.dtype == torch.int64
    return plain and bool(boxes.isfinite().all()) and bool(((labels >= 0) & (labels < num_classes)).all())


def _concatenate(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.cpu() for tensor in tensors])
