"""The limits of a picture that the page keeps and shows."""

from pathlib import Path
from threading import BoundedSemaphore

from torch import Tensor

from core.data.images import open_shrunk, shrink
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
            return open_shrunk(path, MAX_SIDE)
        except PictureError as error:
            raise PictureError(hide_folder(str(error), path, name)) from None


def limit_size(image: Tensor) -> Tensor:
    """Scales an image [3, H, W] down until no side is longer than `MAX_SIDE`."""
    return shrink(image, MAX_SIDE)
