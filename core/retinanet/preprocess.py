"""From pictures of any size to one normalised, padded batch, exactly as torchvision does it."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from core.config import Inference
from core.errors import PictureError
from core.structures import Sample

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PAD_TO = 32  # px; the stride of C5, so that every level of the body divides evenly


class Batch(NamedTuple):
    """Pictures as the network sees them.

    Attributes:
        pixels: float32 [B, 3, Hp, Wp], normalised; padded with zeros at the right and at the bottom.
        sizes: (height, width) of each picture after resizing and before padding, px.
        originals: (height, width) of each picture as it came, px.
    """

    pixels: Tensor
    sizes: tuple[tuple[int, int], ...]
    originals: tuple[tuple[int, int], ...]

    @property
    def factors(self) -> Tensor:
        """float32 [B, 4]: `boxes * factors[i]` takes xyxy boxes of the resized picture i back to the original."""
        resized = torch.tensor(self.sizes, dtype=torch.float32, device=self.pixels.device)  # [B, 2]
        original = torch.tensor(self.originals, dtype=torch.float32, device=self.pixels.device)  # [B, 2]
        return (original / resized).flip(1).repeat(1, 2)  # height, width → width, height, width, height: [B, 4]


def prepare(images: Sequence[Tensor], inference: Inference) -> Batch:
    """Normalises, resizes and pads pictures into one batch (paper, section 4.1, "Inference").

    The shorter side becomes `image_size`, unless the longer one would then exceed `max_image_size`.

    Args:
        images: B pictures [3, H, W] on one device, RGB, uint8 or float in 0 … 1.
        inference: Gives the two sizes.

    Raises:
        PictureError: A picture is so elongated that its shorter side would vanish.
        ValueError: There is no picture, or one has another shape or type.
    """
    if not images:
        raise ValueError("There is no picture to prepare: pass at least one.")
    for image in images:
        _check(image, inference)
    transform = GeneralizedRCNNTransform(
        inference.image_size, inference.max_image_size, list(IMAGENET_MEAN), list(IMAGENET_STD), size_divisible=PAD_TO
    )
    prepared, _ = transform.eval()([_unit_range(image) for image in images])
    originals = tuple((image.shape[1], image.shape[2]) for image in images)
    return Batch(prepared.tensors, tuple(prepared.image_sizes), originals)


def together(batches: Sequence[Batch]) -> Batch:
    """Makes one batch of several whose pictures are padded to the same shape."""
    pixels = torch.cat([batch.pixels for batch in batches])
    sizes, originals = (sum(parts, ()) for parts in zip(*(batch[1:] for batch in batches), strict=True))
    return Batch(pixels, sizes, originals)


def _unit_range(image: Tensor) -> Tensor:
    return image.float() / 255 if image.dtype == torch.uint8 else image.float()


def _check(image: Tensor, inference: Inference) -> None:
    if image.dim() != 3 or image.shape[0] != 3 or not image.numel():
        raise ValueError(f"A picture must be [3, H, W] with at least one pixel, not {list(image.shape)}.")
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise ValueError(f"A picture must be uint8, or float in 0 … 1, not {image.dtype}.")
    height, width = image.shape[1:]
    shorter, longer = min(height, width), max(height, width)
    if shorter * (inference.max_image_size / longer) < 1:
        raise PictureError(
            f"A picture of {width}×{height} px is too elongated: with its longer side at most "
            f"{inference.max_image_size} px (inference.max_image_size) its shorter side would vanish. "
            "Crop the picture or raise that setting."
        )


def objects_of(sample: Sample, factors: Tensor) -> tuple[Tensor, Tensor]:
    """Returns boxes [M, 4] in the network's pixels and labels [M] of what may be matched, on the factors' device."""
    boxes = sample.boxes[~sample.crowd].to(factors.device) / factors
    return boxes, sample.labels[~sample.crowd].to(factors.device)
