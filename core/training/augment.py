"""Random changes of a training picture that leave its objects true: flip, scale, crop, colour, noise."""

from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from core.config import Training
from core.structures import Sample

SMALLEST_CROP = 0.5  # share of each side; smaller parts would mostly show pieces of large objects


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
    grain: float


class CropWindow(NamedTuple):
    """A rectangle of whole pixels: its upper left corner and its sides."""

    left: int
    top: int
    width: int
    height: int


def augment(sample: Sample, training: Training, rng: torch.Generator) -> Sample:
    """Changes a sample at random, in the order flip, scale, crop, colour, noise.

    The same generator state gives the same result, and every call draws equally often, so that one setting does not
    change what another one does. A setting of 0 leaves its part as it is, to the bit.

    Args:
        sample: The sample, with boxes inside the picture; it is not changed itself.
        training: How much of each: `flip_probability`, `scale_jitter`, `crop_probability`, `colour_jitter`,
            `noise_jitter`.
        rng: Source of randomness, on the CPU.

    Returns:
        The changed sample; the picture's size may differ. No box of it is without area.
    """
    draws = _Draws(*torch.rand(len(_Draws._fields), generator=rng).tolist())
    if draws.flip < training.flip_probability:
        sample = flipped(sample)
    if training.scale_jitter > 0:
        sample = scaled(sample, _factor(draws.scale, training.scale_jitter))
    if draws.crop < training.crop_probability:
        sample = cropped(sample, _part(sample, draws))
    if training.colour_jitter > 0:
        changes = (draws.brightness, draws.contrast, draws.saturation)
        factors = [_factor(draw, training.colour_jitter) for draw in changes]
        sample = sample._replace(image=recoloured(sample.image, *factors))
    if training.noise_jitter > 0:
        # The square makes slight noise the usual case, as it is in pictures.
        deviation, grain = training.noise_jitter * draws.noise**2, torch.Generator()
        grain.manual_seed(int(draws.grain * 2**24))  # its own: `rng` has no more to give than the draws
        sample = sample._replace(image=grained(sample.image, deviation, grain))
    return sample


def flipped(sample: Sample) -> Sample:
    """Mirrors left to right."""
    width = sample.image.shape[-1]
    x1, y1, x2, y2 = sample.boxes.unbind(-1)
    boxes = torch.stack((width - x2, y1, width - x1, y2), dim=-1)  # M 4
    return sample._replace(image=F.horizontal_flip(sample.image), boxes=boxes)


def scaled(sample: Sample, factor: float) -> Sample:
    """Resizes picture and boxes alike; sides are rounded to whole pixels, at least one."""
    height, width = sample.image.shape[-2:]
    new_height, new_width = max(1, round(height * factor)), max(1, round(width * factor))
    image = F.resize(sample.image, [new_height, new_width], antialias=True)
    ratio = sample.boxes.new_tensor([new_width / width, new_height / height]).repeat(2)
    return sample._replace(image=image, boxes=sample.boxes * ratio)


def cropped(sample: Sample, part: CropWindow) -> Sample:
    """Cuts a part out; objects whose centre lies outside go, the others are clipped to the part."""
    corner = sample.boxes.new_tensor([part.left, part.top])
    sides = sample.boxes.new_tensor([part.width, part.height])
    centres = _centres(sample.boxes) - corner  # M 2
    boxes = torch.minimum((sample.boxes - corner.repeat(2)).clamp(min=0), sides.repeat(2))
    keep = ((centres >= 0) & (centres < sides) & (boxes[:, 2:] > boxes[:, :2])).all(dim=1)
    image = sample.image[:, part.top : part.top + part.height, part.left : part.left + part.width].contiguous()
    return sample._replace(image=image, boxes=boxes[keep], labels=sample.labels[keep], crowd=sample.crowd[keep])


def recoloured(image: Tensor, brightness: float, contrast: float, saturation: float) -> Tensor:
    """Multiplies brightness, contrast and saturation of a picture, each unchanged at 1.

    Args:
        image: uint8 [3, H, W], RGB.
        brightness: Factor; 0 is black.
        contrast: Factor; 0 is plain grey.
        saturation: Factor; 0 is a grey picture.
    """
    image = F.adjust_brightness(image, float(brightness))  # with an int it would wrap around at 256
    image = F.adjust_contrast(image, contrast)
    return F.adjust_saturation(image, saturation)


def grained(image: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """Adds Gaussian noise that all channels share, as the grain of film has no colour.

    Args:
        image: uint8 [3, H, W].
        deviation: Standard deviation, where 1 is full brightness.
        rng: Source of the noise.
    """
    grain = torch.randn(image.shape[1:], generator=rng) * (255 * deviation)
    return (image + grain).round_().clamp_(0, 255).to(torch.uint8)


def _factor(draw: float, jitter: float) -> float:
    return 1 + jitter * (2 * draw - 1)


def _centres(boxes: Tensor) -> Tensor:
    return (boxes[:, :2] + boxes[:, 2:]) / 2  # M 2


def _part(sample: Sample, draws: _Draws) -> CropWindow:
    """Chooses a part that contains the centre of a random object, of a crowd only where there is no other."""
    height, width = sample.image.shape[-2:]
    chosen = sample.boxes[~sample.crowd] if not sample.crowd.all() else sample.boxes
    centre = (None, None)
    if len(chosen):
        centre = _centres(chosen)[int(draws.crop_object * len(chosen))].tolist()
    left, new_width = _span(width, centre[0], draws.crop_width, draws.crop_x)
    top, new_height = _span(height, centre[1], draws.crop_height, draws.crop_y)
    return CropWindow(left, top, new_width, new_height)


def _span(side: int, centre: float | None, length_draw: float, place_draw: float) -> tuple[int, int]:
    """Chooses start and length along one side, uniform among the places that keep the pixel of the centre."""
    shortest = max(1, round(SMALLEST_CROP * side))
    length = shortest + int(length_draw * (side - shortest + 1))
    first, last = 0, side - length
    if centre is not None:
        pixel = min(int(centre), side - 1)
        first, last = max(first, pixel - length + 1), min(last, pixel)
    return first + int(place_draw * (last - first + 1)), length
