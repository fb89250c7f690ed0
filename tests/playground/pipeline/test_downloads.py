"""Downloads that visitors share."""

import threading

import pytest

from core.weights.architecture import WeightsError
from core.weights.download import CancelledError, Published
from playground.pipeline import downloads
from playground.pipeline.downloads import ABSENT, FAILED, HERE, RUNNING, Downloads, download
from tests.waiting import wait

WEIGHTS = Published("made", "http://127.0.0.1:9/made-0123abcd.pth", 1000)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Downloads whose files are made here once `go` is set."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    go, calls = threading.Event(), []

    def fetch(weights, report, is_cancelled):
        calls.append(weights)
        report(500, 1000)
        while not go.wait(0.01):
            if is_cancelled():
                raise CancelledError("cancelled")
        weights.file.parent.mkdir(parents=True)
        weights.file.write_bytes(b"x")

    monkeypatch.setattr(downloads, "fetch", fetch)
    return Downloads(), go, calls


def test_a_second_visitor_joins_and_sees_the_same_progress(made):
    service, go, calls = made
    assert service.read(WEIGHTS).status == ABSENT
    service.join(WEIGHTS, "a")
    wait(lambda: service.read(WEIGHTS).done == 500)
    assert service.join(WEIGHTS, "b") == service.read(WEIGHTS) == (RUNNING, 500, 1000, "")
    service.leave(WEIGHTS, "a")  # the other still waits
    go.set()
    wait(lambda: service.read(WEIGHTS).status == HERE)
    assert len(calls) == 1 and service.join(WEIGHTS, "c").status == HERE


def test_the_last_one_who_leaves_cancels(made):
    service, _, calls = made
    service.join(WEIGHTS, "a")
    assert service.leave(WEIGHTS, "a").status == ABSENT
    wait(lambda: service.read(WEIGHTS).status == ABSENT)
    wait(lambda: not service._running)
    service.join(WEIGHTS, "a")
    wait(lambda: len(calls) == 2)
    service.leave(WEIGHTS, "a")


def test_who_joins_while_a_cancelled_download_ends_gets_the_weights(made, monkeypatch):
    service, go, calls = made
    usual = downloads.fetch
    cancelled, joined = threading.Event(), threading.Event()

    def fetch(weights, report, is_cancelled):
        try:
            usual(weights, report, is_cancelled)
        except CancelledError:
            cancelled.set()
            joined.wait(120)
            raise

    monkeypatch.setattr(downloads, "fetch", fetch)
    service.join(WEIGHTS, "a")
    service.leave(WEIGHTS, "a")
    assert cancelled.wait(120)
    assert service.join(WEIGHTS, "b").status == RUNNING
    joined.set()
    wait(lambda: len(calls) == 2)
    for thread in threading.enumerate():
        if thread.name == "download" and thread is not service._running[WEIGHTS.url]:
            thread.join(120)  # the cancelled one has ended
    assert service.read(WEIGHTS).status == RUNNING
    go.set()
    wait(lambda: service.read(WEIGHTS).status == HERE)
    wait(lambda: not service._running)


def test_a_failure_is_told_without_a_path_and_can_be_repeated(made, monkeypatch):
    service, _, _ = made

    def refuse(weights, report, is_cancelled):
        raise WeightsError(f"{weights.file.parent}: full")

    monkeypatch.setattr(downloads, "fetch", refuse)
    service.join(WEIGHTS, "a")
    wait(lambda: service.read(WEIGHTS).status == FAILED)
    assert service.read(WEIGHTS).message == "the disk: full"
    wait(lambda: not service._running)
    assert service.join(WEIGHTS, "a").status in (RUNNING, FAILED)


@pytest.mark.parametrize(
    "request_", [None, 1, {}, {"name": "builtin"}, {"name": "imagenet", "depth": 19}, {"name": []}]
)
def test_nonsense_downloads_nothing(request_):
    assert download(request_)["status"] == FAILED
