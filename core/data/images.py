"""Opens untrusted image files as upright RGB tensors, by another process where this one leaves such files to it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from core.errors import PictureError
from core.io.decoding import MAX_SIDE, decode_image, decode_pixels, measure_image
from core.reader import Kind, limits_for, read_apart
from core.reader.tasks import Progress

if TYPE_CHECKING:  # PyTorch is imported where tensors are made: the process that decodes pictures for others makes none
    from torch import Tensor

PIXELS = "pixels"  # what the other process answers with


def open_image(source: str | Path | BinaryIO | Image.Image) -> "Tensor":
    """Decodes an image as `decode_image` does, and raises the same errors.

    Args:
        source: A path, an open binary file, or a Pillow image (which is not modified).

    Returns:
        uint8 [3, H, W], RGB.
    """
    return open_shrunk(source, MAX_SIDE)[0] if isinstance(source, str | Path) else decode_image(source)


def open_shrunk(path: str | Path, max_side: int) -> tuple["Tensor", bool]:
    """Decodes an image file as `open_image` does, and scales it down until no side is longer than `max_side`.

    Another process decodes it if this one is to leave such files to it.

    Returns:
        The image, uint8 [3, H, W], and True if it has been scaled down.
    """
    import torch

    limits = limits_for(Kind.PICTURES, Path(path))
    if limits is None:
        image, is_shrunk = _decode_shrunk(path, max_side)
        return torch.from_numpy(image), is_shrunk
    arguments = {"path": str(path), "max_side": max_side}
    with read_apart("picture", arguments, name=f"The picture {path}", limits=limits, refusal=PictureError) as answer:
        pixels = np.fromfile(answer.folder / PIXELS, dtype=np.uint8)
    height, width, is_shrunk = answer.value
    return torch.from_numpy(pixels).reshape(3, height, width), is_shrunk


def open_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> tuple[int, int, bool]:
    """Decodes an image for another process, with the pixels as a file; returns height, width and whether shrunk."""
    image, is_shrunk = _decode_shrunk(arguments["path"], arguments["max_side"])
    (folder / PIXELS).write_bytes(image.data.cast("B"))
    return *image.shape[1:], is_shrunk


def shrink(image: "Tensor", max_side: int) -> "Tensor":
    """Scales an image, uint8 [3, H, W], down until no side is longer than `max_side`."""
    import torch

    return torch.from_numpy(_shrink_pixels(image.numpy(), max_side)) if max(image.shape[1:]) > max_side else image


def _decode_shrunk(path: str | Path, max_side: int) -> tuple[np.ndarray, bool]:
    image = decode_pixels(path)
    shrunk = _shrink_pixels(image, max_side)
    return shrunk, shrunk is not image


def _shrink_pixels(image: np.ndarray, max_side: int) -> np.ndarray:
    height, width = image.shape[1:]
    longer = max(height, width)
    if longer <= max_side:
        return image
    size = (max(1, round(width * max_side / longer)), max(1, round(height * max_side / longer)))
    channels = [Image.fromarray(channel).resize(size, Image.Resampling.BILINEAR) for channel in image]
    return np.stack(list(map(np.asarray, channels)))


def read_image_size(source: str | Path | BinaryIO | Image.Image) -> tuple[int, int]:
    """Returns the width and height in pixels of what `open_image` returns, usually without decoding pixels.

    Raises:
        PictureError: As in `open_image`, except for damage after the header.
    """
    if not isinstance(source, str | Path):
        return measure_image(source)
    size = read_image_sizes([source])[0]
    if isinstance(size, PictureError):
        raise size
    return size


def read_image_sizes(paths: Sequence[str | Path]) -> list[tuple[int, int] | PictureError]:
    """Returns the width and height of each image file as `read_image_size` does, or why it cannot be read."""
    limits = limits_for(Kind.PICTURES, Path(paths[0])) if paths else None
    if limits is None:
        return list(map(_try_to_measure, paths))
    arguments = {"paths": list(map(str, paths))}
    name = f"The picture {paths[0]}" if len(paths) == 1 else "One of the pictures"
    with read_apart("picture sizes", arguments, name=name, limits=limits, refusal=PictureError) as answer:
        return [PictureError(each) if isinstance(each, str) else (each[0], each[1]) for each in answer.value]


def read_sizes_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> list[tuple[int, int] | str]:
    """Returns the sizes of image files for another process; of one that cannot be read, the message."""
    sizes: list[tuple[int, int] | str] = []
    for path in arguments["paths"]:
        size = _try_to_measure(path)
        sizes.append(str(size) if isinstance(size, PictureError) else size)
        progress(len(sizes), len(arguments["paths"]))
    return sizes


def _try_to_measure(path: str | Path) -> tuple[int, int] | PictureError:
    """Returns the size of an image file, or why it cannot be read."""
    try:
        return measure_image(path)
    except PictureError as error:
        return error


def to_pil(image: "Tensor") -> Image.Image:
    """Converts uint8 [3, H, W] to a Pillow image."""
    return Image.fromarray(image.permute(1, 2, 0).cpu().numpy())
