"""Messages of bounded length, and the values in them."""

from pathlib import Path

import pytest

from core.cli.detect.pictures import find_pictures
from core.config import Config
from core.data.folders import read_data_set
from core.data.images import open_image
from core.errors import MAX_MESSAGE, MAX_QUOTED, UserError, quote, shorten
from core.weights.sources import load_weights
from tests.effort import little_effort


def test_a_short_message_stays():
    assert str(UserError("a.jpg is empty: copy it again.")) == "a.jpg is empty: copy it again."
    assert str(UserError()) == ""
    assert shorten("x" * MAX_MESSAGE) == "x" * MAX_MESSAGE


@pytest.mark.parametrize("length", [MAX_MESSAGE + 1, MAX_MESSAGE + 2, 10**6])
def test_a_long_message_keeps_its_beginning_and_its_end(length):
    said = str(UserError("a.jpg " + "x" * (length - 22) + ": copy it again."))
    assert len(said) == MAX_MESSAGE
    assert said.startswith("a.jpg xxx") and said.endswith("xxx: copy it again.") and said.count("…") == 1


@pytest.mark.parametrize(
    ("text", "most", "expected"), [("abcdef", 5, "ab…ef"), ("abcdef", 4, "ab…f"), ("abcd", 3, "a…d")]
)
def test_the_middle_is_cut(text, most, expected):
    assert shorten(text, most) == expected


def nested(make, levels=60):
    """Returns a value whose full text has 9⁶⁰ parts."""
    value = make(["x"] * 9)
    for _ in range(levels):
        value = make([value] * 9)
    return value


@pytest.mark.parametrize(
    "value",
    [
        *map(nested, (list, tuple, lambda each: dict(enumerate(each)), lambda each: {"a": each, "b": (each, each)})),
        "x" * 10**8,
        10**100_000,
        -(10**5000),
        [10**5000],
        ["x" * 10**7] * 100,
        {"a" * 10**7: "b" * 10**7},
    ],
    ids=range(10),
)
def test_quoting_takes_no_time_whatever_a_value_unfolds_to(value):
    with little_effort(0.5):
        assert 0 < len(quote(value)) <= MAX_QUOTED


@pytest.mark.parametrize(
    ("value", "expected"),
    [("cat", "'cat'"), (3, "3"), (0.5, "0.5"), (True, "True"), (None, "None"), (["a", 1], "['a', 1]")],
)  # fmt: skip
def test_short_values_are_quoted_as_they_are(value, expected):
    assert quote(value) == expected


def test_a_long_text_is_cut_at_its_end():
    assert quote("x" * 99) == "'" + "x" * 98 + "…"


@pytest.mark.parametrize("name", ["a" * 100_000, "a/" * 50_000, "a\0b"], ids=["long", "deep", "null"])
@pytest.mark.parametrize(
    "read",
    [
        lambda name: load_weights(name),
        lambda name: read_data_set(Path(name)),
        lambda name: open_image(name),
        lambda name: find_pictures([Path(name)], without=None),
        lambda name: find_pictures([Path(f"@{name}")], without=None),
        lambda name: find_pictures([Path(f"*{name}")], without=None),
        lambda name: Config.from_file(name),
    ],
    ids=["weights", "data set", "picture", "pictures", "list", "pattern", "settings"],
)
def test_names_that_no_file_can_have_are_refused(read, name):
    with pytest.raises(UserError) as error:
        read(name)
    assert 0 < len(str(error.value)) <= MAX_MESSAGE
