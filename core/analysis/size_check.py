"""Compares the objects of a data set with the anchors: their sizes in the network, and those that no anchor fits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from core.analysis.anchor_search import Objects, measure_fit
from core.analysis.image_check import ImageFacts
from core.analysis.issues import NO_ANCHOR, Issues
from core.config import Anchors, Config

BLOCK = 10_000  # objects compared with the anchors at a time, which bounds the memory
QUANTILES = (0.05, 0.5, 0.95)


class ClassSizes(NamedTuple):
    """The objects of a class as the network sees them, over all splits.

    Attributes:
        objects: Number of objects.
        side: Square root of the area in pixels of the resized images: 5%, 50% and 95% quantiles.
        ratio: Height divided by width: 5%, 50% and 95% quantiles.
        best_iou: Mean of the best IoU with any anchor.
        unmatched: Number of objects whose best IoU is below `matching.fg_iou_threshold`.
    """

    objects: int
    side: tuple[float, float, float]
    ratio: tuple[float, float, float]
    best_iou: float
    unmatched: int


def measure_sizes(
    facts: Sequence[ImageFacts], class_names: tuple[str, ...], config: Config, issues: Issues
) -> dict[str, ClassSizes]:
    """Measures the objects of all images and compares them with the anchors.

    Args:
        facts: The facts of every image.
        class_names: The class names of labels 0 … K−1.
        config: Anchors and matching.
        issues: Receives the objects that no anchor overlaps enough.

    Returns:
        The sizes by class name, for classes with objects.
    """
    objects, labels = join_objects(facts)
    threshold = config.matching.fg_iou_threshold
    iou = _compute_best_iou(objects, config.anchors, threshold)
    sides = (objects.boxes[:, 2:] - objects.boxes[:, :2]).numpy()
    owners = np.repeat(np.arange(len(facts)), [len(each.labels) for each in facts])
    for number in np.flatnonzero(iou < threshold):
        width, height = sides[number]
        name, image = class_names[labels[number]], facts[owners[number]].name
        corner = ", ".join(f"{value:.0f}" for value in objects.boxes[number, :2].tolist())
        text = f"{image}: {name}, {width:.0f}×{height:.0f} px at {corner} in the network, best IoU {iou[number]:.2f}"
        issues.add(NO_ANCHOR, text)
    return {
        name: _summarise(sides[labels == label], iou[labels == label], threshold)
        for label, name in enumerate(class_names)
        if (labels == label).any()
    }


def join_objects(facts: Sequence[ImageFacts]) -> tuple[Objects, np.ndarray]:
    """Returns the objects of all images in order, and their labels, int64 [M]."""
    boxes = torch.from_numpy(np.concatenate([np.zeros((0, 4), np.float32), *(each.boxes for each in facts)]))
    labels = np.concatenate([np.zeros(0, np.int64), *(each.labels for each in facts)])
    sizes = torch.tensor([each.padded_size for each in facts], dtype=torch.int64).reshape(-1, 2)
    counts = torch.tensor([len(each.labels) for each in facts], dtype=torch.int64)
    return Objects(boxes, sizes.repeat_interleave(counts, dim=0)), labels


def _compute_best_iou(objects: Objects, anchors: Anchors, threshold: float) -> np.ndarray:
    blocks = [
        measure_fit(Objects(*(each[start : start + BLOCK] for each in objects)), anchors, threshold).iou.numpy()
        for start in range(0, len(objects.boxes), BLOCK)
    ]
    return np.concatenate([np.zeros(0, np.float32), *blocks])


def _summarise(sides: np.ndarray, iou: np.ndarray, threshold: float) -> ClassSizes:
    return ClassSizes(
        objects=len(sides),
        side=_compute_quantiles(np.sqrt(sides.prod(axis=1))),
        ratio=_compute_quantiles(sides[:, 1] / sides[:, 0]),
        best_iou=float(iou.mean()),
        unmatched=int((iou < threshold).sum()),
    )


def _compute_quantiles(values: np.ndarray) -> tuple[float, float, float]:
    low, median, high = (round(float(value), 3) for value in np.quantile(values, QUANTILES))
    return low, median, high
