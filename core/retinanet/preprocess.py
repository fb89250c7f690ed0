"""Preprocessing of images of any size into one normalised, padded batch, exactly as in torchvision."""

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
PAD_TO = 32  # px; the stride of C5, so that the sizes of C3–C5 are whole numbers


class Batch(NamedTuple):
    """Images as input of the network.

    Attributes:
        pixels: float32 [B, 3, Hp, Wp], normalised; padded with zeros at the right and the bottom.
        sizes: (height, width) of each image after resizing and before padding, px.
        originals: (height, width) of each original image, px.
    """

    pixels: Tensor
    sizes: tuple[tuple[int, int], ...]
    originals: tuple[tuple[int, int], ...]

    @property
    def factors(self) -> Tensor:
        """float32 [B, 4]: `boxes * factors[i]` scales xyxy boxes of the resized image i to the original."""
        resized = torch.tensor(self.sizes, dtype=torch.float32, device=self.pixels.device)  # [B, 2]
        original = torch.tensor(self.originals, dtype=torch.float32, device=self.pixels.device)  # [B, 2]
        return (original / resized).flip(1).repeat(1, 2)  # height, width → width, height, width, height: [B, 4]


class _Transform(GeneralizedRCNNTransform):
    """torchvision's transform; it normalises in place, since copies of a large image would take most of the memory."""

    def normalize(self, image: Tensor) -> Tensor:
        mean, std = image.new_tensor(self.image_mean), image.new_tensor(self.image_std)
        return image.sub_(mean[:, None, None]).div_(std[:, None, None])


def prepare(images: Sequence[Tensor], inference: Inference) -> Batch:
    """Normalises, resizes and pads images into one batch (paper, section 4.1, "Inference").

    The shorter side becomes `image_size` unless the longer one would exceed `max_image_size`, which then limits both.

    Args:
        images: B images [3, H, W] on one device, RGB, uint8 or float in 0 … 1.
        inference: Its `image_size` and `max_image_size` are used.

    Raises:
        PictureError: An image is so elongated that its shorter side would vanish.
        ValueError: There is no image, or one has a different shape or type.
    """
    if not images:
        raise ValueError("There is no image to prepare: pass at least one.")
    for image in images:
        _check(image, inference)
    transform = _Transform(
        inference.image_size, inference.max_image_size, list(IMAGENET_MEAN), list(IMAGENET_STD), size_divisible=PAD_TO
    )
    prepared, _ = transform.eval()([_copy_to_unit_range(image) for image in images])
    originals = tuple((image.shape[1], image.shape[2]) for image in images)
    return Batch(prepared.tensors, tuple(prepared.image_sizes), originals)


def concatenate(batches: Sequence[Batch]) -> Batch:
    """Concatenates batches of images that are padded to the same shape."""
    pixels = torch.cat([batch.pixels for batch in batches])
    sizes = tuple(size for batch in batches for size in batch.sizes)
    originals = tuple(size for batch in batches for size in batch.originals)
    return Batch(pixels, sizes, originals)


def _copy_to_unit_range(image: Tensor) -> Tensor:
    """Returns a copy in 0 … 1, float32."""
    pixels = image.to(torch.float32, copy=True)
    return pixels.div_(255) if image.dtype == torch.uint8 else pixels


def _check(image: Tensor, inference: Inference) -> None:
    if image.dim() != 3 or image.shape[0] != 3 or not image.numel():
        raise ValueError(f"An image must be [3, H, W] with at least one pixel, not {list(image.shape)}.")
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise ValueError(f"An image must be uint8, or float in 0 … 1, not {image.dtype}.")
    require_usable_sides(image.shape[1], image.shape[2], inference.max_image_size)


def require_usable_sides(height: int, width: int, max_image_size: int) -> None:
    """Checks that no side of an image vanishes when its longer side is reduced to `max_image_size` pixels.

    Raises:
        PictureError: The image is too elongated.
    """
    if min(height, width) * (max_image_size / max(height, width)) < 1:
        raise PictureError(
            f"An image of {width}×{height} px is too elongated: with its longer side at most "
            f"{max_image_size} px its shorter side would vanish. Crop the image or raise inference.max_image_size."
        )


def count_pixels(height: int, width: int, inference: Inference) -> float:
    """Returns the pixels of an image after resizing, without rounding its sides and without padding.

    Args:
        height: Height of the image in pixels.
        width: Width of the image in pixels.
        inference: Its limits of the sides count.
    """
    scale = min(inference.image_size / min(height, width), inference.max_image_size / max(height, width))
    return height * width * scale**2


def scale_objects(sample: Sample, factors: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the boxes [M, 4] of a resized image and the labels [M], without crowd regions, on the factors' device."""
    boxes = sample.boxes[~sample.crowd].to(factors.device) / factors
    return boxes, sample.labels[~sample.crowd].to(factors.device)
