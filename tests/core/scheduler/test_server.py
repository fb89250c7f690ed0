"""The server takes one run per device, in order, and is over when it has one, or when nobody needs it."""

import threading

import pytest

from core.config import Config
from core.io.locks import FileLock, is_held
from core.runs.about import About
from core.runs.folder import FAILED, STARTING, RunError, RunFolder
from core.scheduler import server as module
from core.scheduler.lock_files import DEVICE_LOCK, PAGES_LOCK, SERVER_LOCK
from core.scheduler.queue import Queue
from core.scheduler.server import Server


@pytest.fixture
def queue(tmp_path):
    return Queue(tmp_path)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(module, "SCAN_SECONDS", 0.01)


def make(queue, devices=(None,)):
    server = Server(queue.root, FileLock.acquire(queue.root / SERVER_LOCK))
    server._devices = devices
    return server


def test_the_run_that_waits_longest_is_taken_with_its_device(queue):
    first, second = (queue.add(Config(), About()) for _ in range(2))
    job = make(queue).wait()
    assert job.folder.path == first.path and job.device is None
    assert first.is_held() and is_held(queue.root / DEVICE_LOCK.format("cpu"))
    assert not is_held(queue.root / SERVER_LOCK)  # a successor can be started
    assert queue.stored_status(first).state == STARTING and [each.path for each in queue.waiting()] == [second.path]


def test_each_device_has_one_run(queue):
    for _ in range(3):
        queue.add(Config(), About())
    jobs = [make(queue, range(2)).wait() for _ in range(2)]
    assert [each.device for each in jobs] == [0, 1]
    third = []
    thread = threading.Thread(target=lambda: third.append(make(queue, range(2)).wait()))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    jobs[1].device_lock.close()
    thread.join(60)
    assert third[0].device == 1 and not queue.waiting()


def test_a_server_is_over_when_no_run_waits_and_no_page_is_open(queue):
    page, ended = FileLock.try_acquire(queue.root / PAGES_LOCK, shared=True), []
    thread = threading.Thread(target=lambda: ended.append(make(queue).wait()))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    page.close()
    thread.join(60)
    assert ended == [None] and not is_held(queue.root / SERVER_LOCK)


def test_a_run_that_another_process_trains_fails_and_the_next_one_is_taken(queue):
    first, second = (queue.add(Config(), About()) for _ in range(2))
    with first.acquire_lock():
        job = make(queue).wait()
    assert job.folder.path == second.path and first.read_status().state == FAILED
    assert "another process" in first.read_status().message


def test_a_run_whose_folder_cannot_be_changed_holds_up_no_other(queue, monkeypatch):
    first, second = (queue.add(Config(), About()) for _ in range(2))
    acquire = RunFolder.acquire_lock

    def refuse(folder):
        if folder.path == first.path:
            raise RunError("The folder cannot be used: Permission denied.")
        return acquire(folder)

    monkeypatch.setattr(RunFolder, "acquire_lock", refuse)
    monkeypatch.setattr(RunFolder, "note_status", lambda *_: None)  # it cannot be noted either
    assert make(queue)._look()[1].folder.path == second.path
    assert [each.path for each in queue.waiting()] == [first.path]


def full(*_, **__):
    raise OSError(28, "No space left on device")


def test_on_a_full_disk_a_run_waits_until_its_start_can_be_noted(queue, monkeypatch):
    folder, server = queue.add(Config(), About()), make(queue)
    with monkeypatch.context() as patch:
        for name in ("core.runs.folder.write_text", "core.runs.folder._overwrite"):
            patch.setattr(name, full)
        assert server._look() == (False, None) and not folder.is_held()
        assert not is_held(queue.root / DEVICE_LOCK.format("cpu"))
        assert [each.path for each in queue.waiting()] == [folder.path]
    assert server._look()[1].folder.path == folder.path and queue.waiting() == []
