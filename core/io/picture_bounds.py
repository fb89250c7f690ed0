"""Bounds on the work of decoding a picture, checked in its file before it is decoded.

The size of a picture does not bound the work. A progressive JPEG may go over all pixels thousands of times; the fields
of a directory of TIFF or EXIF may all be the same megabytes, which Pillow reads anew for each; a TIFF may have a tile
for each pixel; and Pillow decodes some formats in Python, a pixel at a time.
"""

import re
import struct
from collections.abc import Iterator
from itertools import islice

from PIL import Image

MAX_SCANNED = 2 * 10**9  # pixels times scans of a JPEG, some two seconds; a usual one has ten scans
MAX_PARTS = 100_000  # chunks or segments, which Pillow reads one by one; 64 MB are 8,192 of the usual 8 KB
MAX_BLOCKS = 5000  # before the first picture of a GIF, to whose comment Pillow adds each in time that grows with it
MAX_TILES = 10_000  # of JPEG 2000; its decoder needs 5 KB for each
MAX_VALUES = 500_000  # of a field of TIFF: places of strips or tiles; 50 megapixels have 200,000 tiles of 16 px
MAX_REPEATED = 2  # times that the fields of a directory may hold the bytes of its file
# Steps of formats that are decoded in Python, some ten seconds: a pixel, but not more than the file has bytes.
MAX_STEPS = {"bmp_rle": 4_000_000, "ppm_plain": 4_000_000, "qoi": 4_000_000}  # by Pillow's names of the decoders
MAX_PIECES = 5_000_000  # of a run-length encoded BMP: pixels, and ends of lines, which may be any number
EXIF, FURTHER = b"Exif\0\0", b"MPF\0"  # with which segments begin: EXIF, and the list of further pictures
JPEG, SCAN, END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"  # with which the file and each scan begin, and its end
MARK = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")  # with which a segment of a JPEG begins; others are within scans
PNG, GIF, JPEG_2000, JP2 = b"\x89PNG\r\n\x1a\n", b"GIF8", b"\xff\x4f\xff\x51", b"jP  "
ORDERS = {b"II": "<", b"MM": ">"}  # of bytes, by the beginning of a TIFF
INNER = (34665, 34853, 40965)  # tags of directories that Pillow reads with the first one
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
PLAIN = (1, 2, 6, 7)  # types of fields whose values stay bytes


def find_excess(content: bytes) -> str:
    """Returns what a picture has too much of to be opened, such as "too many tiles"; "" if nothing.

    Args:
        content: The file, not trusted.
    """
    if content.startswith(JPEG):
        return _check_jpeg(content)
    if content.startswith(PNG):
        return "" if sum(1 for _ in _walk_png(content)) <= MAX_PARTS else "too many chunks"
    if content.startswith(GIF):
        return "" if sum(1 for _ in _walk_gif(content)) <= MAX_BLOCKS else "too many comment blocks"
    if content[:2] in ORDERS:
        return "" if is_directory_bounded(content) else "too many fields or tiles"
    if content.startswith(JPEG_2000) or content[4:8] == JP2:
        return "" if _count_tiles(content) <= MAX_TILES else "too many tiles"
    return ""


def find_slowness(image: Image.Image, content: bytes) -> str:
    """Returns why the pixels of an opened picture would take too long to decode, with a remedy; "" if they do not."""
    pixels = image.width * image.height
    if image.format in ("JPEG", "MPO") and pixels * _count_scans(content) > MAX_SCANNED:
        return "goes over its pixels too many times: save it as a JPEG that is not progressive"
    decoder = next((str(tile[0]) for tile in getattr(image, "tile", ())), "")
    if decoder == "bmp_rle" and len(content) // 2 > MAX_PIECES:  # each has two bytes or more
        return "is compressed in too many pieces: save it as PNG or JPEG"
    if decoder in MAX_STEPS and min(pixels, len(content)) > MAX_STEPS[decoder]:
        return "has too many pixels for a format that is slow to decode: save it as PNG or JPEG"
    return ""


