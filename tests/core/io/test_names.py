"""Names of files that every system allows, keeps and tells apart."""

from pathlib import Path, PurePosixPath

import pytest

from core.io.paths import find_fault_on_windows, fold_name, hide_folder, is_portable, make_portable

PLAIN = (
    "a.jpg",
    "Zürich 7 (2).jpeg",
    ".hidden",
    "console.png",
    "com10.txt",
    "nul-1",
    "a.b.c",
    "日本.png",
    "a" * 251 + ".jpg",
)
CHANGED = {
    "CON": "CON_",
    "aux.png": "aux_.png",
    "nul .tar.gz": "nul_.tar.gz",
    "Com1.txt": "Com1_.txt",
    "lpt³": "lpt³_",
    "a:b.png": "a_b.png",
    '<>:"|?*\\.png': "________.png",
    "tab\there\x7f.jpg": "tab_here_.jpg",
    "a.": "a",
    "a. . ": "a",
    " a": "a",
    " ": "_",
    "..": "_",
    "": "_",
    "u\u0308.png": "ü.png",
    "a" * 300 + ".jpg": "a" * 251 + ".jpg",
    "é" * 300: "é" * 127,
    "." + "x" * 300: "." + "x" * 254,
}


@pytest.mark.parametrize("name", PLAIN)
def test_usual_names_stay(name):
    assert is_portable(name) and make_portable(name) == name


@pytest.mark.parametrize("name", CHANGED)
def test_names_that_some_system_refuses_or_changes_are_changed(name):
    assert make_portable(name) == CHANGED[name] and is_portable(CHANGED[name])
    assert make_portable(CHANGED[name]) == CHANGED[name]
    assert not is_portable(name) or name == "u\u0308.png"  # which is allowed, but another name elsewhere


def test_each_folder_of_a_path_is_changed():
    assert make_portable("aux/a?/con.png") == "aux_/a_/con_.png"


def test_names_are_one_where_some_system_takes_them_for_one():
    assert fold_name("Ü.PNG") == fold_name("u\u0308.png") and fold_name("straße") == fold_name("STRASSE")
    assert fold_name("a.png") != fold_name("b.png")


def test_faults_on_windows():
    folder = Path("/data")
    assert find_fault_on_windows(PurePosixPath("a/b.png"), folder) == ""
    assert find_fault_on_windows(PurePosixPath("a/b:.png"), folder) == "whose name Windows does not allow"
    assert find_fault_on_windows(PurePosixPath("aux/b.png"), folder) == "in a folder that Windows does not allow"
    long = PurePosixPath("/".join(["a" * 100] * 3))
    assert "259" in find_fault_on_windows(long, folder)


def test_folders_are_hidden_with_either_separator(monkeypatch):
    monkeypatch.setattr("os.sep", "\\")
    message = "C:\\runs\\a.json and C:\\runs/b.json in C:\\runs"
    assert hide_folder(message, "C:\\runs", "the folder") == "a.json and b.json in the folder"
