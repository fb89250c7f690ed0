"""One picture of a data set, looked at before training: does it open, are its boxes sound, how large are they."""

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

CUT_FROM = 1.0  # pixels beyond the picture: less is rounding


class ImageFacts(NamedTuple):
    """What is remembered of a picture.

    Attributes:
        where: Split and name, for messages.
        digest: SHA-256 of its file, None if it cannot be read.
        boxes: float32 [M, 4], what would train, in the network's pixels.
        labels: int64 [M].
        seen: Height and width of the padded picture in the network.
        crowds: Regions that do not train.
    """

    where: str
    digest: bytes | None
    boxes: np.ndarray
    labels: np.ndarray
    seen: tuple[int, int]
    crowds: int


def look_at(
    picture: RawImage, split: str, class_names: tuple[str, ...], inference: Inference, issues: Issues
) -> ImageFacts:
    """Opens a picture and measures its boxes; what is wrong goes to `issues`.

    Args:
        picture: As annotated.
        split: Whose it is, for messages.
        class_names: Likewise.
        inference: Its image sizes say how large the network sees the picture.
        issues: Is told what is wrong.
    """
    where = f"{split}: {picture.path.name}"
    size = _open(picture, where, inference, issues)
    if not size:
        return ImageFacts(where, None, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), (0, 0), 0)
    boxes = scale_boxes(picture, size)
    labels = np.array([item.label for item in picture.objects], dtype=np.int64)
    crowd = np.array([item.crowd for item in picture.objects], dtype=bool)
    clipped = np.nan_to_num(boxes).clip(0, [*size, *size]).astype(np.float32)
    names = [
        f"{where}: {class_names[label]} at {', '.join(f'{value:g}' for value in box)} (object {number})"
        for number, (label, box) in enumerate(zip(labels, boxes, strict=True), start=1)
    ]
    keep = _sound(boxes, clipped, size, names, issues)
    _find_repeated(clipped, labels, keep & ~crowd, names, issues)
    digest = hashlib.sha256(picture.path.read_bytes()).digest()
    factors, padded = as_seen(*size, inference)
    trains = keep & ~crowd
    return ImageFacts(where, digest, clipped[trains] / factors, labels[trains], padded, int((keep & crowd).sum()))


def as_annotated(picture: RawImage, split: str, inference: Inference) -> ImageFacts:
    """Measures the boxes of a picture that is known to be sound, without opening it; arguments as `look_at`."""
    record, _ = build_record(picture)
    factors, padded = as_seen(*record.size, inference)
    trains = ~record.crowd
    boxes = record.boxes[trains] / factors
    return ImageFacts(
        f"{split}: {record.path.name}", None, boxes, record.labels[trains], padded, int(record.crowd.sum())
    )


def _sound(
    boxes: np.ndarray, clipped: np.ndarray, size: tuple[int, int], names: list[str], issues: Issues
) -> np.ndarray:
    """Returns which boxes are not left out, bool [M]."""
    keep = np.zeros(len(boxes), dtype=bool)
    for number, box in enumerate(boxes):
        kind = _box_issue(box, clipped[number], size)
        keep[number] = kind in (None, CUT_BOX)
        if kind:
            issues.add(kind, names[number])
    return keep


def _find_repeated(
    boxes: np.ndarray, labels: np.ndarray, counted: np.ndarray, names: list[str], issues: Issues
) -> None:
    first: dict[tuple[float, ...], int] = {}
    for number in np.flatnonzero(counted):
        before = first.setdefault(tuple(boxes[number].tolist()), number)
        if before != number:
            issues.add(SAME_BOX if labels[before] == labels[number] else TWO_CLASSES, names[number])


def _open(picture: RawImage, where: str, inference: Inference, issues: Issues) -> tuple[int, int] | None:
    """Opens a picture; returns width and height if training could use it."""
    if not picture.path.is_file():
        issues.add(MISSING, f"{where}, named in {picture.source}")
        return None
    try:
        height, width = open_image(picture.path).shape[1:]
        as_seen(width, height, inference)
    except PictureError as error:
        issues.add(UNREADABLE, f"{where}: {error}")
        return None
    if picture.size and picture.size != (width, height):
        issues.add(OTHER_SIZE, f"{where} has {width}×{height} pixels (upright), annotated are {picture.size[0]}×"
                   f"{picture.size[1]}")  # fmt: skip
        return None
    return width, height


def _box_issue(box: np.ndarray, clipped: np.ndarray, size: tuple[int, int]) -> str | None:
    if not np.isfinite(box).all() or not (box[2:] > box[:2]).all():
        return EMPTY_BOX
    if not (clipped[2:] > clipped[:2]).all():
        return OUTSIDE_BOX
    beyond = max(-box.min(), (box[2:] - size).max())
    return CUT_BOX if beyond > CUT_FROM else None


@lru_cache(maxsize=4096)
def as_seen(width: int, height: int, inference: Inference) -> tuple[np.ndarray, tuple[int, int]]:
    """Returns by what boxes of a picture are divided in the network, float32 [4], and its padded height and width."""
    blank = torch.zeros(1, dtype=torch.uint8).expand(3, height, width)
    batch = prepare([blank], inference)
    return batch.factors[0].numpy(), tuple(batch.pixels.shape[-2:])
