"""Parts of pictures, and how much of an object must be left for it to be kept."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from core.structures import Sample

MIN_LEFT = 0.25  # share of a box's area; an object of which less is left is no longer one to learn from


class Window(NamedTuple):
    """A rectangle of whole pixels: its top left corner and its size."""

    left: int
    top: int
    width: int
    height: int


class Size(NamedTuple):
    """A width and a height in pixels."""

    width: int
    height: int


def slices_of(window: Window) -> tuple[slice, slice]:
    """Returns the rows and the columns of a window, to index [..., H, W]."""
    return slice(window.top, window.top + window.height), slice(window.left, window.left + window.width)


def resize(image: Tensor, size: Size) -> Tensor:
    """Resizes an image, uint8 [3, H, W], as torchvision does, bilinear and without aliasing."""
    return interpolate(image[None], size=[size.height, size.width], mode="bilinear", antialias=True)[0]


def stretch(sample: Sample, size: Size) -> Sample:
    """Resizes a sample to a size; its proportions may change."""
    height, width = sample.image.shape[1:]
    if (width, height) == size:
        return sample
    ratio, limit = (
        sample.boxes.new_tensor(each).repeat(2) for each in ((size.width / width, size.height / height), size)
    )
    return sample._replace(image=resize(sample.image, size), boxes=torch.minimum(sample.boxes * ratio, limit))


def cut_out(sample: Sample, window: Window, size: Size) -> Sample:
    """Returns a part of a sample, resized.

    Boxes are clipped to the part. An object of whose box less than `MIN_LEFT` of the area is inside is dropped, though
    its pixels stay.

    Args:
        sample: The sample.
        window: The part, inside the image.
        size: Size of the result.
    """
    image = sample.image[:, *slices_of(window)]
    inside = sample.boxes.new_tensor([window.width, window.height]).repeat(2)
    boxes = sample.boxes - sample.boxes.new_tensor([window.left, window.top]).repeat(2)
    boxes = torch.minimum(boxes.clamp(min=0), inside)
    keep = _measure_areas(boxes) >= MIN_LEFT * _measure_areas(sample.boxes)
    return keep_objects(stretch(sample._replace(image=image, boxes=boxes), size), keep)


def place(size: Size, inside: Size, at: tuple[float, float]) -> Window:
    """Returns a window of a size inside a larger area, at a share of the room there is along x and y, in [0, 1)."""
    left, top = (int(share * (room - length + 1)) for length, room, share in zip(size, inside, at, strict=True))
    return Window(left, top, *size)


def count_pixels(length: float, most: int) -> int:
    """Rounds a length to whole pixels, from one to those that there are."""
    return min(max(round(length), 1), most)


def keep_objects(sample: Sample, keep: Tensor) -> Sample:
    """Returns a sample with those of its objects, bool [M], that also have an area."""
    keep = keep & (sample.boxes[:, 2:] > sample.boxes[:, :2]).all(dim=1)
    return sample._replace(boxes=sample.boxes[keep], labels=sample.labels[keep], crowd=sample.crowd[keep])


def drop_empty(sample: Sample) -> Sample:
    """Returns a sample without the objects whose boxes rounding has left without area."""
    return keep_objects(sample, torch.ones_like(sample.crowd))


def join(image: Tensor, parts: list[Sample]) -> Sample:
    """Returns an image with the objects of all parts, as by `drop_empty`; its number is that of the first.

    Args:
        image: The image.
        parts: Objects, whose boxes are in pixels of the image.
    """
    boxes, labels, crowd = (torch.cat(each) for each in zip(*(part[1:4] for part in parts), strict=True))
    return drop_empty(Sample(image, boxes, labels, crowd, parts[0].image_id))


def shift(sample: Sample, left: int, top: int) -> Sample:
    """Moves the boxes of a sample by whole pixels."""
    return sample._replace(boxes=sample.boxes + sample.boxes.new_tensor([left, top]).repeat(2))


def _measure_areas(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)  # [M]
