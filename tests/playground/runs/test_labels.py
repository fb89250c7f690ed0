import json

import pytest

from core.errors import UserError
from playground.runs.labels import FILE, MAX_NAME, MAX_TAG, MAX_TAGS, Label, parse_label, read_label, write_label


def test_a_label_comes_back_as_it_was_written(tmp_path):
    label = Label("γ = 2, <b>${alert(1)}</b>", ("first", "two words"))
    write_label(tmp_path, label)
    assert read_label(tmp_path) == label and [path.name for path in tmp_path.iterdir()] == [FILE]


def test_typed_text_is_cleaned():
    assert parse_label("  a\n b\x00\u202e ", " x,, y ,x, ") == Label("a b", ("x", "y"))
    assert parse_label("", "") == Label()


@pytest.mark.parametrize(
    ("name", "tags", "said"),
    [
        ("x" * (MAX_NAME + 1), "", f"{MAX_NAME + 1} characters, but at most {MAX_NAME}"),
        ("", "x" * (MAX_TAG + 1), f"{MAX_TAG + 1} characters, but at most {MAX_TAG}"),
        ("", ",".join(map(str, range(MAX_TAGS + 1))), f"{MAX_TAGS + 1} tags, but at most {MAX_TAGS}"),
        (None, "", "must be text"),
        ("", ["a"], "must be text"),
    ],
)
def test_a_label_that_is_too_long_or_no_text_is_refused(name, tags, said):
    with pytest.raises(UserError, match=said):
        parse_label(name, tags)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"name": 1, "tags": []}', '{"name": "a"}', '{"name": "a", "tags": [1]}', "[" * 9999],
)
def test_a_file_without_a_label_is_an_empty_label(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    assert read_label(tmp_path) == Label()


def test_a_missing_file_and_a_long_name_are_an_empty_label(tmp_path):
    assert read_label(tmp_path) == Label()
    (tmp_path / FILE).write_text(json.dumps({"name": "x" * 1000, "tags": []}))
    assert read_label(tmp_path) == Label()
