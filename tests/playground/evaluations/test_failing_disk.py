"""On a disk that takes no change, an evaluation is stored, hidden and restored wholly or not at all."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from playground.albums.followers import DELETED
from playground.albums.storage import explaining
from playground.evaluations.jobs import Evaluations
from playground.evaluations.results import EvaluationResult
from playground.evaluations.status import FINISHED, JobStatus
from playground.evaluations.store import LOCK, Origin, Store
from tests.failing import fail_at_every_change, failing
from tests.playground.albums.test_failing_disk import require_sentence
from tests.playground.evaluations.test_store import DONE, MADE, NAMES, RECORD

MINE = Origin("my-1", "builtin", "me")
ENDED = JobStatus(FINISHED, 3, 3, "", EvaluationResult.from_images(DONE, ("a.png", "b/ü.png", "c.png"), NAMES, 0.5))


def save(folder: Path, key: str, origin: Origin = MADE) -> None:
    if message := Evaluations(Store(folder, size=2))._save(key, ENDED, origin):
        raise UserError(message)


def hide(folder: Path) -> None:
    with explaining():
        Evaluations(Store(folder)).hide("mine", lambda origin: origin == MINE)


def restore(folder: Path) -> None:
    with explaining():
        Evaluations(Store(folder)).restore("mine")


ACTS: dict[str, Callable[[Path], None]] = {
    "a new one": lambda folder: save(folder, "c"),
    "one that is made again": lambda folder: save(folder, "b", MINE._replace(owner="you")),
    "hiding": hide,
    "restoring": restore,
}


@pytest.fixture(params=ACTS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def kept(name: str, tmp_path: Path) -> Path:
    store = Store(tmp_path / "kept", size=2)
    store.put("a", RECORD, MADE)
    store.put("b", RECORD, MINE)
    if name == "restoring":
        hide(tmp_path / "kept")
    return tmp_path / "kept"


def describe(folder: Path) -> object:
    """Returns what is there: a new evaluation may be one too many until the next one."""
    store = Store(folder, size=2)
    store.sweep()
    found = {key: store.get(key) is not None for key in "abc"}
    files = [path for path in folder.rglob("*") if path.is_file() and not {DELETED, LOCK} & {*path.parts}]
    assert len(files) == 2 * sum(found.values())
    owners = sorted(path.read_text() for path in files if path.suffix == ".json")
    return found["b"], found["c"], [each for each in owners if "scenes" not in each]


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_or_the_new_state(name: str, kept: Path, tmp_path: Path) -> None:
    before, states = describe(kept), []
    for copy, refusal in fail_at_every_change(kept, ACTS[name]):
        states.append((describe(copy), refusal))
        if refusal:
            require_sentence(refusal, tmp_path)
            assert states[-1][0] == before
    assert states[-1][1] is None and all(seen == states[-1][0] for seen, refusal in states if refusal is None)


def test_a_read_only_folder_is_refused_in_one_sentence(name: str, kept: Path, tmp_path: Path) -> None:
    before = describe(kept)
    with failing([kept], errno.EROFS), pytest.raises(UserError) as refused:
        ACTS[name](kept)
    require_sentence(refused.value, tmp_path)
    assert describe(kept) == before


def test_a_folder_that_vanishes_is_a_refusal_or_is_made_anew(name: str, kept: Path) -> None:
    shutil.rmtree(kept)
    try:
        ACTS[name](kept)
    except UserError as error:
        assert str(error).endswith(".") and str(kept.parent) not in str(error)
    save(kept, "again")
    assert Store(kept).has("again")


def test_a_store_that_another_process_changes_for_long_does_not_cost_the_result(tmp_path: Path, monkeypatch) -> None:
    evaluations = Evaluations(Store(tmp_path))
    monkeypatch.setattr(Store, "put", lambda *_: (_ for _ in ()).throw(UserError("Another process is at work.")))
    said = evaluations._save("key", ENDED, MADE)
    assert said.startswith("It could not be saved") and said.endswith("Another process is at work.")


def test_a_folder_that_cannot_be_looked_into_has_no_evaluations(tmp_path: Path, monkeypatch) -> None:
    evaluations = Evaluations(Store(tmp_path))
    save(tmp_path, "key")
    assert evaluations.read_status("key")
    usual = os.stat

    def refuse(path, *arguments, **options):
        if str(path).startswith(str(tmp_path)):
            raise PermissionError(errno.EACCES, "Permission denied")
        return usual(path, *arguments, **options)

    monkeypatch.setattr("os.stat", refuse)
    assert Evaluations(Store(tmp_path)).read_status("key") is None
