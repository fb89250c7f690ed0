"""The image files of an album: pixels alone, without anything else that a photograph may tell."""

import io
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from core.data.images import open_image, to_pil
from core.errors import PictureError
from core.io.paths import hide_folder
from playground.support.picture_limits import open_limited

LOSSLESS_PIXELS = 2**19  # smaller pictures are stored without loss; for others that would take seconds and megabytes
QUALITY = 95  # of JPEG
MAX_TITLE = 100  # characters


class EncodedPicture(NamedTuple):
    """A picture as it is stored.

    Attributes:
        content: The bytes of the file.
        suffix: Its suffix.
        width: In pixels.
        height: In pixels.
        scaled: True if it was larger and has been scaled down.
    """

    content: bytes
    suffix: str
    width: int
    height: int
    scaled: bool


def encode_picture(path: str | Path, title: str) -> EncodedPicture:
    """Encodes a picture anew: upright, at most `MAX_SIDE` long, without EXIF, position, profile, text or thumbnail.

    Args:
        path: An uploaded file; its content is not trusted.
        title: The name for people.

    Raises:
        PictureError: It cannot be opened.
    """
    image, scaled = open_limited(path, title)
    height, width = image.shape[1:]
    content, lossless = io.BytesIO(), width * height <= LOSSLESS_PIXELS
    if lossless:
        to_pil(image).save(content, "PNG")
    else:
        to_pil(image).save(content, "JPEG", quality=QUALITY, subsampling=0)
    suffix = ".png" if lossless else ".jpg"
    return EncodedPicture(content.getvalue(), suffix, width, height, scaled)


def open_stored(path: Path, title: str) -> Tensor:
    """Opens a stored picture, uint8 [3, H, W].

    Raises:
        PictureError: It cannot be read.
    """
    try:
        return open_image(path)
    except PictureError as error:
        raise PictureError(hide_folder(str(error), path, title)) from None


def clean_title(title: str) -> str:
    """Returns a title as a single line of bounded length."""
    text = " ".join("".join(each if each.isprintable() else " " for each in title).split())
    return text[:MAX_TITLE] or "picture"
