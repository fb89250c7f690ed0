"""Checks one image of a data set: whether it can be decoded, its boxes are valid, and how large its objects are."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from core.analysis.issues import CUT_BOX, SAME_BOX, TWO_CLASSES, Issues
from core.config import Inference
from core.data.images import open_image, read_image_sizes
from core.data.left_out import EMPTY_BOX, MISSING, OTHER_SIZE, OUTSIDE_BOX, UNREADABLE
from core.data.raw import MAX_OVERHANG, JudgedBoxes, RawImage, judge_boxes, place_objects
from core.errors import PictureError
from core.retinanet.preprocess import prepare


class ImageFacts(NamedTuple):
    """The facts about an image that the checks across images need.

    Attributes:
        name: Split and file name, for messages.
        digest: SHA-256 of the file; None if the image cannot be used or its file was not read.
        size: Width and height in pixels; None if the image cannot be used.
        boxes: float32 [M, 4], the valid boxes except crowd regions, xyxy, in pixels of the resized image.
        labels: int64 [M].
        padded_size: Height and width of the image after resizing and padding.
        crowds: Number of valid crowd regions.
    """

    name: str
    digest: bytes | None
    size: tuple[int, int] | None
    boxes: np.ndarray
    labels: np.ndarray
    padded_size: tuple[int, int]
    crowds: int


def check_image(
    image: RawImage, name: str, class_names: tuple[str, ...], inference: Inference, issues: Issues
) -> ImageFacts:
    """Decodes an image and checks its boxes.

    Args:
        image: The annotated image.
        name: Its split and file name, for messages.
        class_names: The class names of labels 0 … K−1, for messages.
        inference: The image sizes of the network.
        issues: Receives everything that is wrong.
    """
    size = _check_file(image, name, inference, issues)
    if not size:
        return _no_facts(name)
    judged = judge_boxes([image], [size])
    boxes = image.boxes * [*size, *size] if image.relative else image.boxes
    labels = image.labels
    object_names = [
        f"{name}: {class_names[label]} at {', '.join(f'{value:g}' for value in box)} (object {number})"
        for number, (label, box) in enumerate(zip(labels, boxes, strict=True), start=1)
    ]
    for number, object_name in enumerate(object_names):
        if kind := _find_box_issue(judged, number):
            issues.add(kind, object_name)
    trains = judged.valid & ~image.crowd
    placed = judged.boxes.astype(np.float32)
    _report_repeated_boxes(placed, labels, trains, object_names, issues)
    digest = hashlib.sha256(image.path.read_bytes()).digest()
    factors, padded_size = compute_network_size(*size, inference)
    crowds = int((judged.valid & image.crowd).sum())
    return ImageFacts(name, digest, size, placed[trains] / factors, labels[trains], padded_size, crowds)


def measure_images(images: Sequence[RawImage], names: Iterable[str], inference: Inference) -> list[ImageFacts]:
    """Returns the facts of images that were checked before, without decoding them.

    Args:
        images: The annotated images.
        names: The split and file name of each.
        inference: The image sizes of the network.
    """
    sizes = iter(read_image_sizes([image.path for image in images if not image.size]))
    return [
        _measure(image, name, image.size or next(sizes), inference) for image, name in zip(images, names, strict=True)
    ]


def _measure(image: RawImage, name: str, size: tuple[int, int] | PictureError, inference: Inference) -> ImageFacts:
    if isinstance(size, PictureError):
        return _no_facts(name)
    try:
        factors, padded_size = compute_network_size(*size, inference)
    except PictureError:
        return _no_facts(name)
    boxes, labels, crowd = place_objects(image, size)
    return ImageFacts(name, None, size, boxes[~crowd] / factors, labels[~crowd], padded_size, int(crowd.sum()))


def _no_facts(name: str) -> ImageFacts:
    return ImageFacts(name, None, None, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), (0, 0), 0)


def _find_box_issue(judged: JudgedBoxes, number: int) -> str | None:
    if judged.empty[number]:
        return EMPTY_BOX
    if judged.outside[number]:
        return OUTSIDE_BOX
    return CUT_BOX if judged.overhang[number] > MAX_OVERHANG else None


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


@lru_cache(maxsize=4096)
def compute_network_size(width: int, height: int, inference: Inference) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns the factors that divide an image's boxes, float32 [4], and its padded height and width in the network."""
    blank = torch.zeros(1, dtype=torch.uint8).expand(3, height, width)
    batch = prepare([blank], inference)
    padded_height, padded_width = batch.pixels.shape[-2:]
    return batch.factors[0].numpy(), (padded_height, padded_width)
