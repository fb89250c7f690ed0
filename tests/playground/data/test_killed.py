"""A library killed at any change has the old or the new data sets, whole, and nothing else on its disk."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground.data.datasets import DataSets
from playground.data.stored.access import LOCKS
from playground.data.stored.bounds import Bounds
from playground.support.trash import LOCK
from tests.core.made_data import yolo
from tests.killing import kill_at_every_change
from tests.playground.data.test_datasets import CONFIG, LINE, zipped

pytestmark = pytest.mark.slow  # each kill is a process

Act = Callable[[DataSets, Path], object]
HALVES, ALL = (0.5, 0.5, 0), (1, 0, 0)
NUMBER = re.compile("[0-9]{9,}")  # the name of an entry in the trash

ACTS: dict[str, tuple[Act, Act]] = {  # what is done before, and what is killed
    "an upload": (lambda data, archive: None, lambda data, archive: data.add_zip(archive, "new.zip", CONFIG)),
    "a folder": (lambda data, archive: None, lambda data, archive: data.add_folder("set", CONFIG)),
    "a split": (
        lambda data, archive: data.split("old", "random", HALVES, CONFIG),
        lambda data, archive: data.split("old", "random", ALL, CONFIG),
    ),
    "a return to its own splits": (
        lambda data, archive: data.split("old", "random", HALVES, CONFIG),
        lambda data, archive: data.split("old", "given", ALL, CONFIG),
    ),
    "undoing a split": (
        lambda data, archive: data.split("old", "random", ALL, CONFIG),
        lambda data, archive: data.undo_split(CONFIG),
    ),
    "a deletion": (
        lambda data, archive: data.split("old", "random", ALL, CONFIG),
        lambda data, archive: data.delete("old"),
    ),
    "a put-back": (lambda data, archive: data.delete("old"), lambda data, archive: data.restore()),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipped(yolo(tmp_path_factory.mktemp("made") / "set", {"p0": LINE, "p1": LINE}))


def open_library(folder: Path, archive: Path, sets: int = 9) -> DataSets:
    data = DataSets(folder, Bounds(sets=sets))
    data.allow_folder(archive.parent)
    return data


def describe(data: DataSets) -> tuple[Any, ...]:
    """Returns what a new start finds: the data sets, what can be undone, and all files."""
    sets = {name: data.library.get(name).splits for name in data.library.names()}
    pictures = {name: [data.open_split(name, split).digest for split in splits] for name, splits in sets.items()}
    deleted, folder = data.last_deleted(), data.library.folder
    files = [path for path in folder.rglob("*") if path.is_file() and not {LOCKS, LOCK} & set(path.parts)]
    names = sorted(NUMBER.sub("#", str(path.relative_to(folder))) for path in files)
    return sets, pictures, data.last_split(), deleted and deleted.title, names


@pytest.mark.parametrize("name", ACTS)
def test_a_kill_leaves_the_old_or_the_new_state(name: str, tmp_path: Path, archive: Path) -> None:
    before, act = ACTS[name]
    data = open_library(tmp_path / "kept", archive)
    data.add_zip(archive, "old.zip", CONFIG)
    before(data, archive)
    states = [describe(data)]
    for _, copy in kill_at_every_change(tmp_path / "kept", lambda copy: act(open_library(copy, archive), archive)):
        states.append(describe(open_library(copy, archive)))
    assert all(state in (states[0], states[-1]) for state in states)
    assert states == sorted(states, key=lambda state: state != states[0]) and states[0] != states[-1]


def test_a_kill_while_room_is_made_loses_nothing_else(tmp_path: Path, archive: Path) -> None:
    for name in ("kept", "old"):
        open_library(tmp_path / "kept", archive).add_zip(archive, name, CONFIG)
    found = set()

    def act(folder: Path) -> None:
        data = open_library(folder, archive, sets=2)
        data.library.touch("kept")
        data.add_zip(archive, "new", CONFIG)

    for _, copy in kill_at_every_change(tmp_path / "kept", act):
        sets, _, _, _, files = describe(open_library(copy, archive, sets=2))
        found.add(tuple(sets))
        assert {path.split("/")[0].removesuffix(".json") for path in files} - {".trash"} == set(sets)
    # With one too many until the next one is added, which removes it then.
    assert found == {("kept", "old"), ("kept", "new", "old"), ("kept", "new")}
