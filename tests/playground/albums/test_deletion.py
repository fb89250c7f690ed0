"""Everything of a visitor is deleted at once, can be restored for an hour, and is then gone for good."""

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from PIL import Image

from core.evaluation.dataset_predictions import ImageResult
from core.runs.control import STOP, read_control
from core.runs.folder import RUNNING, STOPPED as RUN_STOPPED, RunFolder
from core.structures import Detections, GroundTruth
from playground.albums import followers
from playground.albums.album import AlbumError
from playground.albums.limits import KEPT_DAYS
from playground.albums.service import ALBUMS, Albums
from playground.albums.storage import AlbumStorage
from playground.evaluations.jobs import Evaluations
from playground.evaluations.of_albums import AlbumEvaluations
from playground.evaluations.records import StoredEvaluation
from playground.evaluations.status import FINISHED
from playground.evaluations.store import Origin, Store
from playground.runs import of_albums
from playground.runs.of_albums import AlbumRuns, is_trained_on
from playground.runs.service import RUNS
from playground.runs.table_api import handle_request
from tests.playground.made_albums import albums_at, fill_album, training_folder
from tests.playground.made_runs import evaluation, make_run, runs_at, step

ANN, BOB = "a" * 32, "b" * 32
ONE, OTHER, DERIVED, BOBS = (f"20260101-000000-00{number}" for number in range(1, 5))
NOTHING = ImageResult(
    Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64)),
    GroundTruth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.bool)),
    1,
    "",
)
RECORD = StoredEvaluation(FINISHED, 1, (NOTHING,), ("secret title",), ("secret class",))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Ann's album with two runs, of which Bob started one, a run with its weights, and evaluations."""
    monkeypatch.setattr(ALBUMS, "_trash", ALBUMS._trash)  # `follow` changes what it deletes
    store = Store(tmp_path / "evaluations")
    with albums_at(tmp_path / "albums"), runs_at(tmp_path / "runs"):
        album = fill_album(ANN, tmp_path)
        source = str(training_folder(ALBUMS, album))
        records = [step(1), evaluation(1, 0.5)]
        for name in (ONE, OTHER, BOBS):
            make_run(RUNS.root / name, {}, records).weights.write_bytes(b"weights")
        weights = str(RUNS.folder(ONE).weights)
        for name, owner in ((ONE, ANN), (BOBS, BOB)):
            run = RUNS.folder(name)
            run.write_about(run.read_about()._replace(source=source, owner=owner))
        make_run(RUNS.root / DERIVED, {"model.weights": weights}, records)
        origins = (Origin(album.key, "builtin"), Origin("scenes", weights), Origin("scenes", "builtin"))
        for number, origin in enumerate(origins):
            store.put(number, RECORD, origin)
        ALBUMS.follow(AlbumEvaluations(Evaluations(store), is_trained_on), AlbumRuns(RUNS))
        yield store


def list_files(folder) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and path.name not in (".lock", "lock")]


def test_album_runs_and_evaluations_go_and_come_back(store, tmp_path):
    before = ALBUMS.of(ANN)
    ALBUMS.delete_all(ANN)
    assert ALBUMS.of(ANN) is None and RUNS.names() == [OTHER] and ALBUMS.last_deleted(ANN)
    assert [store.has(number) for number in range(3)] == [False, False, True]
    with pytest.raises(AlbumError, match="no longer here"):
        ALBUMS.get(before.key, ANN)
    for visitor in (BOB, ""):
        assert not ALBUMS.last_deleted(visitor)
        with pytest.raises(AlbumError, match="no deleted pictures of yours"):
            ALBUMS.restore_all(visitor)
    assert ALBUMS.restore_all(ANN)._replace(used=0) == before._replace(used=0)
    assert sorted(RUNS.names()) == [ONE, OTHER, DERIVED, BOBS] and RUNS.may_see(ONE, ANN)
    assert all(store.has(number) for number in range(3)) and not ALBUMS.last_deleted(ANN)


def test_a_deletion_that_the_disk_refuses_leaves_runs_and_evaluations_there(store, monkeypatch):
    def refuse(*_) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched, pytest.raises(AlbumError, match="its disk is full"):
        patched.setattr(ALBUMS._trash._trash, "put", refuse)
        ALBUMS.delete_all(ANN)
    assert ALBUMS.of(ANN) and sorted(RUNS.names()) == [ONE, OTHER, DERIVED, BOBS]
    assert all(store.has(number) for number in range(3))


def let_pass(monkeypatch, seconds: float, *clocks: str) -> None:
    """Puts clocks of the computer forward: the one that somebody may set, "time", and that since its start."""
    for name in clocks:
        real = getattr(time, name)
        monkeypatch.setattr(time, name, lambda real=real: real() + seconds)


@pytest.mark.slow
@pytest.mark.parametrize("days", [40, -1])
def test_a_jump_of_the_clock_deletes_nothing_for_good(store, monkeypatch, days):
    key = ALBUMS.of(ANN).key
    ALBUMS.remove(ANN, 0)
    let_pass(monkeypatch, days * 86400, "time")
    ALBUMS.clean()
    assert ALBUMS.of(ANN).key == key and ALBUMS.restore_picture(ANN)[1] == 0
    ALBUMS.delete_all(ANN)
    let_pass(monkeypatch, days * 86400, "time")
    ALBUMS.clean()
    assert len(ALBUMS.restore_all(ANN).pictures) == 2


