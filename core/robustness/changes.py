"""Changes of a picture that leave its objects what they are, and where their boxes are afterwards."""

import io
import math
from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from core.retinanet.boxes import clip

INSIDE = 0.5  # share of a box that must be left in the changed picture


class ChangeKind(NamedTuple):
    """A kind of change.

    Attributes:
        unit: What its strength counts, in words.
        strengths: Those that are tried, ascending; 0 leaves the picture as it is.
        apply: Takes an image, uint8 [3, H, W], a strength other than 0 and a seed, and returns the changed image.
    """

    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Tensor, float, int], Tensor]


def _blur(image: Tensor, strength: float, seed: int) -> Tensor:
    return _from_pil(_to_pil(image).filter(ImageFilter.GaussianBlur(strength)))


def _add_noise(image: Tensor, strength: float, seed: int) -> Tensor:
    dice = torch.Generator().manual_seed(seed)
    noise = torch.randn(image.shape, generator=dice) * strength
    return (image + noise).round().clamp(0, 255).to(torch.uint8)


def _brighten(image: Tensor, strength: float, seed: int) -> Tensor:
    return (image * (1 + strength / 100)).round().clamp(0, 255).to(torch.uint8)


def _compress(image: Tensor, strength: float, seed: int) -> Tensor:
    file = io.BytesIO()
    _to_pil(image).save(file, "jpeg", quality=round(100 - strength))
    return _from_pil(Image.open(file).convert("RGB"))


def _rotate(image: Tensor, strength: float, seed: int) -> Tensor:
    mean = image.float().mean(dim=(1, 2)).round().int().tolist()  # beyond the picture
    return _from_pil(_to_pil(image).rotate(strength, Image.Resampling.BILINEAR, fillcolor=tuple(mean)))


def _shift(image: Tensor, strength: float, seed: int) -> Tensor:
    return shift_right(image, round(strength))


CHANGES = MappingProxyType(
    {
        "blur": ChangeKind("deviation in pixels", (0, 0.5, 1, 2, 3, 4), _blur),
        "noise": ChangeKind("deviation, of 255", (0, 5, 10, 20, 40, 60), _add_noise),
        "brightness": ChangeKind("percent brighter", (-60, -40, -20, 0, 20, 40, 60), _brighten),
        "jpeg": ChangeKind("100 less the quality", (0, 20, 50, 70, 90, 95), _compress),
        "rotation": ChangeKind("degrees, anticlockwise", (-16, -8, -4, 0, 4, 8, 16), _rotate),
        "shift": ChangeKind("pixels to the right", (0, 1, 2, 3, 4, 6, 8), _shift),
    }
)


def apply_change(name: str, image: Tensor, strength: float, seed: int) -> Tensor:
    """Returns a changed image; with strength 0 the image itself.

    Args:
        name: A key of `CHANGES`.
        image: uint8 [3, H, W].
        strength: Its strength; of brightness and rotation also negative.
        seed: Of the noise.
    """
    return image if strength == 0 else CHANGES[name].apply(image, strength, seed)


def move_boxes(name: str, boxes: Tensor, strength: float, size: tuple[int, int]) -> Tensor:
    """Returns where boxes [N, 4] of an image are in the changed one; they may reach beyond it.

    A turned box is the smallest upright one around its turned corners, so that it is larger than its object needs: at
    16 degrees that of a square by half, which an IoU of 0.5 still allows.

    Args:
        name: A key of `CHANGES`.
        boxes: xyxy pixels.
        strength: That of the change.
        size: (height, width) of the image.
    """
    if name == "shift":
        return boxes + boxes.new_tensor([round(strength), 0, round(strength), 0])
    if name != "rotation" or strength == 0:
        return boxes
    height, width = size
    angle = math.radians(strength)
    x, y = boxes[:, [0, 2, 0, 2]] - width / 2, boxes[:, [1, 1, 3, 3]] - height / 2  # [N, 4]
    turned_x = x * math.cos(angle) + y * math.sin(angle) + width / 2
    turned_y = y * math.cos(angle) - x * math.sin(angle) + height / 2
    return torch.stack((turned_x.amin(1), turned_y.amin(1), turned_x.amax(1), turned_y.amax(1)), dim=1)


def is_outside(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns for each box [N, 4] whether more than half of it lies outside of an image (height, width), bool [N]."""
    return _area(clip(boxes, *size)) < INSIDE * _area(boxes)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def shift_right(image: Tensor, pixels: int) -> Tensor:
    """Returns an image […, W] moved to the right, or for a negative number to the left; the border is repeated."""
    columns = torch.arange(image.shape[-1], device=image.device) - pixels
    return image[..., columns.clamp(0, image.shape[-1] - 1)]


def _to_pil(image: Tensor) -> Image.Image:
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def _from_pil(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
