"""On a disk that takes no change, every change of an album is refused in one sentence, and nothing is half-changed."""

import errno
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.errors import UserError
from playground.albums.service import Albums
from tests.failing import fail_at_every_change, failing
from tests.playground.albums.test_killed import ACTS, ANN, describe, open_albums

REMEDY = re.compile(
    r"(its disk is full: delete what you no longer need|ask its operator to allow that|Free some space|"
    r"Delete what you no longer need, or ask the operator of this server)"
)
MORE: dict[str, tuple[str, Callable[[Albums, Path], object]]] = {
    "a split": ("", lambda albums, upload: albums.set_split(ANN, 0, "test")),
    "no objects": ("", lambda albums, upload: albums.mark_empty(ANN, 0)),
    "a class": ("", lambda albums, upload: albums.rename_class(ANN, 0, "dog")),
    "a colour": ("", lambda albums, upload: albums.recolour_class(ANN, 0, "#123456")),
    "an export": ("", lambda albums, upload: albums.export(ANN, "yolo")),
}
ALL = {**ACTS, **MORE}


def require_sentence(error: UserError | None, *folders: Path) -> None:
    text = str(error)
    assert error and REMEDY.search(text) and text.endswith(".") and "Errno" not in text and len(text) <= 500, text
    assert not any(str(folder) in text for folder in folders), text


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def make_home(home: Path, upload: Path, state: str) -> Path:
    for run in ("run-1", "run-2"):
        (home / "runs" / run).mkdir(parents=True)
        (home / "runs" / run / "weights").touch()
    albums = open_albums(home)
    for number in range(2):
        albums.add(ANN, upload, "title")
        albums.set_objects(ANN, number, [(1, 1, 6, 6)], [0], ["cat"])
    if state:
        albums.remove(ANN, 0) if state == "removed" else albums.delete_all(ANN)
    return home


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_full_disk_leaves_the_old_or_the_new_state(name: str, tmp_path: Path, upload: Path) -> None:
    state, act = ALL[name]
    home = make_home(tmp_path / "home", upload, state)
    before, states = describe(home), []
    for copy, refusal in fail_at_every_change(home, lambda copy: act(open_albums(copy), upload)):
        states.append((describe(copy), refusal))
        if refusal:
            require_sentence(refusal, tmp_path)
            assert states[-1][0] == before
    assert states[-1][1] is None and all(seen == states[-1][0] for seen, refusal in states if refusal is None)


@pytest.mark.parametrize("name", [name for name in ALL if name != "an export"])
def test_a_read_only_folder_is_refused_in_one_sentence(name: str, tmp_path: Path, upload: Path) -> None:
    state, act = ALL[name]
    home = make_home(tmp_path / "home", upload, state)
    before, albums = describe(home), open_albums(home)
    with failing([home], errno.EROFS), pytest.raises(UserError) as refused:
        act(albums, upload)
    require_sentence(refused.value, tmp_path)
    assert describe(home) == before


@pytest.mark.parametrize("name", ALL)
def test_a_folder_that_vanishes_is_a_refusal_or_is_made_anew(name: str, tmp_path: Path, upload: Path) -> None:
    state, act = ALL[name]
    home = make_home(tmp_path / "home", upload, state)
    albums = open_albums(home)
    albums.of(ANN)
    shutil.rmtree(home)
    try:
        act(albums, upload)
    except UserError as error:
        assert str(error).endswith(".") and str(tmp_path) not in str(error)
    assert albums.add(ANN, upload, "again")[1] >= 0


def test_no_room_for_temporary_files_refuses_a_download(tmp_path: Path, upload: Path, monkeypatch) -> None:
    albums = open_albums(make_home(tmp_path / "home", upload, ""))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    for first in range(1, 8):
        with failing([tmp_path / "temporary"], errno.ENOSPC, first), pytest.raises(UserError) as refused:
            albums.export(ANN, "coco")
        require_sentence(refused.value, tmp_path)
        assert not list((tmp_path / "temporary").rglob("*.zip")) and not list((tmp_path / "temporary").rglob("*.json"))
    assert albums.export(ANN, "coco").is_file()