def test_after_an_hour_nothing_is_left(store, tmp_path, monkeypatch):
    handle_request({"act": "delete", "run": BOBS}, RUNS, ANN)  # into the ordinary trash, where it would stay for days
    key = ALBUMS.of(ANN).key
    ALBUMS.delete_all(ANN)
    let_pass(monkeypatch, followers.UNDO_SECONDS + 1, "time", "monotonic")
    ALBUMS.clean()
    left = [*list_files(tmp_path / "albums"), *list_files(tmp_path / "evaluations"), *list_files(RUNS.root)]
    assert not any(word in path for path in left for word in (key, ONE, DERIVED, BOBS, followers.DELETED))
    assert RUNS.names() == [OTHER] and len(list_files(tmp_path / "evaluations")) == 2
    with pytest.raises(AlbumError, match="no deleted pictures of yours"):
        ALBUMS.restore_all(ANN)


def test_a_run_in_progress_is_stopped_first(store):
    run = RUNS.folder(ONE)
    run.write_status(RUNNING, "")
    lock = run.acquire_lock()

    def train() -> None:
        while read_control(run.control).command != STOP:
            time.sleep(0.01)
        run.write_status(RUN_STOPPED, "")
        lock.close()

    process = threading.Thread(target=train)
    process.start()
    ALBUMS.delete_all(ANN)
    process.join()
    assert RUNS.names() == [OTHER] and RunFolder(RUNS.root / ONE).read_about().source == "scenes"


def test_if_a_run_does_not_stop_nothing_is_deleted(store, monkeypatch):
    monkeypatch.setattr(of_albums, "STOP_SECONDS", 0.2)
    run = RUNS.folder(ONE)
    run.write_status(RUNNING, "")
    with run.acquire_lock(), pytest.raises(AlbumError, match="still being stopped"):
        ALBUMS.delete_all(ANN)
    assert ALBUMS.of(ANN) and len(RUNS.names()) == 4 and all(store.has(number) for number in range(3))


def test_restoring_and_a_change_at_the_same_time_do_not_wait_for_each_other(tmp_path, monkeypatch):
    albums = Albums(tmp_path / "albums")  # own ones: locks that two threads hold for ever stop all later tests
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    for visitor in (ANN, BOB):
        albums.add(visitor, tmp_path / "a.png", "a")
    albums.delete_all(ANN)
    restoring, sharing, changing = threading.Event(), threading.Event(), albums._storage.changing

    @contextmanager
    def meet() -> Iterator[None]:
        """Lets Bob come as far as he can while Ann holds the lock of the folder."""
        if threading.current_thread().name == BOB:
            sharing.set()
        with changing():
            if threading.current_thread().name == ANN:
                restoring.set()
                sharing.wait(0.2)
            yield

    def share() -> None:
        restoring.wait(5)
        albums.share(BOB, True)

    monkeypatch.setattr(albums._storage, "changing", meet)
    threads = [
        threading.Thread(target=albums.restore_all, args=[ANN], name=ANN, daemon=True),
        threading.Thread(target=share, name=BOB, daemon=True),
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(5)
    assert not any(each.is_alive() for each in threads)
    assert albums.of(ANN) and albums.of(BOB).shared


@pytest.mark.slow
def test_new_pictures_are_not_overwritten(store, tmp_path):
    ALBUMS.delete_all(ANN)
    fill_album(ANN, tmp_path)
    with pytest.raises(AlbumError, match="only one album"):
        ALBUMS.restore_all(ANN)
    ALBUMS.delete_all(ANN)
    assert len(ALBUMS.restore_all(ANN).pictures) == 2


def test_albums_that_nobody_uses_expire(store, tmp_path):
    kept = fill_album(BOB, tmp_path).key
    key = ALBUMS.of(ANN).key
    past = time.time() - KEPT_DAYS * 86400 - 10
    os.utime(ALBUMS.folder / key / "used", (past, past))
    os.utime(ALBUMS.folder / kept / "used", (past + 20, past + 20))
    ALBUMS.clean()
    assert ALBUMS.of(ANN) is None and ALBUMS.of(BOB).key == kept and RUNS.names() == [OTHER]
    assert ALBUMS.of(BOB).used > past + 20  # to look at it is a use


def test_a_removed_picture_and_what_an_upload_left_are_erased_after_an_hour(store, monkeypatch):
    album = ALBUMS.remove(ANN, 0)
    pictures = ALBUMS.folder / album.key / "pictures"
    (pictures / "left.png").write_bytes(b"half a picture")
    ALBUMS.clean()
    assert len(list(pictures.iterdir())) == 2 and ALBUMS.restore_picture(ANN)[1] == 0
    ALBUMS.remove(ANN, 0)
    now = time.time()
    monkeypatch.setattr(AlbumStorage, "now", lambda storage: now + followers.UNDO_SECONDS + 60)
    ALBUMS.clean()
    assert [each.name for each in pictures.iterdir()] == [ALBUMS.of(ANN).pictures[0].file]
    assert len(list((ALBUMS.folder / album.key).glob("training-*/images/*/*"))) == 1  # no copy of it either
    with pytest.raises(AlbumError, match="no removed picture"):
        ALBUMS.restore_picture(ANN)


def test_without_any_run_there_is_nothing_to_stop(store, tmp_path):
    with runs_at(tmp_path / "none"):
        ALBUMS.follow(AlbumRuns(RUNS))
        ALBUMS.delete_all(ANN)
        assert ALBUMS.restore_all(ANN).owner == ANN
    assert not (tmp_path / "none").exists()
