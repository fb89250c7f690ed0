"""Albums killed at any change are old or new, whole, with their runs, and leave no file that nobody knows."""

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from playground.albums.followers import DELETED
from playground.albums.service import Albums
from playground.albums.storage import CLOCK, LOCKS, PREVIOUS
from playground.support.trash import Trash
from tests.killing import kill_at_every_change
from tests.playground.made_albums import training_folder

pytestmark = pytest.mark.slow  # each kill is a process

ANN = "a" * 32
RANDOM = re.compile("[0-9a-f]{12,}|[0-9]{9,}")  # keys, names of files and of entries in the trash
UNSTEADY = (CLOCK, PREVIOUS, ".lock", "used", "age.json")

ACTS = {
    "a first picture": ("", lambda albums, upload: albums.add("b" * 32, upload, "new")),
    "another picture": ("", lambda albums, upload: albums.add(ANN, upload, "new")),
    "a stroke": ("", lambda albums, upload: albums.set_objects(ANN, 1, [(1, 1, 5, 5)], [0], ["cat"])),
    "sharing": ("", lambda albums, upload: albums.share(ANN, True)),
    "a removal": ("", lambda albums, upload: albums.remove(ANN, 0)),
    "its undo": ("removed", lambda albums, upload: albums.restore_picture(ANN)),
    "a folder to train on": ("", lambda albums, upload: training_folder(albums, albums.require_own(ANN))),
    "deleting everything": ("", lambda albums, upload: albums.delete_all(ANN)),
    "the undo of that": ("deleted", lambda albums, upload: albums.restore_all(ANN)),
}


class Runs:
    """Two runs on Ann's album, which are deleted and restored with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.trash = folder, Trash(folder, seconds=3600, folder=DELETED)

    def hide(self, album: Path) -> None:
        for name in sorted(path.name for path in self.folder.glob("run-*")):
            self.trash.put([name], album.name)

    def restore(self, album: Path) -> None:
        for each in self.trash.entries():
            if each.title == album.name:
                self.trash.put_back(each.key)

    def forget(self, album: Path) -> None:
        self.hide(album)

    def clean(self) -> None:
        self.trash.entries()


def open_albums(home: Path) -> Albums:
    albums = Albums(home / "albums")
    albums.follow(Runs(home / "runs"))
    return albums


def describe(home: Path) -> Any:
    """Returns what a new start finds, after its first clean-up."""
    albums = open_albums(home)
    albums.clean()
    album, other = albums.of(ANN), albums.of("b" * 32)
    files = sorted(RANDOM.sub("#", str(path.relative_to(home))) for path in home.rglob("*")
                   if path.is_file() and path.name not in UNSTEADY and LOCKS not in path.parts)  # fmt: skip
    seen = album and ([each.boxes for each in album.pictures], album.shared, len(album.removed))
    return seen, other and len(other.pictures), bool(albums.last_deleted(ANN)), files


@pytest.mark.parametrize("name", ACTS)
def test_a_kill_leaves_the_old_or_the_new_state(name: str, tmp_path: Path) -> None:
    upload, home = tmp_path / "a.png", tmp_path / "home"
    Image.new("RGB", (8, 8)).save(upload)
    for run in ("run-1", "run-2"):
        (home / "runs" / run).mkdir(parents=True)
        (home / "runs" / run / "weights").touch()
    albums, (state, act) = open_albums(home), ACTS[name]
    for number in range(2):
        albums.add(ANN, upload, "title")
        albums.set_objects(ANN, number, [(1, 1, 6, 6)], [0], ["cat"])
    if state:
        albums.remove(ANN, 0) if state == "removed" else albums.delete_all(ANN)
    states = [describe(home)]
    for _, copy in kill_at_every_change(home, lambda copy: act(open_albums(copy), upload)):
        states.append(describe(copy))
    assert all(each in (states[0], states[-1]) for each in states)
    assert states[0] != states[-1] and states == sorted(states, key=lambda each: each != states[0])
