"""Opens pictures nobody vouches for, as upright RGB tensors."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from core.errors import PictureError

MAX_PIXELS = 50_000_000  # 150 MB decoded
MAX_BYTES = 64 * 2**20
MAX_SIDE = 30_000
# Raster formats whose decoders take pixels and nothing else: no EPS or PDF, which run programs, and no containers
# such as ICO, whose header may declare another size than the picture inside.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "JPEG2000", "PPM", "QOI")


def open_picture(source: str | Path | BinaryIO | Image.Image) -> Tensor:
    """Opens a picture: upright (EXIF), first frame, transparent parts on white, 16 bits scaled to 8.

    Args:
        source: A file's path, an open binary file, or a Pillow picture (which is left as it is).

    Returns:
        uint8 [3, H, W], RGB.

    Raises:
        PictureError: Not a picture, truncated, or larger than `MAX_PIXELS`, `MAX_SIDE` or `MAX_BYTES`.
    """
    name = _name(source)
    image = _header(source, name)
    try:
        image.load()
        rgb = _rgb(_upright(image))
        return torch.from_numpy(np.array(rgb)).permute(2, 0, 1).contiguous()  # H W 3 → 3 H W
    except Exception as error:  # decoders fail in every way on broken files: OSError, SyntaxError, IndexError, …
        raise PictureError(
            f"The picture {name} cannot be decoded ({error}): it is damaged or incomplete, save or copy it again."
        ) from None


def picture_size(source: str | Path | BinaryIO | Image.Image) -> tuple[int, int]:
    """Returns width and height in pixels as `open_picture` would give them, mostly from the header alone.

    Raises:
        PictureError: As `open_picture`, except for damage behind the header.
    """
    image = _header(source, _name(source))
    width, height = image.size
    return (height, width) if _orientation(image) in (5, 6, 7, 8) else (width, height)


def to_pil(image: Tensor) -> Image.Image:
    """Turns uint8 [3, H, W] into a Pillow picture."""
    return Image.fromarray(image.permute(1, 2, 0).cpu().numpy())


def _name(source: str | Path | BinaryIO | Image.Image) -> str:
    if isinstance(source, str | Path):
        return str(source)
    return str(getattr(source, "filename", None) or getattr(source, "name", None) or "given")


def _header(source: str | Path | BinaryIO | Image.Image, name: str) -> Image.Image:
    """Reads type and size, no pixel yet, and refuses what is too large."""
    if isinstance(source, Image.Image):
        return _bounded(source, name)
    content = _content(source, name)
    try:
        image = Image.open(content, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(
            f"The picture {name} declares far more than {MAX_PIXELS:,} pixels: make it smaller and try again."
        ) from None
    except UnidentifiedImageError:
        raise PictureError(
            f"The file {name} is not a picture of a known kind ({', '.join(FORMATS)}): save it as PNG or JPEG."
        ) from None
    except Exception as error:  # as in open_picture
        raise PictureError(f"The picture {name} has a damaged header ({error}): save or copy it again.") from None
    return _bounded(image, name)


def _content(source: str | Path | BinaryIO, name: str) -> BytesIO:
    try:
        if not isinstance(source, str | Path):
            data = source.read(MAX_BYTES + 1)
        elif not Path(source).is_file():  # also keeps away from pipes and devices, which never end
            raise PictureError(f"The picture {name} is not there: check the path.")
        else:
            with open(source, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"The picture {name} cannot be read ({error.strerror}): check the file.") from None
    if len(data) > MAX_BYTES:
        raise PictureError(f"The picture {name} is larger than {MAX_BYTES // 2**20} MB: save it smaller and try again.")
    return BytesIO(data)


def _bounded(image: Image.Image, name: str) -> Image.Image:
    width, height = image.size
    if min(width, height) < 1:
        raise PictureError(f"The picture {name} is empty ({width}×{height}): choose another one.")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureError(
            f"The picture {name} has {width}×{height} pixels, more than {MAX_PIXELS:,} or a side above {MAX_SIDE:,}: "
            "make it smaller and try again."
        )
    return image


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF must not cost the picture
        return 1


def _upright(image: Image.Image) -> Image.Image:
    if _orientation(image) == 1:
        return image
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # it writes the other EXIF fields again, and those may be broken
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return _from_range(np.asarray(image), 0, 65535)
    if image.mode in ("I", "F"):
        values = np.asarray(image)
        return _from_range(values, *_range(values))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _range(values: np.ndarray) -> tuple[float, float]:
    """Guesses what black and white are where the format does not say: the usual range that holds all values."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    usual = (1, 255, 65535) if values.dtype.kind == "f" else (255, 65535)
    for white in usual:
        if low >= 0 and high <= white:
            return 0, white
    return low, high


def _from_range(values: np.ndarray, black: float, white: float) -> Image.Image:
    """Scales grey values so that black is 0 and white 255; what is not a number becomes black."""
    scaled = (values.astype(np.float64) - black) * (255 / max(white - black, 1e-300))
    scaled = np.nan_to_num(scaled, nan=0, posinf=255, neginf=0).clip(0, 255)
    return Image.fromarray((scaled + 0.5).astype(np.uint8)).convert("RGB")
