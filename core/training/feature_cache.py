"""A cache of a frozen backbone's feature maps (`training.cache_features`): the same training with less computation."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

MEGABYTE = 1_000_000

Maps = tuple[Tensor, ...]


class FeatureCache:
    """Caches the feature maps C3–C5 of images, by their pixels and the size they are padded to.

    Each image passes through the backbone alone, so its maps are bitwise equal whether cached or computed again, and a
    resumed run, which starts with an empty cache, continues exactly. Entries are never evicted: training visits all
    images in turn, so evicting one to make room for another would only lower the hit rate.

    Args:
        body: The frozen backbone without its pyramid, batch norms included; maps pixels [1, 3, H, W] to its maps.
        megabytes: Memory for the maps. Maps of images that no longer fit are computed each time.
    """

    def __init__(self, body: nn.Module, megabytes: int) -> None:
        self._body, self._free = body, megabytes * MEGABYTE
        self._cached: dict[tuple[bytes, torch.Size, torch.Size], Maps] = {}

    @torch.no_grad()
    def maps(self, images: Sequence[Tensor], pixels: Tensor) -> Maps:
        """Returns the feature maps of a batch, one [B, C, H, W] per level.

        Args:
            images: B images, uint8 [3, H, W], on the CPU.
            pixels: The same images as the network receives them, [B, 3, Hp, Wp].
        """
        of_images = [self._image_maps(image, pixels[index : index + 1]) for index, image in enumerate(images)]
        return tuple(torch.cat(level) for level in zip(*of_images, strict=True))

    def _image_maps(self, image: Tensor, pixels: Tensor) -> Maps:
        content = hashlib.blake2b(image.contiguous().numpy().data, digest_size=16).digest()
        key = (content, image.shape, pixels.shape)  # the amount of padding affects the maps
        if key in self._cached:
            return self._cached[key]
        maps = tuple(self._body(pixels).values())
        size = sum(level.nbytes for level in maps)
        if size <= self._free:
            self._free -= size
            self._cached[key] = maps
        return maps
