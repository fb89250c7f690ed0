from pathlib import Path

import pytest

from core.data.formats.name_index import NameIndex, resolve_name
from core.data.formats.notes import MAX_SENTENCES, Notes


def test_sentences_come_once_and_counts_last():
    notes = Notes()
    notes.count("Circles", Path("x/a.json"))
    for _ in range(2):
        notes.add("It has no header.")
        notes.count("Circles", Path("x/b.json"))
    assert notes.sentences() == ("It has no header.", "Circles: 3 (the first in a.json).")


def test_of_many_sentences_the_first_are_shown():
    notes = Notes()
    for number in range(MAX_SENTENCES + 5):
        notes.add(f"Sentence {number}.")
    assert notes.sentences()[-2:] == (
        f"Sentence {MAX_SENTENCES - 1}.", "5 further assumptions are not shown."
    )  # fmt: skip


def test_names_that_are_not_utf_8_can_be_written():
    notes = Notes()
    notes.count("Circles", Path("\udcff.json"))
    assert notes.sentences() == ("Circles: 1 (the first in \\udcff.json).",)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a/x.jpg", ["a/x.jpg"]),
        ("home/me/b/x.jpg", ["b/x.jpg"]),
        ("C:\\data\\b\\x.jpg", ["b/x.jpg"]),
        ("./y.jpg", ["y.jpg"]),
        ("x.jpg", ["a/x.jpg", "b/x.jpg"]),
        ("u\u0308.jpg", ["\xfc.jpg"]),
        ("z.jpg", []),
        ("", []),
        ("y.jpg" * 300, []),
    ],
)
def test_names_are_found_by_their_ends(name, found):
    assert NameIndex(["a/x.jpg", "b/x.jpg", "y.jpg", "sub/y.jpg", "\xfc.jpg"]).find(name) == found


@pytest.mark.parametrize(
    ("name", "resolved"),
    [
        ("a.jpg", "a.jpg"),
        ("..\\images\\a.jpg", "images/a.jpg"),
        ("../../../../etc/a.jpg", "etc/a.jpg"),
        ("/abs/a.jpg", "/abs/a.jpg"),
        ("b/../a.jpg", "xml/a.jpg"),
    ],
)
def test_names_that_climb_are_resolved_from_the_root(name, resolved):
    assert resolve_name(name, Path("/data/xml/a.xml"), Path("/data")) == resolved
