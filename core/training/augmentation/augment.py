"""Random augmentation of training samples: flip, scale, crop, colour, noise. Boxes follow the image."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.transforms import functional as F  # its second version would import PyTorch's compiler

from core.config import Training
from core.retinanet.boxes import mirror
from core.structures import Sample
from core.training.augmentation.crop import choose_window, crop
from core.training.augmentation.windows import drop_empty
from core.training.augmentation.zoom import zoom


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
    scale_object: float
    scale_x: float
    scale_y: float


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
        factor = _factor(draws.scale, training.scale_jitter)
        sample = zoom(sample, factor, draws.scale_object, (draws.scale_x, draws.scale_y))
    if draws.crop < training.crop_probability:
        lengths, places = (draws.crop_width, draws.crop_height), (draws.crop_x, draws.crop_y)
        sample = crop(sample, choose_window(sample, draws.crop_object, lengths, places))
    if training.colour_jitter > 0:
        changes = (draws.brightness, draws.contrast, draws.saturation)
        factors = [_factor(draw, training.colour_jitter) for draw in changes]
        sample = sample._replace(image=adjust_colour(sample.image, *factors))
    if training.noise_jitter > 0:
        # Squaring makes weak noise the most frequent, as it is in photographs.
        deviation, noise_rng = training.noise_jitter * draws.noise**2, torch.Generator()
        noise_rng.manual_seed(int(draws.noise_seed * 2**24))  # a separate generator: `rng` provides the draws only
        sample = sample._replace(image=add_noise(sample.image, deviation, noise_rng))
    return drop_empty(sample)


def flip(sample: Sample) -> Sample:
    """Mirrors a sample horizontally."""
    return sample._replace(image=F.hflip(sample.image), boxes=mirror(sample.boxes, sample.image.shape[-1]))


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
