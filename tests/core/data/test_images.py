import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.images import open_image, read_image_size, to_pil
from core.data.untrusted import IMAGE_SUFFIXES
from core.errors import PictureError
from core.io import decoding


def saved(image: Image.Image, kind: str, **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def png_header(width: int, height: int, bits: int = 8, colour: int = 2) -> bytes:
    """A PNG that declares a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def pixel(image: torch.Tensor, x: int = 0, y: int = 0) -> tuple[int, ...]:
    return tuple(image[:, y, x].tolist())


def test_pictures_are_told_by_every_suffix_of_their_formats():
    assert set(IMAGE_SUFFIXES) == {
        suffix for suffix, form in Image.registered_extensions().items() if form in decoding.FORMATS
    }


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "QOI", "WEBP"])
def test_lossless_formats_keep_every_pixel(kind):
    values = torch.randint(0, 256, (3, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    opened = open_image(saved(to_pil(values), kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert opened.dtype == torch.uint8
    assert opened.is_contiguous()
    assert torch.equal(opened, values)


@pytest.mark.parametrize("kind", ["JPEG", "AVIF", "JPEG2000", "GIF"])
def test_lossy_formats_open(kind):
    opened = open_image(saved(Image.new("RGB", (16, 8), (250, 0, 0)), kind))
    assert opened.shape == (3, 8, 16)
    assert abs(int(opened[0, 4, 8]) - 250) < 12


def test_path_text_stream_and_picture_give_the_same(tmp_path):
    path = tmp_path / "a.png"
    image = Image.new("RGB", (3, 2), (1, 2, 3))
    image.save(path)
    with path.open("rb") as stream:
        opened = [open_image(source) for source in (path, str(path), stream, image)]
    assert all(torch.equal(opened[0], other) for other in opened)


def test_one_pixel():
    assert open_image(saved(Image.new("1", (1, 1), 1), "PNG")).tolist() == [[[255]], [[255]], [[255]]]


@pytest.mark.parametrize("value, expected", [(0, 0), (257, 1), (32896, 128), (65535, 255)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(value, expected, kind):
    image = Image.fromarray(np.full((2, 2), value, np.uint16))
    assert pixel(open_image(saved(image, kind))) == (expected,) * 3


@pytest.mark.parametrize(
    "values, expected",
    [
        ([[0, 100, 255]], [0, 100, 255]),
        ([[0, 257, 65535]], [0, 1, 255]),
        ([[-1000, 0, 1000]], [0, 128, 255]),
        ([[0, 2**31 - 1]], [0, 255]),
        ([[-7, -7]], [0, 0]),
    ],
)
def test_thirty_two_bit_integers_take_the_range_that_holds_them(values, expected):
    opened = open_image(saved(Image.fromarray(np.array(values, np.int32)), "TIFF"))
    assert opened[0, 0].tolist() == opened[2, 0].tolist() == expected


@pytest.mark.parametrize(
    "values, expected",
    [
        ([[0.0, 0.5, 1.0]], [0, 128, 255]),
        ([[0.0, 100.0, 255.0]], [0, 100, 255]),
        ([[-1.0, 0.0, 1.0]], [0, 128, 255]),
        ([[float("nan"), 0.0, float("inf"), 1.0]], [0, 0, 255, 255]),
        ([[float("nan")]], [0]),
        ([[-3e38, 3e38]], [0, 255]),
    ],
)
def test_floats_take_the_range_that_holds_them(values, expected):
    opened = open_image(saved(Image.fromarray(np.array(values, np.float32)), "TIFF"))
    assert opened[0, 0].tolist() == expected


@pytest.mark.parametrize("mode, colour", [("RGBA", (255, 0, 0, 0)), ("LA", (0, 0))])
def test_transparent_is_white(mode, colour):
    assert pixel(open_image(saved(Image.new(mode, (2, 2), colour), "PNG"))) == (255, 255, 255)


def test_half_transparent_is_mixed_with_white():
    assert pixel(open_image(saved(Image.new("RGBA", (2, 2), (255, 0, 0, 51)), "PNG"))) == (255, 204, 204)


def test_palette_with_a_transparent_colour():
    image = Image.new("P", (2, 1))
    image.putpalette([9, 8, 7, 50, 60, 70])
    image.putpixel((1, 0), 1)
    opened = open_image(saved(image, "PNG", transparency=0))
    assert pixel(opened, 0) == (255, 255, 255)
    assert pixel(opened, 1) == (50, 60, 70)
    assert pixel(open_image(saved(image, "PNG")), 0) == (9, 8, 7)


def test_cmyk():
    assert pixel(open_image(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))) == (255, 0, 0)
    red, green, blue = pixel(open_image(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")))
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation(orientation):
    upright = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3) * 40)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposition that stores it so
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(stored, "PNG", exif=exif)
    assert torch.equal(open_image(file), open_image(upright))
    file.seek(0)
    assert read_image_size(file) == (3, 2)


def test_broken_exif_is_ignored():
    file = saved(Image.new("RGB", (4, 2)), "JPEG", exif=b"Exif\0\0nonsense")
    assert open_image(file).shape == (3, 2, 4)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    for kind in ("GIF", "PNG"):
        assert pixel(open_image(saved(frames[0], kind, save_all=True, append_images=frames[1:]))) == (255, 0, 0)


def test_a_given_picture_is_not_modified():
    image = Image.new("P", (3, 2))
    open_image(image)
    assert image.mode == "P"


def test_to_pil_round_trip():
    image = torch.arange(2 * 3 * 3, dtype=torch.uint8).reshape(3, 2, 3)
    assert to_pil(image).size == (3, 2)
    assert torch.equal(open_image(to_pil(image)), image)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    "width, height", [(10_000, 9_500), (20_000, 20_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1), (30_001, 1)]
)
def test_declared_size_is_refused_before_decoding(tmp_path, monkeypatch, width, height):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(width, height))
    with pytest.raises(PictureError, match=r"bomb\.png .* pixels.*make it smaller"):
        open_image(path)


def test_a_given_picture_is_bounded_too(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 10)
    with pytest.raises(PictureError, match="given has 4×3 pixels"):
        open_image(Image.new("L", (4, 3)))
    with pytest.raises(PictureError, match="empty"):
        open_image(Image.new("L", (0, 3)))


def test_large_files_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(decoding, "MAX_BYTES", 2**20)
    path = tmp_path / "large.png"
    path.write_bytes(b"\0" * (2**20 + 1))
    with pytest.raises(PictureError, match=r"large\.png is larger than 1 MB"):
        open_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "JPEG2000", "PPM"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7])
def test_truncated(kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind).getvalue()
    with pytest.raises(PictureError) as error:
        open_image(io.BytesIO(content[: int(share * len(content))]))
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"%PDF-1.4\n", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", b"<svg/>"],
)
def test_not_a_picture(tmp_path, content):
    path = tmp_path / "note.png"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=r"note\.png is not a picture in a known format .* save it as PNG or JPEG"):
        open_image(path)


def test_containers_are_not_opened():
    with pytest.raises(PictureError, match="known format"):
        open_image(saved(Image.new("RGB", (16, 16)), "ICO"))


@pytest.mark.parametrize("name", ["none.png", ".", "a\0b.png", "x" * 5000])
def test_path_without_file(tmp_path, name):
    with pytest.raises(PictureError):
        open_image(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_noise_behind_a_good_header_never_escapes():
    """Broken bytes give a picture or a PictureError, nothing else."""
    rng = np.random.default_rng(1)
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "WEBP"):
        good = np.frombuffer(saved(Image.new("RGB", (16, 16), (9, 99, 200)), kind).getvalue(), np.uint8)
        for _ in range(40):
            bad = good.copy()
            bad[rng.integers(0, len(bad), 4)] = rng.integers(0, 256, 4)
            with suppress(PictureError):
                assert open_image(io.BytesIO(bad.tobytes())).shape[0] == 3
