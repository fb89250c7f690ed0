"""Decodes untrusted image files to upright RGB tensors, within bounds, in this process."""

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from core.errors import PictureError
from core.io.picture_bounds import find_excess, find_slowness, is_directory_bounded
from core.io.slow_formats import use_fast_decoder

if TYPE_CHECKING:
    from torch import Tensor

MAX_PIXELS = 50_000_000  # 150 MB decoded
MAX_BYTES = 320 * 2**20  # so many pixels of 48 bits without compression
MAX_SIDE = 30_000
MAX_AT_ONCE = 2**20  # values that are scaled together, each of which takes some 40 bytes
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


def decode_image(source: str | Path | BinaryIO | Image.Image) -> "Tensor":
    """Decodes an image as `decode_pixels` does, from the same sources and with the same errors, to a tensor."""
    import torch  # which a process that only passes pixels on does without

    return torch.from_numpy(decode_pixels(source))


def decode_pixels(source: str | Path | BinaryIO | Image.Image) -> np.ndarray:
    """Decodes an image: upright (EXIF), first frame, transparency on white, 16 bits scaled to 8.

    Args:
        source: A path, an open binary file, or a Pillow image (which is not modified).

    Returns:
        uint8 [3, H, W], RGB.

    Raises:
        PictureError: The source is not an image, is truncated, exceeds `MAX_PIXELS`, `MAX_SIDE` or `MAX_BYTES`, or
            would take too long to decode.
    """
    name = _get_name(source)
    image = _read_header(source, name)
    try:
        image.load()
        rgb = _to_rgb(_make_upright(image))
        return np.ascontiguousarray(np.array(rgb).transpose(2, 0, 1))  # H W 3 → 3 H W
    except Exception as error:  # decoders raise anything on broken files: OSError, SyntaxError, IndexError, …
        raise PictureError(
            f"The picture {name} cannot be decoded ({error}): it is damaged or incomplete, save or copy it again."
        ) from None


def measure_image(source: str | Path | BinaryIO | Image.Image) -> tuple[int, int]:
    """Returns the width and height in pixels of what `decode_image` returns, usually without decoding pixels.

    Raises:
        PictureError: As in `decode_image`, except for damage after the header.
    """
    image = _read_header(source, _get_name(source))
    width, height = image.size
    is_turned = image.format == "TIFF"  # Pillow has swapped its sides already
    return (height, width) if _get_orientation(image) in (5, 6, 7, 8) and not is_turned else (width, height)


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
    except Exception as error:  # as in decode_image
        raise PictureError(f"The picture {name} has a damaged header ({error}): save or copy it again.") from None
    _require_size(image, name)
    if slowness := find_slowness(image, content):
        raise PictureError(f"The picture {name} {slowness}.")
    use_fast_decoder(image)
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
    result = np.empty(values.shape, np.uint8)
    rows = max(1, MAX_AT_ONCE // values.shape[1])
    for first in range(0, len(values), rows):
        scaled = (values[first : first + rows].astype(np.float64) - black) * (255 / max(white - black, 1e-300))
        scaled = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
        result[first : first + rows] = scaled + 0.5
    return Image.fromarray(result).convert("RGB")
