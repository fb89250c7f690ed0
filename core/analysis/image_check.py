"""Checks one image of a data set: whether it can be decoded, its boxes are valid, and how large its objects are."""

import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from core.analysis.issues import (
    CUT_BOX,
    EMPTY_BOX,
    MISSING,
    OTHER_SIZE,
    OUTSIDE_BOX,
    SAME_BOX,
    TWO_CLASSES,
    UNREADABLE,
    Issues,
)
from core.config import Inference
from core.data.dataset import RawImage, build_record, scale_boxes
from core.data.images import open_image
from core.errors import PictureError
from core.retinanet.preprocess import prepare

MAX_OVERHANG = 1.0  # pixels by which a box may exceed its image: annotation tools round


class ImageFacts(NamedTuple):
    """The facts about an image that the checks across images need.

    Attributes:
        name: Split and file name, for messages.
        digest: SHA-256 of the file; None if the image cannot be used or its file was not read.
        boxes: float32 [M, 4], the valid boxes except crowd regions, xyxy, in pixels of the resized image.
        labels: int64 [M].
        padded_size: Height and width of the image after resizing and padding.
        crowds: Number of valid crowd regions.
    """

    name: str
    digest: bytes | None
    boxes: np.ndarray
    labels: np.ndarray
    padded_size: tuple[int, int]
    crowds: int


def check_image(
    image: RawImage, split: str, class_names: tuple[str, ...], inference: Inference, issues: Issues
) -> ImageFacts:
    """Decodes an image and checks its boxes.

    Args:
        image: The annotated image.
        split: The image's split, for messages.
        class_names: The class names of labels 0 … K−1, for messages.
        inference: The image sizes of the network.
        issues: Receives everything that is wrong.
    """
    name = f"{split}: {image.path.name}"
    size = _check_file(image, name, inference, issues)
    if not size:
        return ImageFacts(name, None, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), (0, 0), 0)
    boxes = scale_boxes(image, size)
    labels = np.array([item.label for item in image.objects], dtype=np.int64)
    crowd = np.array([item.crowd for item in image.objects], dtype=bool)
    clipped = np.nan_to_num(boxes).clip(0, [*size, *size]).astype(np.float32)
    object_names = [
        f"{name}: {class_names[label]} at {', '.join(f'{value:g}' for value in box)} (object {number})"
        for number, (label, box) in enumerate(zip(labels, boxes, strict=True), start=1)
    ]
    valid = _check_boxes(boxes, clipped, size, object_names, issues)
    trains = valid & ~crowd
    _report_repeated_boxes(clipped, labels, trains, object_names, issues)
    digest = hashlib.sha256(image.path.read_bytes()).digest()
    factors, padded_size = compute_network_size(*size, inference)
    crowds = int((valid & crowd).sum())
    return ImageFacts(name, digest, clipped[trains] / factors, labels[trains], padded_size, crowds)


def measure_image(image: RawImage, split: str, inference: Inference) -> ImageFacts:
    """Returns the facts of an image that has passed its check, without decoding it; arguments as in `check_image`."""
    record, _ = build_record(image)
    factors, padded_size = compute_network_size(*record.size, inference)
    trains = ~record.crowd
    return ImageFacts(
        name=f"{split}: {record.path.name}",
        digest=None,
        boxes=record.boxes[trains] / factors,
        labels=record.labels[trains],
        padded_size=padded_size,
        crowds=int(record.crowd.sum()),
    )


def _check_boxes(
    boxes: np.ndarray, clipped: np.ndarray, size: tuple[int, int], names: list[str], issues: Issues
) -> np.ndarray:
    """Reports invalid boxes and returns a mask of those that the data set keeps, bool [M]."""
    valid = np.zeros(len(boxes), dtype=bool)
    for number, box in enumerate(boxes):
        kind = _find_box_issue(box, clipped[number], size)
        valid[number] = kind in (None, CUT_BOX)
        if kind:
            issues.add(kind, names[number])
    return valid


def _report_repeated_boxes(
    boxes: np.ndarray, labels: np.ndarray, counted: np.ndarray, names: list[str], issues: Issues
) -> None:
    first: dict[tuple[float, ...], int] = {}
    for number in np.flatnonzero(counted).tolist():
        before = first.setdefault(tuple(boxes[number].tolist()), number)
        if before != number:
            issues.add(SAME_BOX if labels[before] == labels[number] else TWO_CLASSES, names[number])


def _check_file(image: RawImage, name: str, inference: Inference, issues: Issues) -> tuple[int, int] | None:
    """Decodes an image; returns its width and height, or None and reports why it cannot be used for training."""
    if not image.path.is_file():
        issues.add(MISSING, f"{name}, named in {image.source}")
        return None
    try:
        height, width = open_image(image.path).shape[1:]
        compute_network_size(width, height, inference)
    except PictureError as error:
        issues.add(UNREADABLE, f"{name}: {error}")
        return None
    if image.size and image.size != (width, height):
        annotated = f"{image.size[0]}×{image.size[1]}"
        issues.add(OTHER_SIZE, f"{name} has {width}×{height} pixels (upright), but is annotated as {annotated}")
        return None
    return width, height


def _find_box_issue(box: np.ndarray, clipped: np.ndarray, size: tuple[int, int]) -> str | None:
    if not np.isfinite(box).all() or not (box[2:] > box[:2]).all():
        return EMPTY_BOX
    if not (clipped[2:] > clipped[:2]).all():
        return OUTSIDE_BOX
    overhang = max(-box.min(), (box[2:] - size).max())
    return CUT_BOX if overhang > MAX_OVERHANG else None


@lru_cache(maxsize=4096)
def compute_network_size(width: int, height: int, inference: Inference) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns the factors that divide an image's boxes, float32 [4], and its padded height and width in the network."""
    blank = torch.zeros(1, dtype=torch.uint8).expand(3, height, width)
    batch = prepare([blank], inference)
    padded_height, padded_width = batch.pixels.shape[-2:]
    return batch.factors[0].numpy(), (padded_height, padded_width)
