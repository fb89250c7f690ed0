"""Random crops: parts of a picture that contain the centre of an object."""

import torch
from torch import Tensor

from core.structures import Sample
from core.training.augmentation.windows import Window, keep_objects, slices_of

SMALLEST_CROP = 0.5  # share of each side; smaller crops would mostly show pieces of large objects


def crop(sample: Sample, window: Window) -> Sample:
    """Crops a sample; objects centred outside the window are dropped, the others are clipped to it."""
    corner = sample.boxes.new_tensor([window.left, window.top])
    size = sample.boxes.new_tensor([window.width, window.height])
    centres = _centres(sample.boxes) - corner  # [M, 2]
    boxes = torch.minimum((sample.boxes - corner.repeat(2)).clamp(min=0), size.repeat(2))
    keep = ((centres >= 0) & (centres < size)).all(dim=1)
    image = sample.image[:, *slices_of(window)].contiguous()
    return keep_objects(sample._replace(image=image, boxes=boxes), keep)


def choose_window(
    sample: Sample, of_object: float, lengths: tuple[float, float], places: tuple[float, float]
) -> Window:
    """Chooses a window with sides from `SMALLEST_CROP` to the whole that contains the centre of an object.

    Args:
        sample: The sample.
        of_object: Chooses the object, see `choose_place`.
        lengths: Choose width and height, in [0, 1).
        places: Choose the place along x and y, in [0, 1).
    """
    height, width = sample.image.shape[-2:]
    new_width, new_height = (_choose_length(side, draw) for side, draw in zip((width, height), lengths, strict=True))
    return choose_place(sample, (new_width, new_height), of_object, places)


def choose_place(sample: Sample, size: tuple[int, int], of_object: float, places: tuple[float, float]) -> Window:
    """Chooses the place of a window that contains the centre of an object; of a crowd only if there is nothing else.

    Args:
        sample: The sample.
        size: Width and height of the window.
        of_object: Chooses the object, in [0, 1).
        places: Choose the place along x and y, in [0, 1), uniformly among those that keep the centre's pixel.
    """
    height, width = sample.image.shape[-2:]
    candidates = sample.boxes[~sample.crowd] if not sample.crowd.all() else sample.boxes
    x = y = None
    if len(candidates):
        x, y = _centres(candidates)[int(of_object * len(candidates))].tolist()
    left, top = _choose_start(width, size[0], x, places[0]), _choose_start(height, size[1], y, places[1])
    return Window(left, top, *size)


def _choose_length(side: int, draw: float) -> int:
    shortest = max(1, round(SMALLEST_CROP * side))
    return shortest + int(draw * (side - shortest + 1))


def _choose_start(side: int, length: int, centre: float | None, draw: float) -> int:
    """Chooses the start along one side, uniformly among those that keep the centre's pixel."""
    first, last = 0, side - length
    if centre is not None:
        pixel = min(int(centre), side - 1)
        first, last = max(first, pixel - length + 1), min(last, pixel)
    return first + int(draw * (last - first + 1))


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2  # [M, 2]