def is_directory_bounded(content: bytes) -> bool:
    """Returns whether the first directory of TIFF's form, as EXIF has it, too, holds hardly more than its file does."""
    content = content.removeprefix(EXIF)
    order = ORDERS.get(content[:2])
    if order is None or len(content) < 16:
        return True
    is_big = content[2:4] in (b"+\0", b"\0+")
    size, starts = 0, list(struct.unpack_from(order + ("Q" if is_big else "L"), content, 8 if is_big else 4))
    for start in starts:  # which grows
        for tag, kind, count, value in _read_fields(content, start, order, is_big=is_big):
            if tag in INNER and len(starts) <= len(INNER):
                starts.append(value)
            extent = count * SIZES.get(kind, 0)
            if extent <= (8 if is_big else 4):
                continue
            held = max(0, min(extent, len(content) - value))  # an editor may have cut the rest off
            size += held
            if size > MAX_REPEATED * len(content) or (kind not in PLAIN and held > MAX_VALUES * SIZES[kind]):
                return False
    return True


def _read_fields(content: bytes, start: int, order: str, *, is_big: bool) -> Iterator[tuple[int, int, int, int]]:
    """Yields tag, type, count and value, or its place, of the fields of a directory."""
    head, field = (order + "Q", order + "HHQQ") if is_big else (order + "H", order + "HHLL")
    if start + struct.calcsize(head) > len(content):
        return
    (count,) = struct.unpack_from(head, content, start)
    first, width = start + struct.calcsize(head), struct.calcsize(field)
    for at in range(first, min(first + count * width, len(content) - width + 1), width):
        yield struct.unpack_from(field, content, at)


def _check_jpeg(content: bytes) -> str:
    segments = list(islice(_walk_jpeg(content), MAX_PARTS + 1))
    if len(segments) > MAX_PARTS:
        return "too many segments"
    exif = b"".join(each[len(EXIF) :] for each in segments if each.startswith(EXIF))  # as Pillow joins them
    others = (each[len(FURTHER) :] for each in segments if each.startswith(FURTHER))
    return "" if all(map(is_directory_bounded, (exif, *others))) else "too much metadata"


def _walk_jpeg(content: bytes) -> Iterator[bytes]:
    """Yields the segments of a JPEG before its pixels, b"" for marks without content, as Pillow goes over them."""
    at = len(JPEG)
    while at + 4 <= len(content):
        mark, kind, length = struct.unpack_from(">BBH", content, at)
        if mark != 0xFF or kind == SCAN[1]:
            return
        if kind in (0x00, 0x01, 0xFF) or 0xD0 <= kind <= 0xD9:
            yield b""
            at += 1 if kind == 0xFF else 2
        else:
            yield content[at + 4 : at + 2 + length]
            at += 2 + max(length, 2)


def _count_scans(content: bytes) -> int:
    """Returns the number of scans of a JPEG, at most `MAX_PARTS`.

    Those of other pictures do not count: previews in segments, and whatever follows the end, such as a phone's film.
    """
    at, scans = len(JPEG), 0
    for _ in range(MAX_PARTS):
        found = MARK.search(content, at)
        if found is None or found[0] == END:
            return scans
        scans += found[0] == SCAN
        at = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return MAX_PARTS


def _walk_png(content: bytes) -> Iterator[int]:
    """Yields the places of the chunks of a PNG, at most a few more than `MAX_PARTS`."""
    at = len(PNG)
    for _ in range(MAX_PARTS + 2):
        if at + 8 > len(content):
            return
        yield at
        at += 12 + int.from_bytes(content[at : at + 4])


def _walk_gif(content: bytes) -> Iterator[int]:
    """Yields the places of the blocks of a GIF before its first picture, at most a few more than `MAX_BLOCKS`."""
    at = 13 + (3 << (content[10] & 7) + 1 if len(content) > 10 and content[10] & 0x80 else 0)
    is_inside = False
    for _ in range(MAX_BLOCKS + 2):
        if at >= len(content) or (not is_inside and content[at] in b",;"):
            return
        yield at
        if is_inside:
            is_inside = content[at] > 0
            at += 1 + content[at]
        else:
            is_inside = content[at] == 0x21
            at += 2 if is_inside else 1


def _count_tiles(content: bytes) -> int:
    """Returns the number of tiles that the first header of a JPEG 2000 declares, 0 if it has none."""
    at = content.find(JPEG_2000)
    if at < 0 or at + 40 > len(content):
        return 0
    right, bottom, _, _, width, height, left, top = struct.unpack_from(">8L", content, at + 8)
    if not width or not height:
        return 0
    return max(0, -(-(right - left) // width)) * max(0, -(-(bottom - top) // height))
