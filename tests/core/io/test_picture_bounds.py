"""Pictures whose size is small, but whose decoding would take minutes or gigabytes."""

import io
import struct
import zlib
from importlib import import_module

import pytest
from PIL import Image

from core.data.images import open_image, read_image_size
from core.errors import PictureError
from core.io.decoding import decode_pixels, measure_image
from core.io.picture_bounds import MAX_BLOCKS, MAX_PARTS, MAX_TILES, MAX_VALUES, is_directory_bounded
from tests.effort import little_effort


def save(kind, size=(64, 64), **options):
    file = io.BytesIO()
    Image.new("RGB", size, (9, 8, 7)).save(file, kind, **options)
    return file.getvalue()


def make_directory(fields, order="<", *, big=False, start=None):
    """Returns a TIFF of one directory with fields of tag, type, count and value."""
    head, field, where = ("Q", "HHQQ", "Q") if big else ("H", "HHLL", "L")
    magic = struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HL", 42, 8)
    mark = b"II" if order == "<" else b"MM"
    entries = b"".join(struct.pack(order + field, *each) for each in fields)
    return mark + magic + struct.pack(order + head, len(fields)) + entries + struct.pack(order + where, 0)


def with_segments(segments):
    jpeg = save("JPEG")
    return (
        jpeg[:2]
        + b"".join(b"\xff" + kind + struct.pack(">H", len(each) + 2) + each for kind, each in segments)
        + jpeg[2:]
    )


def with_exif(exif):
    return with_segments([(b"\xe1", b"Exif\0\0" + exif[at : at + 60_000]) for at in range(0, len(exif), 60_000)])


def repeat_scan(times, size, between=b""):
    jpeg = save("JPEG", size, progressive=True)
    last = jpeg.rfind(b"\xff\xda")
    return jpeg[:-2] + (between + jpeg[last:-2]) * times + jpeg[-2:]


def add_chunks(kind, content, count):
    chunk = struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))
    png = save("PNG")
    return png[:33] + chunk * count + png[33:]


def make_bmp(pieces):
    """Returns a BMP of 10 × 10 px, run-length encoded."""
    start = 14 + 40 + 4 * 256
    sizes = struct.pack("<IiiHHIIiiII", 40, 10, 10, 1, 8, 1, len(pieces), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pieces), 0, 0, start) + sizes + bytes(4 * 256) + pieces


def add_blocks(count):
    gif = save("GIF")
    start = gif.index(b",", 13)
    return gif[:start] + b"\x21\xfe" + (b"\xff" + b"x" * 255) * count + b"\0" + gif[start:]


def set_tiles(count):
    """Returns a JPEG 2000 of 64 × 64 px that declares so many tiles."""
    content = bytearray(save("JPEG2000"))
    at = content.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">2L", content, at + 24, 1, 1)
    struct.pack_into(">2L", content, at + 8, 100, count // 100)
    return bytes(content)


# Each of the fields is the whole file.
SAME = make_directory([(60_000 + number, 7, 30_000, 0) for number in range(1000)]) + bytes(30_000)
# The first directory is small; the one in it is not.
INNER = make_directory([(34_665, 4, 1, 26)]) + SAME[8:]
SLOW = "has too many pixels for a format that is slow"
HOSTILE = {
    "a JPEG of 8,000 scans": (lambda: repeat_scan(8000, (640, 480)), "goes over its pixels too many times"),
    "a large JPEG of 150 scans": (lambda: repeat_scan(150, (4000, 4000)), "goes over its pixels too many times"),
    "scans after an end in a comment": (
        lambda: repeat_scan(8000, (640, 480), b"\xff\xfe\0\4\xff\xd9"), "goes over its pixels too many times"
    ),
    "scans after a mark without content": (
        lambda: repeat_scan(8000, (640, 480), b"\xff\x01"), "goes over its pixels too many times"
    ),
    "EXIF that is read 1,000 times": (lambda: with_exif(SAME), "too much metadata"),
    "pictures that follow": (lambda: with_segments([(b"\xe2", b"MPF\0" + SAME)]), "too much metadata"),
    "a JPEG of empty comments": (lambda: with_segments([(b"\xfe", b"")] * (MAX_PARTS + 1)), "too many segments"),
    "a JPEG that is filled up": (lambda: save("JPEG")[:2] + b"\xff" * (MAX_PARTS + 9), "too many segments"),
    "a PNG of texts": (lambda: add_chunks(b"tEXt", b"a\0b", MAX_PARTS + 1), "too many chunks"),
    "a GIF of comments": (lambda: add_blocks(MAX_BLOCKS), "too many comment blocks"),
    "a TIFF of the same bytes": (lambda: SAME, "too many fields or tiles"),
    "a TIFF with a directory of the same bytes": (lambda: INNER, "too many fields or tiles"),
    "a TIFF of tiles": (
        lambda: make_directory([(324, 4, MAX_VALUES + 1, 0)]) + bytes(5 * MAX_VALUES), "too many fields or tiles"
    ),
    "JPEG 2000 of tiles": (lambda: set_tiles(MAX_TILES + 100), "too many tiles"),
    "a BMP of ends of lines": (lambda: make_bmp(b"\0\0" * 6_000_000), "is compressed in too many pieces"),
    "a large QOI": (lambda: b"qoif" + struct.pack(">LLBB", 5000, 4000, 3, 0) + bytes(5000 * 4000), SLOW),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), HOSTILE.values(), ids=HOSTILE)
