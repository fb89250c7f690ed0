"""The objects of a data set as the network sees them: how large they are, and which of them no anchor fits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from core.analysis.anchor_search import Objects, measure
from core.analysis.image_check import ImageFacts
from core.analysis.issues import NO_ANCHOR, Issues
from core.config import Config

BLOCK = 10_000  # objects compared with anchors at a time


class ClassSizes(NamedTuple):
    """The objects of a class as the network sees them, over all splits.

    Attributes:
        objects: How many.
        side: Square root of the area in the network's pixels: of the 5% smallest, the median, the 5% largest.
        ratio: Height over width, likewise.
        best_iou: Mean of the best IoU with any anchor.
        unmatched: Objects whose best IoU is below `matching.fg_iou_threshold`.
    """

    objects: int
    side: tuple[float, float, float]
    ratio: tuple[float, float, float]
    best_iou: float
    unmatched: int


def measure_sizes(
    looks: Sequence[ImageFacts], class_names: tuple[str, ...], config: Config, issues: Issues
) -> dict[str, ClassSizes]:
    """Holds the objects of all pictures against the anchors.

    Args:
        looks: Of every picture.
        class_names: What label 0 … K−1 means.
        config: Anchors and matching.
        issues: Is told which objects no anchor overlaps enough.

    Returns:
        By class name, those with objects.
    """
    objects, labels = objects_in(looks)
    owners = np.repeat(np.arange(len(looks)), [len(look.labels) for look in looks])
    threshold = config.matching.fg_iou_threshold
    boxes, pictures = objects
    iou = np.concatenate([np.zeros(0, np.float32)] + [
        measure(Objects(boxes[at : at + BLOCK], pictures[at : at + BLOCK]), config.anchors, threshold).iou.numpy()
        for at in range(0, len(boxes), BLOCK)
    ])  # fmt: skip
    sides = (boxes[:, 2:] - boxes[:, :2]).numpy()
    for number in np.flatnonzero(iou < threshold):
        width, height = sides[number]
        name, where = class_names[labels[number]], looks[owners[number]].where
        corner = ", ".join(f"{value:.0f}" for value in boxes[number, :2].tolist())
        text = f"{where}: {name}, {width:.0f}×{height:.0f} px at {corner} in the network, best IoU {iou[number]:.2f}"
        issues.add(NO_ANCHOR, text)
    return {
        name: _class_sizes(sides[labels == label], iou[labels == label], threshold)
        for label, name in enumerate(class_names)
        if (labels == label).any()
    }


def objects_in(looks: Sequence[ImageFacts]) -> tuple[Objects, np.ndarray]:
    """Returns the objects of all pictures in order, and their labels, int64 [M]."""
    boxes = torch.from_numpy(np.concatenate([np.zeros((0, 4), np.float32), *(look.boxes for look in looks)]))
    labels = np.concatenate([np.zeros(0, np.int64), *(look.labels for look in looks)])
    seen = torch.tensor([look.seen for look in looks], dtype=torch.int64).reshape(-1, 2)
    owners = torch.tensor([len(look.labels) for look in looks], dtype=torch.int64)
    return Objects(boxes, seen.repeat_interleave(owners, dim=0)), labels


def _class_sizes(sides: np.ndarray, iou: np.ndarray, threshold: float) -> ClassSizes:
    spread = [
        tuple(round(float(value), 3) for value in np.quantile(values, (0.05, 0.5, 0.95)))
        for values in (np.sqrt(sides.prod(axis=1)), sides[:, 1] / sides[:, 0])
    ]
    return ClassSizes(len(sides), *spread, best_iou=float(iou.mean()), unmatched=int((iou < threshold).sum()))
