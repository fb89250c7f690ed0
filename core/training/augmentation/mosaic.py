"""Mosaic: four training pictures in one (Bochkovskiy et al., "YOLOv4", 2020, section 3.3).

The paper's code scales all four to the size of the whole image and cuts them. Here each picture is scaled at random,
from filling its quadrant to filling the whole image: objects are seen in several sizes, and large ones are not always
cut.
"""

from collections.abc import Sequence

import torch

from core.structures import Sample
from core.training.augmentation.windows import Size, Window, count_pixels, cut_out, join, place, shift

PICTURES = 4
MARGIN = 0.25  # share of each side; the point at which the four pictures meet is no closer to the edge


def make_mosaic(samples: Sequence[Sample], rng: torch.Generator) -> Sample:
    """Combines four samples into one of the size of the first.

    A random point divides the image into quadrants, and each shows a random part of one sample, with its proportions
    kept up to whole pixels; nothing is left empty. Objects are clipped and dropped as in `cut_out`.

    Args:
        samples: The four samples: for the top left, top right, bottom left and bottom right.
        rng: Source of randomness, on the CPU; 14 numbers are drawn.

    Returns:
        The mosaic, with the number of the first sample; that sample itself if a side has only one pixel.
    """
    x_draw, y_draw, *draws = torch.rand(2 + 3 * PICTURES, generator=rng).tolist()
    height, width = samples[0].image.shape[-2:]
    if min(height, width) < 2:
        return samples[0]
    image, parts = torch.empty_like(samples[0].image), []
    for index, quadrant in enumerate(_divide(Size(width, height), x_draw, y_draw)):
        left, top, *size = quadrant
        numbers = draws[3 * index : 3 * index + 3]
        window = _choose_window(samples[index], Size(*size), Size(width, height), numbers)
        part = cut_out(samples[index], window, Size(*size))
        image[:, top : top + quadrant.height, left : left + quadrant.width] = part.image
        parts.append(shift(part, left, top))
    return join(image, parts)


def _divide(size: Size, x_draw: float, y_draw: float) -> list[Window]:
    """Returns the four quadrants of an image, each of at least one pixel."""
    x, y = (
        min(max(round(side * (MARGIN + (1 - 2 * MARGIN) * draw)), 1), side - 1)
        for side, draw in zip(size, (x_draw, y_draw), strict=True)
    )
    columns, rows = ((0, x), (x, size.width - x)), ((0, y), (y, size.height - y))
    return [Window(left, top, width, height) for top, height in rows for left, width in columns]


def _choose_window(sample: Sample, quadrant: Size, whole: Size, draws: Sequence[float]) -> Window:
    """Chooses the part of a sample for a quadrant: with the scale first, then the position."""
    height, width = sample.image.shape[-2:]
    smallest = max(quadrant.width / width, quadrant.height / height)  # the scale at which it just fills the quadrant
    largest = max(whole.width / width, whole.height / height)
    factor = smallest * (largest / smallest) ** draws[0]
    part = Size(count_pixels(quadrant.width / factor, width), count_pixels(quadrant.height / factor, height))
    return place(part, Size(width, height), (draws[1], draws[2]))
