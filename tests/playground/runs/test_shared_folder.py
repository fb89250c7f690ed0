"""Two pages over one folder of runs, and a page on a full disk."""

import pytest

from core.config import Config
from core.errors import UserError
from core.io.parts import make_part
from core.runs.about import About
from core.runs.control import PAUSE, STOP, Control, read_control
from core.runs.folder import QUEUED, RUNNING, STOPPED, RunError
from core.scheduler.queue import Queue
from playground.runs.service import Runs
from playground.runs.table_api import handle_request
from tests.core.tiny import tiny


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """Two pages; nothing is trained."""
    monkeypatch.setattr("playground.runs.catalogue.ensure_server", lambda root, delay: None)
    pages = Runs(tmp_path / "runs"), Runs(tmp_path / "runs")
    yield pages
    for page in pages:
        page.close()


def full(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.fixture
def fill(monkeypatch):
    """Returns a function that fills the disk."""

    def fill():
        for name in ("core.io.parts.tempfile.mkdtemp", "core.runs.folder._overwrite", "pathlib.Path.touch"):
            monkeypatch.setattr(name, full)

    return fill


def test_pages_see_each_others_runs_in_one_order(pages):
    one, other = pages
    names = [one.start(tiny()), other.start(tiny()), one.start(tiny())]
    assert one.statuses() == other.statuses()
    assert [other.read_progress(name).status.queue_position for name in names] == [1, 2, 3]
    other.stop(names[0])
    assert one.read_progress(names[0]).state == STOPPED
    one.resume(names[0])
    assert [other.read_progress(name).status.queue_position for name in names] == [3, 1, 2]


def test_what_one_page_deletes_the_other_can_restore(pages):
    one, other = pages
    name = one.start(tiny())
    one.stop(name)
    undo = handle_request({"act": "delete", "run": name}, one)["undo"]
    assert undo and not other.has(name) and other.names() == []
    assert "no longer exists" in handle_request({"act": "delete", "run": name}, other)["said"]
    assert "is back" in handle_request({"act": "restore", "key": undo}, other)["said"]
    assert one.has(name) and "no longer in the trash" in handle_request({"act": "restore", "key": undo}, one)["said"]


def test_a_page_that_opens_keeps_what_the_other_makes_and_removes_what_nobody_makes(pages):
    one, other = pages
    folder = one.folder(one.start(tiny()))
    (folder.path / ".checkpoint.safetensors.x.part").mkdir()
    (folder.path / ".checkpoint.safetensors.1234.part").write_bytes(b"left by an earlier version")
    with make_part(folder.checkpoint) as part:
        part.write_bytes(b"half")
        other.open()
        assert [path for path in folder.path.iterdir() if path.name.startswith(".")] == [part.parent]
    assert not list(one.root.rglob("*.part"))


def test_a_run_that_cannot_be_started_leaves_nothing_and_tells_no_path(pages, fill):
    page, _ = pages
    page.open()
    before = sorted(page.root.rglob("*"))
    fill()
    for start in (lambda: page.start(tiny()), lambda: page.compare("freeze")):
        with pytest.raises(RunError, match=r"cannot be created: No space left on device\. Free some space") as refused:
            start()
        assert str(page.root) not in str(refused.value)
    assert set(page.root.rglob("*")) <= {*before, page.root / ".queue"}


def test_a_comparison_for_half_of_which_there_is_room_is_not_started(pages, monkeypatch):
    page, _ = pages
    add, added = page._queue.add, []

    def add_two(config, about, uploaded):
        if len(added) == 2:
            raise RunError("full")
        added.append(add(config, about, uploaded))
        return added[-1]

    monkeypatch.setattr(page._queue, "add", add_two)
    with pytest.raises(RunError, match="full"):
        page.compare("loss")
    assert len(added) == 2 and page.names() == [] and not [path for path in page.root.iterdir() if path.is_dir()]


def test_on_a_full_disk_runs_can_be_stopped_paused_and_stepped(pages, fill):
    page, other = pages
    waiting, training = page.start(tiny()), page.start(tiny())
    folder = page.folder(training)
    with folder.acquire_lock():
        folder.write_status(RUNNING)
        fill()
        page.pause(training)
        assert read_control(folder.control) == Control(PAUSE)
        page.step(training)
        assert read_control(folder.control) == Control(PAUSE, 1)
        page.resume(training)  # the run could not note that it was paused
        assert read_control(folder.control) == Control()
        page.stop(training)
        assert read_control(folder.control) == Control(STOP)
        page.stop(waiting)
    assert other.read_progress(waiting).state == STOPPED
    with pytest.raises(UserError, match=r"cannot be resumed: No space left on device\. Free some space"):
        page.resume(waiting)
    assert page.read_progress(waiting).state == STOPPED != QUEUED


@pytest.mark.parametrize("waits", [False, True])
def test_a_run_that_waits_is_trained_at_once_however_new_the_page_is(tmp_path, monkeypatch, waits):
    delays = []
    monkeypatch.setattr("playground.runs.catalogue.ensure_server", lambda root, delay: delays.append(delay))
    runs = Runs(tmp_path / "runs")
    runs.root.mkdir()
    if waits:
        Queue(runs.root).add(Config(), About())
    runs.open(8.0)
    runs.open()
    runs.close()
    assert delays == [0.0 if waits else 8.0, 0.0]
