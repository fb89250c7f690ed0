"""Decodes untrusted image files to upright RGB tensors."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, UnidentifiedImageError
from torch import Tensor

from core.errors import PictureError
from core.io.picture_bounds import find_excess, find_slowness, is_directory_bounded
from core.reader import Kind, limits_for, read_apart
from core.reader.tasks import Progress

MAX_PIXELS = 50_000_000  # 150 MB decoded
MAX_BYTES = 64 * 2**20
MAX_SIDE = 30_000
PIXELS = "pixels"  # what the other process answers with
# Plain raster formats only: no EPS or PDF, which run programs, and no containers such as ICO, which may declare another
# size in the header than the image inside has.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000", "PPM", "QOI")
# By the number of EXIF; Pillow's own function rewrites all other fields, too, which may be many.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def open_image(source: str | Path | BinaryIO | Image.Image) -> Tensor:
    """Decodes an image: upright (EXIF), first frame, transparency on white, 16 bits scaled to 8.

    Args:
        source: A path, an open binary file, or a Pillow image (which is not modified).

    Returns:
        uint8 [3, H, W], RGB.

    Raises:
        PictureError: The source is not an image, is truncated, or exceeds `MAX_PIXELS`, `MAX_SIDE` or `MAX_BYTES`.
    """
    return open_shrunk(source, MAX_SIDE)[0] if isinstance(source, str | Path) else _decode(source)


def open_shrunk(path: str | Path, max_side: int) -> tuple[Tensor, bool]:
    """Decodes an image file as `open_image` does, and scales it down until no side is longer than `max_side`.

    Another process decodes it if this one is to leave such files to it.

    Returns:
        The image, uint8 [3, H, W], and True if it has been scaled down.
    """
    limits = limits_for(Kind.PICTURES, Path(path))
    if limits is None:
        image = _decode(path)
        shrunk = shrink(image, max_side)
        return shrunk, shrunk is not image
    arguments = {"path": str(path), "max_side": max_side}
    with read_apart("picture", arguments, name=f"The picture {path}", limits=limits, refusal=PictureError) as answer:
        pixels = np.fromfile(answer.folder / PIXELS, dtype=np.uint8)
    height, width, is_shrunk = answer.value
    return torch.from_numpy(pixels).reshape(3, height, width), is_shrunk


def open_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> tuple[int, int, bool]:
    """Decodes an image for another process, with the pixels as a file; returns height, width and whether shrunk."""
    image, is_shrunk = open_shrunk(arguments["path"], arguments["max_side"])
    (folder / PIXELS).write_bytes(image.numpy().data.cast("B"))
    return *image.shape[1:], is_shrunk


def shrink(image: Tensor, max_side: int) -> Tensor:
    """Scales an image [3, H, W] down until no side is longer than `max_side`."""
    longer = max(image.shape[1:])
    if longer <= max_side:
        return image
    size = [max(1, round(side * max_side / longer)) for side in image.shape[1:]]
    resized = torch.nn.functional.interpolate(image[None].float(), size, mode="bilinear", antialias=True)
    return resized[0].round().to(torch.uint8)


def read_image_size(source: str | Path | BinaryIO | Image.Image) -> tuple[int, int]:
    """Returns the width and height in pixels of what `open_image` returns, usually without decoding pixels.

    Raises:
        PictureError: As in `open_image`, except for damage after the header.
    """
    size = read_image_sizes([source])[0] if isinstance(source, str | Path) else _measure(source)
    if isinstance(size, PictureError):
        raise size
    return size


def read_image_sizes(paths: Sequence[str | Path]) -> list[tuple[int, int] | PictureError]:
    """Returns the width and height of each image file as `read_image_size` does, or why it cannot be read."""
    limits = limits_for(Kind.PICTURES, Path(paths[0])) if paths else None
    if limits is None:
        return [_measure(path) for path in paths]
    arguments = {"paths": list(map(str, paths))}
    name = f"The picture {paths[0]}" if len(paths) == 1 else "One of the pictures"
    with read_apart("picture sizes", arguments, name=name, limits=limits, refusal=PictureError) as answer:
        return [PictureError(each) if isinstance(each, str) else (each[0], each[1]) for each in answer.value]


def read_sizes_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> list[tuple[int, int] | str]:
    """Returns the sizes of image files for another process; of one that cannot be read, the message."""
    sizes: list[tuple[int, int] | str] = []
    for path in arguments["paths"]:
        size = _measure(path)
        sizes.append(str(size) if isinstance(size, PictureError) else size)
        progress(len(sizes), len(arguments["paths"]))
    return sizes


def _decode(source: str | Path | BinaryIO | Image.Image) -> Tensor:
    name = _get_name(source)
    image = _read_header(source, name)
    try:
        image.load()
        rgb = _to_rgb(_make_upright(image))
        return torch.from_numpy(np.array(rgb)).permute(2, 0, 1).contiguous()  # H W 3 → 3 H W
    except Exception as error:  # decoders raise anything on broken files: OSError, SyntaxError, IndexError, …
        raise PictureError(
            f"The picture {name} cannot be decoded ({error}): it is damaged or incomplete, save or copy it again."
        ) from None


def _measure(source: str | Path | BinaryIO | Image.Image) -> tuple[int, int] | PictureError:
    try:
        image = _read_header(source, _get_name(source))
    except PictureError as error:
        return error
    width, height = image.size
    return (height, width) if _get_orientation(image) in (5, 6, 7, 8) else (width, height)


def to_pil(image: Tensor) -> Image.Image:
    """Converts uint8 [3, H, W] to a Pillow image."""
    return Image.fromarray(image.permute(1, 2, 0).cpu().numpy())


def _get_name(source: str | Path | BinaryIO | Image.Image) -> str:
    if isinstance(source, str | Path):
        return str(source)
    return str(getattr(source, "filename", None) or getattr(source, "name", None) or "given")


def _read_header(source: str | Path | BinaryIO | Image.Image, name: str) -> Image.Image:
    """Reads type and size, no pixels, and rejects images that are too large."""
    if isinstance(source, Image.Image):
        return _require_size(source, name)
    content = _read_content(source, name)
    if excess := find_excess(content):
        raise PictureError(f"The picture {name} has {excess} to be opened: save it again as PNG or JPEG.")
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(
            f"The picture {name} declares far more than {MAX_PIXELS:,} pixels: make it smaller and try again."
        ) from None
    except UnidentifiedImageError:
        raise PictureError(
            f"The file {name} is not a picture in a known format ({', '.join(FORMATS)}): save it as PNG or JPEG."
        ) from None
    except Exception as error:  # as in open_image
        raise PictureError(f"The picture {name} has a damaged header ({error}): save or copy it again.") from None
    _require_size(image, name)
    if slowness := find_slowness(image, content):
        raise PictureError(f"The picture {name} {slowness}.")
    return image


def _read_content(source: str | Path | BinaryIO, name: str) -> bytes:
    try:
        if not isinstance(source, str | Path):
            data = source.read(MAX_BYTES + 1)
        else:
            require_file(source)
            with open(source, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"The picture {name} cannot be read ({error.strerror}): check the file.") from None
    if len(data) > MAX_BYTES:
        raise PictureError(f"The picture {name} is larger than {MAX_BYTES // 2**20} MB: save it smaller and try again.")
    return data


def require_file(path: str | Path) -> None:
    """Checks that a file exists and is a regular one: pipes and devices never end.

    Raises:
        PictureError: It does not exist, or is a folder.
    """
    if os.path.isdir(path):  # which is False for names that no file can have
        raise PictureError(f"{path} is a folder: name a picture in it.")
    if not os.path.isfile(path):
        raise PictureError(f"The picture {path} does not exist: check the path.")


def _require_size(image: Image.Image, name: str) -> Image.Image:
    width, height = image.size
    if min(width, height) < 1:
        raise PictureError(f"The picture {name} is empty ({width}×{height}): choose another one.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureError(
            f"The picture {name} has {width}×{height} pixels, more than {MAX_PIXELS:,} or a side above {MAX_SIDE:,}: "
            "make it smaller and try again."
        )
    return image


def _get_orientation(image: Image.Image) -> int:
    try:
        if not is_directory_bounded(_get_exif(image)):
            return 1
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # an image with broken EXIF is still usable
        return 1


def _get_exif(image: Image.Image) -> bytes:
    """Returns the EXIF of an image as Pillow will read it; PNG may have it as text of hexadecimal digits."""
    exif, text = image.info.get("exif"), image.info.get("Raw profile type exif")
    if isinstance(exif, bytes):
        return exif
    return bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else b""


def _make_upright(image: Image.Image) -> Image.Image:
    turn = TURNS.get(_get_orientation(image))
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _scale_to_8_bits(np.asarray(image), 0, 65535)
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        return _scale_to_8_bits(values, *_guess_range(values))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _guess_range(values: np.ndarray) -> tuple[float, float]:
    """Returns black and white for a format that does not define them: the first usual range that holds all values."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    usual = (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535)
    for white in usual:
        if low >= 0 and high <= white:
            return 0, white
    return low, high


def _scale_to_8_bits(values: np.ndarray, black: float, white: float) -> Image.Image:
    """Scales grey values so that black is 0 and white 255; NaN becomes black."""
    scaled = (values.astype(np.float64) - black) * (255 / max(white - black, 1e-300))
    scaled = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
    return Image.fromarray((scaled + 0.5).astype(np.uint8)).convert("RGB")
