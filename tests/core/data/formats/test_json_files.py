import json
import tracemalloc

import pytest

from core.data.formats.json_files import decode_json
from tests.effort import little_effort


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1.5E+400"])
def test_numbers_that_no_float_can_hold_become_null(number):
    text = f'{{"a": [1, {number}], "b": "NaN, {number}, \\" -Infinity", "c": {number}}}'
    assert decode_json(text.encode(), dict) == {"a": [1, None], "b": f'NaN, {number}, " -Infinity', "c": None}


def test_other_numbers_stay():
    text = f"[NaN, 1e100, 2e-400, -0.{'1' * 400}, 1e030, {10**400}]"
    assert decode_json(text.encode(), list) == [None, 1e100, 0, pytest.approx(-1 / 9), 1e30, 10**400]


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        b'"' + b'\\"' * 500_000, b"9" * 1_000_000, b"-" * 1_000_000, b"NaN" * 300_000, b'["\xff' + b'"' * 1_000_000,
        b"1." * 500_000, b"1e" * 500_000, b"Na" * 500_000, b'[{"a": NaN}' * 100_000,
    ],
)  # fmt: skip
def test_content_that_is_not_json_is_refused_quickly(content):
    with little_effort(5), pytest.raises(ValueError):
        decode_json(content, dict)


def test_text_with_numbers_that_are_none_takes_little_memory():
    content = json.dumps([{"bbox": [1.5, 2.5, 3.5, 4.5], "name": "cat"}] * 20_000).encode() + b"NaN"
    tracemalloc.start()
    with pytest.raises(ValueError):
        decode_json(content, dict)
    assert tracemalloc.get_traced_memory()[1] < 4 * len(content)
    tracemalloc.stop()
