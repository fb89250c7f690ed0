"""Random augmentation of training samples: flip, scale, crop, colour, noise. Boxes follow the image."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from core.config import Training
from core.structures import Sample
from core.training.augmentation.windows import Window, keep_objects

SMALLEST_CROP = 0.5  # share of each side; smaller crops would mostly show pieces of large objects


class _Draws(NamedTuple):
    """Uniform numbers in [0, 1), one for each choice that `augment` may have to make."""

    flip: float
    scale: float
    crop: float
    crop_object: float
    crop_width: float
    crop_height: float
    crop_x: float
    crop_y: float
    brightness: float
    contrast: float
    saturation: float
    noise: float
    noise_seed: float


def augment(sample: Sample, training: Training, rng: torch.Generator) -> Sample:
    """Augments a sample at random, in the order flip, scale, crop, colour, noise.

    The result is determined by the generator's state. Every call draws the same number of random numbers, so changing
    one setting does not change the outcome of another. An augmentation whose setting is 0 leaves the sample unchanged.

    Args:
        sample: The sample, with boxes inside the image; it is not modified.
        training: The strength of each augmentation: `flip_probability`, `scale_jitter`, `crop_probability`,
            `colour_jitter`, `noise_jitter`.
        rng: Source of randomness, on the CPU.

    Returns:
        The augmented sample, possibly of another image size. None of its boxes is empty.
    """
    draws = _Draws(*torch.rand(len(_Draws._fields), generator=rng).tolist())
    if draws.flip < training.flip_probability:
        sample = flip(sample)
    if training.scale_jitter > 0:
        sample = scale(sample, _factor(draws.scale, training.scale_jitter))
    if draws.crop < training.crop_probability:
        sample = crop(sample, _choose_window(sample, draws))
    if training.colour_jitter > 0:
        changes = (draws.brightness, draws.contrast, draws.saturation)
        factors = [_factor(draw, training.colour_jitter) for draw in changes]
        sample = sample._replace(image=adjust_colour(sample.image, *factors))
    if training.noise_jitter > 0:
        # Squaring makes weak noise the most frequent, as it is in photographs.
        deviation, noise_rng = training.noise_jitter * draws.noise**2, torch.Generator()
        noise_rng.manual_seed(int(draws.noise_seed * 2**24))  # a separate generator: `rng` provides the draws only
        sample = sample._replace(image=add_noise(sample.image, deviation, noise_rng))
    return sample


def flip(sample: Sample) -> Sample:
    """Mirrors a sample horizontally."""
    width = sample.image.shape[-1]
    x1, y1, x2, y2 = sample.boxes.unbind(-1)
    boxes = torch.stack((width - x2, y1, width - x1, y2), dim=-1)  # [M, 4]
    return sample._replace(image=F.horizontal_flip(sample.image), boxes=boxes)


def scale(sample: Sample, factor: float) -> Sample:
    """Resizes the image and its boxes; each side is rounded to whole pixels and is at least one pixel long."""
    height, width = sample.image.shape[-2:]
    new_height, new_width = max(1, round(height * factor)), max(1, round(width * factor))
    image = F.resize(sample.image, [new_height, new_width], antialias=True)
    ratio = sample.boxes.new_tensor([new_width / width, new_height / height]).repeat(2)
    return sample._replace(image=image, boxes=sample.boxes * ratio)


def crop(sample: Sample, window: Window) -> Sample:
    """Crops a sample; objects centred outside the window are dropped, the others are clipped to it."""
    corner = sample.boxes.new_tensor([window.left, window.top])
    size = sample.boxes.new_tensor([window.width, window.height])
    centres = _centres(sample.boxes) - corner  # [M, 2]
    boxes = torch.minimum((sample.boxes - corner.repeat(2)).clamp(min=0), size.repeat(2))
    keep = ((centres >= 0) & (centres < size)).all(dim=1)
    rows = slice(window.top, window.top + window.height)
    columns = slice(window.left, window.left + window.width)
    image = sample.image[:, rows, columns].contiguous()
    return keep_objects(sample._replace(image=image, boxes=boxes), keep)


def adjust_colour(image: Tensor, brightness: float, contrast: float, saturation: float) -> Tensor:
    """Multiplies an image's brightness, contrast and saturation; a factor of 1 changes nothing.

    Args:
        image: uint8 [3, H, W], RGB.
        brightness: Brightness factor; 0 gives black.
        contrast: Contrast factor; 0 gives uniform grey.
        saturation: Saturation factor; 0 gives a greyscale image.
    """
    image = F.adjust_brightness(image, float(brightness))  # an int factor would make values wrap around at 256
    image = F.adjust_contrast(image, contrast)
    return F.adjust_saturation(image, saturation)


def add_noise(image: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """Adds Gaussian noise that is the same in all channels, like film grain.

    Args:
        image: uint8 [3, H, W].
        deviation: Standard deviation, as a fraction of full brightness.
        rng: Source of the noise.
    """
    noise = torch.randn(image.shape[1:], generator=rng) * (255 * deviation)
    return (image + noise).round_().clamp_(0, 255).to(torch.uint8)


def _factor(draw: float, jitter: float) -> float:
    return 1 + jitter * (2 * draw - 1)


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2  # [M, 2]


def _choose_window(sample: Sample, draws: _Draws) -> Window:
    """Chooses a window that contains the centre of a random object; of a crowd only if there is nothing else."""
    height, width = sample.image.shape[-2:]
    candidates = sample.boxes[~sample.crowd] if not sample.crowd.all() else sample.boxes
    x = y = None
    if len(candidates):
        x, y = _centres(candidates)[int(draws.crop_object * len(candidates))].tolist()
    left, new_width = _choose_interval(width, x, draws.crop_width, draws.crop_x)
    top, new_height = _choose_interval(height, y, draws.crop_height, draws.crop_y)
    return Window(left, top, new_width, new_height)


def _choose_interval(side: int, centre: float | None, length_draw: float, start_draw: float) -> tuple[int, int]:
    """Chooses the start and length along one side, the start uniformly among those that keep the centre's pixel."""
    shortest = max(1, round(SMALLEST_CROP * side))
    length = shortest + int(length_draw * (side - shortest + 1))
    first, last = 0, side - length
    if centre is not None:
        pixel = min(int(centre), side - 1)
        first, last = max(first, pixel - length + 1), min(last, pixel)
    return first + int(start_draw * (last - first + 1)), length