def test_pictures_that_would_take_minutes_are_refused_at_once(make, message):
    import_module("torch")  # which the first picture imports: no part of the time
    content, verb = make(), "has " if message.startswith("too") else ""
    for read in (open_image, read_image_size):
        with little_effort(1), pytest.raises(PictureError, match=f"^The picture given {verb}{message}"):
            read(io.BytesIO(content))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: repeat_scan(20, (4000, 3000)),
        lambda: repeat_scan(300, (640, 480)),
        lambda: with_segments([(b"\xfe", b"a comment")] * 1000),
        lambda: save("JPEG", (4000, 3000)) + b"\xff\xda" * 1000,  # a phone's film follows the picture
        lambda: with_segments([(b"\xe2", b"a preview" + b"\xff\xda" * 30_000)] * 30),
        lambda: with_exif(make_directory([(270, 2, 60_000, 26)]) + bytes(60_000)),
        # A note of the camera that an editor has cut off.
        lambda: with_exif(make_directory([(37_500, 7, 60_000, 40), (270, 2, 2**31, 30)]) + bytes(300)),
        lambda: add_chunks(b"tEXt", b"a\0b", 1000),
        lambda: add_blocks(100),
        lambda: save("QOI", (1600, 1200)),
        lambda: save("TIFF", (5000, 4000), compression="tiff_lzw"),
        lambda: save("JPEG2000", (1000, 1000), tile_size=(100, 100)),
        lambda: save("AVIF"),
        lambda: save("WEBP"),
        lambda: save("BMP", (3000, 2000)),
        lambda: save("PPM", (3000, 2000)),
        lambda: make_bmp((b"\1\7" * 10 + b"\0\0") * 10 + b"\0\1"),
    ],
    ids=range(17),
)
def test_usual_pictures_are_opened(make):
    content = make()
    image = open_image(io.BytesIO(content))
    assert read_image_size(io.BytesIO(content)) == (image.shape[2], image.shape[1])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [True, False])
def test_fields_are_counted_in_both_orders_and_sizes(order, big):
    assert is_directory_bounded(make_directory([(256, 7, 40, 0)], order, big=big) + bytes(40))
    assert is_directory_bounded(make_directory([(256, 7, 40_000, 0)], order, big=big) + bytes(40))  # 40 are there
    same = [(256 + number, 7, 60, 0) for number in range(20)]
    assert not is_directory_bounded(make_directory(same, order, big=big) + bytes(40))
    assert not is_directory_bounded(make_directory([(256 + n, 7, 2**30, 0) for n in range(3)], order, big=big))
    assert is_directory_bounded(make_directory([(256, 3, 1, 5)], order, big=big))


@pytest.mark.parametrize(
    "content", [b"", b"II", b"II*\0" + b"\xff" * 20, b"MM\0*" + bytes(12), b"II+\0" + b"\xff" * 12]
)
def test_what_is_no_directory_is_left_to_the_decoder(content):
    assert is_directory_bounded(content)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_pillow_turns_them(orientation):
    from PIL import ImageOps

    image = Image.new("RGB", (40, 24), (250, 0, 0))
    image.paste((0, 0, 250), (0, 0, 16, 8))
    exif = image.getexif()
    exif[0x0112] = orientation
    for kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        file = io.BytesIO()
        image.save(file, kind, exif=exif)
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).convert("RGB")
        opened = open_image(io.BytesIO(file.getvalue()))
        assert opened.permute(1, 2, 0).numpy().tobytes() == expected.tobytes(), kind


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_measured_as_they_are_decoded(orientation):
    image = Image.new("RGB", (40, 24))
    exif = image.getexif()
    exif[0x0112] = orientation
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
        file = io.BytesIO()
        image.save(file, kind, exif=exif)
        _, height, width = decode_pixels(io.BytesIO(file.getvalue())).shape
        assert measure_image(io.BytesIO(file.getvalue())) == (width, height), kind
