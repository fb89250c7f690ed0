"""What Pillow decodes value by value is decoded to the same pixels, whatever the file holds."""

import io

import numpy as np
import pytest
from PIL import Image

from core.io.decoding import decode_image
from core.io.slow_formats import use_fast_decoder

RANDOM = np.random.default_rng(0)


def both(content: bytes) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Returns the pixels by Pillow's decoder and by ours, None for content that one refuses."""
    found = []
    for prepare in (lambda image: None, use_fast_decoder):
        image = Image.open(io.BytesIO(content))
        prepare(image)
        try:
            found.append(np.asarray(image.convert(image.mode)))
        except (ValueError, IndexError, OSError):
            found.append(None)
    return found[0], found[1]


def require_same(content: bytes) -> None:
    theirs, ours = both(content)
    assert (theirs is None) == (ours is None)
    assert theirs is None or np.array_equal(theirs, ours)


@pytest.mark.parametrize("kind", ["P5", "P6"])
@pytest.mark.parametrize("most", [1, 7, 100, 254, 255, 256, 1000, 4095, 65534, 65535])
def test_binary_values_of_every_range_are_scaled_as_pillow_scales_them(kind: str, most: int) -> None:
    values = RANDOM.integers(0, most, (5, 7, 3 if kind == "P6" else 1), endpoint=True)
    content = f"{kind} # a comment\n7 5 {most}\n".encode() + values.astype(">u2" if most > 255 else "u1").tobytes()
    require_same(content)
    require_same(content[:-1])
    require_same(content[:-1] + b"\xff")  # above the declared maximum


@pytest.mark.parametrize("content", [
    b"P3 2 1 255\n1 2 3 255 0 9", b"P3 2 1 # x\n 100 # y\n1 2 3 # z\n100 0 9\n", b"P2\n3 1\n4095\n0 4095 17 \n",
    b"P2 1 2 7 0 7 9", b"P3 1 1 7 1 2", b"P3 1 1 7 1 2 8", b"P2 1 1 7 -1", b"P2 1 1 7 x", b"P2 1 1 7 1.5", b"P2 1 1 7",
    b"P1 3 1 101", b"P1 3 1 1 0 1",
])  # fmt: skip
def test_written_values_are_read_as_pillow_reads_them(content: bytes) -> None:
    require_same(content)


def test_of_written_values_no_more_is_read_than_the_picture_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    parse = np.fromstring
    monkeypatch.setattr(
        np, "fromstring", lambda text, *rest, **named: read.append(len(text)) or parse(text, *rest, **named)
    )
    require_same(b"P2 2 1 99\n12 34 " + b"56 " * 10**5)
    assert max(read) < 70_000
    cut = b"P2 1 1 99\n" + b" " * (2**16 + 15) + b"12"  # of which the "1" would be the last byte
    assert both(cut)[1] is None


def test_grey_values_of_16_bits_become_8() -> None:
    content = b"P5 3 1 65535\n" + np.array([0, 32768, 65535], ">u2").tobytes()
    assert decode_image(io.BytesIO(content))[:, 0].tolist() == [[0, 128, 255]] * 3
