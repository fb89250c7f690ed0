"""Scale jitter: what an image shows becomes larger or smaller, and the image keeps its size.

A picture that is only resized would not change anything: the network receives all pictures with the same shorter side.
"""

import torch

from core.retinanet.preprocess import IMAGENET_MEAN
from core.structures import Sample
from core.training.augmentation.crop import choose_place, crop
from core.training.augmentation.windows import (
    Size,
    Window,
    count_pixels,
    cut_out,
    join,
    place,
    shift,
    slices_of,
    stretch,
)

AROUND = torch.tensor(IMAGENET_MEAN).mul(255).round().to(torch.uint8)[:, None, None]  # [3, 1, 1]; 0 to the network


def zoom(sample: Sample, factor: float, of_object: float, places: tuple[float, float]) -> Sample:
    """Shows a sample larger or smaller.

    Larger: a part around the centre of an object is resized to the whole; objects are kept as by `crop`. Smaller: the
    whole picture is reduced, and what is around it has the mean colour of ImageNet, as if the network had padded it.

    Args:
        sample: The sample.
        factor: How much larger, above 0; sides are rounded to whole pixels.
        of_object: Chooses the object, see `choose_place`.
        places: Choose the place along x and y, in [0, 1).
    """
    height, width = sample.image.shape[-2:]
    whole = Size(width, height)
    if factor >= 1:
        part = Size(count_pixels(width / factor, width), count_pixels(height / factor, height))
        return stretch(crop(sample, choose_place(sample, part, of_object, places)), whole)
    size = Size(count_pixels(width * factor, width), count_pixels(height * factor, height))
    window = place(size, whole, places)
    small = cut_out(sample, Window(0, 0, *whole), size)
    image = AROUND.repeat(1, height, width)
    image[:, *slices_of(window)] = small.image
    return join(image, [shift(small, window.left, window.top)])
