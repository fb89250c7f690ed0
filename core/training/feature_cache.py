"""What a frozen body says of pictures that come again (`training.cache_features`): the same training, less work."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

MEGABYTE = 1_000_000

Maps = tuple[Tensor, ...]


class FeatureCache:
    """Keeps the maps C3–C5 of pictures by their pixels and the shape they are padded to.

    Each picture goes through the body alone, so its maps are the same to the bit whether they are kept or computed
    again, and a run that resumes with nothing kept goes on exactly. What is kept stays: training takes all pictures in
    turn, so to drop one for another would only find less.

    Args:
        body: Frozen, norms included; takes pixels [1, 3, H, W] to a mapping of its maps.
        megabytes: Memory for the maps. Those of pictures that find no room are computed each time.
    """

    def __init__(self, body: nn.Module, megabytes: int) -> None:
        self._body, self._room = body, megabytes * MEGABYTE
        self._kept: dict[tuple, Maps] = {}

    @torch.no_grad()
    def maps(self, images: Sequence[Tensor], pixels: Tensor) -> Maps:
        """Returns the maps of a batch, [B, C, H, W] each.

        Args:
            images: B pictures, uint8 [3, H, W], on the CPU.
            pixels: The same as the network sees them, [B, 3, Hp, Wp].
        """
        parts = [self._maps_of(image, pixels[number : number + 1]) for number, image in enumerate(images)]
        return tuple(torch.cat(level) for level in zip(*parts, strict=True))

    def _maps_of(self, image: Tensor, pixels: Tensor) -> Maps:
        content = hashlib.blake2b(image.contiguous().numpy(), digest_size=16).digest()
        key = (content, image.shape, pixels.shape)  # the width of the padding tells in the maps
        if key in self._kept:
            return self._kept[key]
        maps = tuple(self._body(pixels).values())
        size = sum(level.nbytes for level in maps)
        if size <= self._room:
            self._room -= size
            self._kept[key] = maps
        return maps
