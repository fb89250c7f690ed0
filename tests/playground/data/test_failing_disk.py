"""On a disk that takes no change, every change of a data set is refused in one sentence and changes nothing."""

import errno
import shutil
from pathlib import Path

import pytest

from core.errors import UserError
from playground.data.datasets import DataSets
from tests.core.made_data import yolo
from tests.failing import fail_at_every_change, failing
from tests.playground.albums.test_failing_disk import require_sentence
from tests.playground.data.test_datasets import CONFIG, LINE, zipped
from tests.playground.data.test_killed import ACTS, describe, open_library

UNREAD = "deleting what cannot be read"
ALL = {
    **ACTS,
    UNREAD: (
        lambda data, archive: (data.library.folder / "odd.json").touch(),
        lambda data, archive: data.delete_unread("odd"),
    ),
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zipped(yolo(tmp_path_factory.mktemp("made") / "set", {"p0": LINE, "p1": LINE}))


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def kept(name: str, tmp_path: Path, archive: Path) -> Path:
    data = open_library(tmp_path / "kept", archive)
    data.add_zip(archive, "old.zip", CONFIG)
    ALL[name][0](data, archive)
    return tmp_path / "kept"


def look(folder: Path, archive: Path) -> object:
    data = open_library(folder, archive)
    return describe(data), data.library.list_unread()


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_or_the_new_state(name: str, kept: Path, archive: Path, tmp_path: Path) -> None:
    before, states = look(kept, archive), []
    for copy, refusal in fail_at_every_change(kept, lambda copy: ALL[name][1](open_library(copy, archive), archive)):
        states.append((look(copy, archive), refusal))
        if refusal:
            require_sentence(refusal, tmp_path)
            assert states[-1][0] == before
    assert states[-1][1] is None and all(seen == states[-1][0] for seen, refusal in states if refusal is None)


def test_a_read_only_folder_is_refused_in_one_sentence(name: str, kept: Path, archive: Path, tmp_path: Path) -> None:
    before, data = look(kept, archive), open_library(kept, archive)
    data.library.names()
    with failing([kept], errno.EROFS), pytest.raises(UserError) as refused:
        ALL[name][1](data, archive)
    require_sentence(refused.value, tmp_path)
    assert look(kept, archive) == before


def test_a_folder_that_vanishes_is_a_refusal_or_is_made_anew(name: str, kept: Path, archive: Path) -> None:
    data = open_library(kept, archive)
    data.library.names()
    shutil.rmtree(kept)
    try:
        ALL[name][1](data, archive)
    except UserError as error:
        assert str(error).endswith(".") and str(kept.parent) not in str(error)
    assert data.add_zip(archive, "again.zip", CONFIG).name == "again"


def test_an_unread_data_set_is_named_after_every_failure(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "odd.json").touch()
    with failing([tmp_path / "kept"], errno.EROFS):
        assert DataSets(tmp_path / "kept").list_unread() == ["odd"]
