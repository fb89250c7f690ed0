"""The limits of a picture that the page keeps and shows."""

from pathlib import Path
from threading import BoundedSemaphore

import torch
from torch import Tensor

from core.data.images import open_image
from core.errors import PictureError
from core.io.paths import hide_folder

MAX_BOXES = 500  # that a visitor can draw
MAX_SIDE = 2048  # px; larger pictures are scaled down, since the network's input is hardly longer than 1,300 px
OPENED_AT_ONCE = 2  # uploads; decoding and scaling one takes up to 1 GB
_opening = BoundedSemaphore(OPENED_AT_ONCE)


def open_limited(path: str | Path, name: str) -> tuple[Tensor, bool]:
    """Opens an upload, and returns it, uint8 [3, H, W], and True if it has been scaled down; others wait meanwhile.

    Args:
        path: The file; its content is not trusted.
        name: The name for people, who do not know the path on the server.

    Raises:
        PictureError: It cannot be opened.
    """
    with _opening:
        try:
            given = open_image(path)
        except PictureError as error:
            raise PictureError(hide_folder(str(error), path, name)) from None
        image = limit_size(given)
        return image, image is not given


def limit_size(image: Tensor) -> Tensor:
    """Scales an image [3, H, W] down until no side is longer than `MAX_SIDE`."""
    longer = max(image.shape[1:])
    if longer <= MAX_SIDE:
        return image
    size = [max(1, round(side * MAX_SIDE / longer)) for side in image.shape[1:]]
    resized = torch.nn.functional.interpolate(image[None].float(), size, mode="bilinear", antialias=True)
    return resized[0].round().to(torch.uint8)
