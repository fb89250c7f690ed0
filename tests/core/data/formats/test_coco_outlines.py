import random

import msgspec
import numpy as np
import pytest

from core.data.formats.coco.outlines import bound_outline


def bounds(segmentation: object):
    return bound_outline(msgspec.Raw(msgspec.json.encode(segmentation)))


def count_runs(mask: np.ndarray) -> list[int]:
    """Returns the lengths of runs down the columns, that of the background first."""
    runs, value = [0], False
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def compress(runs: list[int]) -> str:
    """Writes lengths five bits a character, the lowest first, from the fourth on as differences."""
    text = ""
    for number, run in enumerate(runs):
        rest = run - runs[number - 2] if number > 2 else run
        while True:
            bits, rest = rest & 31, rest >> 5
            more = rest != (-1 if bits & 16 else 0)
            text += chr(48 + bits + (32 if more else 0))
            if not more:
                break
    return text


@pytest.mark.parametrize(
    ("counts", "box"),
    [
        ([5, 2, 5], (1, 1, 2, 3)),  # rows 1 and 2 of column 1
        ([5, 2, 3, 1, 1], (1, 1, 3, 3)),
        ([3, 2, 7], (0, 0, 2, 4)),  # the last row of column 0, the first of column 1
        ([0, 12], (0, 0, 3, 4)),
        ([0, 1, 11], (0, 0, 1, 1)),
        ([11, 1], (2, 3, 3, 4)),
        ([5, 0, 2, 1, 4], (1, 3, 2, 4)),  # an empty run
        ("52O1N", None),  # not of this size
        ("525", (1, 1, 2, 3)),
        ("523OM", None),
    ],
)
def test_masks(counts, box):
    found = bounds({"size": [4, 3], "counts": counts})
    assert (found.box if found else None) == box


def test_masks_agree_with_their_pixels():
    choose = random.Random(0)
    for _ in range(300):
        height, width = choose.randint(1, 90), choose.randint(1, 90)
        mask = np.random.default_rng(choose.randrange(10**6)).random((height, width)) < choose.choice((0.003, 0.1, 0.9))
        rows, columns = np.nonzero(mask)
        expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else None
        runs = count_runs(mask)
        for counts in (runs, compress(runs)):
            found = bounds({"size": [height, width], "counts": counts})
            assert (found.box if found else None) == expected


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [4, 3], "counts": [12]},
        {"size": [4, 3], "counts": []},
        {"size": [4, 3], "counts": ""},
        {"size": [4, 3], "counts": [5, 2]},
        {"size": [4, 3], "counts": [5, -2, 9]},
        {"size": [4, 3], "counts": [5, 2**70, 9]},
        {"size": [2**40, 2**40], "counts": [5, 2, 9]},
        {"size": [0, 3], "counts": [0, 0]},
        {"size": [4, 3], "counts": "P" * 50},
        {"size": [4, 3], "counts": "o" * 50 + "0"},
        {"size": [4, 3], "counts": "\xfc5"},
        {"size": [4], "counts": [5, 2, 5]},
        {"counts": [5, 2, 5]},
        [[1, 2, 3, 4]],
        [],
        "x",
        3,
    ],
)
def test_no_outline(segmentation):
    assert bounds(segmentation) is None
