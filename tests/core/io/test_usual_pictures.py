"""Pictures of the sizes that usual cameras and tools write are opened, in time and memory that are bounded."""

import io
from collections.abc import Callable

import pytest
from PIL import Image, features

from core.io.decoding import MAX_BYTES, MAX_PIXELS, decode_image, measure_image

CAMERA, PHONE = (8160, 6120), (4000, 3000)  # 50 and 12 megapixels
SCREEN = (7680, 4320)
Make = Callable[[tuple[int, int]], bytes]


def saved(kind: str, size: tuple[int, int], mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, 200 if mode in ("L", "I;16") else (200, 100, 50)).save(file, kind, **options)
    return file.getvalue()


def portable(kind: str, size: tuple[int, int], most: int) -> bytes:
    bands, width = (3 if kind == "P6" else 1), (2 if most > 255 else 1)
    return f"{kind} {size[0]} {size[1]} {most}\n".encode() + bytes(bands * width * size[0] * size[1])


# Each format with the largest size that its tools write.
USUAL: dict[str, tuple[tuple[int, int], Make]] = {
    "JPEG": (CAMERA, lambda size: saved("JPEG", size)),
    "progressive JPEG": (CAMERA, lambda size: saved("JPEG", size, progressive=True)),
    "PNG": (CAMERA, lambda size: saved("PNG", size, compress_level=1)),
    "PNG with transparency": (PHONE, lambda size: saved("PNG", size, "RGBA", compress_level=1)),
    "PNG of 16 bits": (CAMERA, lambda size: saved("PNG", size, "I;16", compress_level=1)),
    "TIFF": (CAMERA, lambda size: saved("TIFF", size)),
    "TIFF of 16 bits": (CAMERA, lambda size: saved("TIFF", size, "I;16")),
    "packed TIFF": (CAMERA, lambda size: saved("TIFF", size, compression="tiff_lzw")),
    "WebP": (PHONE, lambda size: saved("WEBP", size, method=0)),
    "WebP without loss": (PHONE, lambda size: saved("WEBP", size, lossless=True, method=0)),
    "BMP": (CAMERA, lambda size: saved("BMP", size)),
    "PPM": (CAMERA, lambda size: portable("P6", size, 255)),
    "PPM of 10 bits": (CAMERA, lambda size: portable("P6", size, 1023)),
    "PPM of 16 bits": (CAMERA, lambda size: portable("P6", size, 65535)),
    "PGM of 12 bits": (CAMERA, lambda size: portable("P5", size, 4095)),
    "QOI of a screen": (SCREEN, lambda size: saved("QOI", (size[0] // 4, size[1] // 4))),
    "AVIF": (PHONE, lambda size: saved("AVIF", size, speed=10)),
    "JPEG 2000": (PHONE, lambda size: saved("JPEG2000", size)),
    "GIF": (PHONE, lambda size: saved("GIF", size)),
}


@pytest.fixture(params=USUAL)
def usual(request: pytest.FixtureRequest) -> tuple[tuple[int, int], Make]:
    name: str = request.param
    if name in ("AVIF", "WebP") and not features.check(name.lower()):
        pytest.skip("this Pillow was built without it")
    return USUAL[name]


def test_usual_formats_are_decoded(usual: tuple[tuple[int, int], Make]) -> None:
    content = usual[1]((480, 360))
    image = decode_image(io.BytesIO(content))
    assert measure_image(io.BytesIO(content)) == (image.shape[2], image.shape[1])


@pytest.mark.slow
def test_usual_sizes_are_allowed(usual: tuple[tuple[int, int], Make]) -> None:
    size, make = usual
    assert measure_image(io.BytesIO(make(size)))[0] * 4 >= size[0]  # no pixel is decoded


@pytest.mark.slow
def test_the_largest_files_are_decoded() -> None:
    assert decode_image(io.BytesIO(portable("P6", CAMERA, 65535))).shape == (3, CAMERA[1], CAMERA[0])


def test_the_largest_picture_of_16_bits_fits_the_bound_of_files() -> None:
    assert 6 * MAX_PIXELS < MAX_BYTES
