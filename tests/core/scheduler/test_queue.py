"""The queue keeps its order whatever the clock says, and every run whatever is killed or full."""

import shutil
from pathlib import Path

import pytest

from core.config import Config
from core.errors import UserError
from core.io.locks import FileLock
from core.io.parts import make_part
from core.reader import UPLOADED
from core.runs.about import About
from core.runs.control import STOP, read_control
from core.runs.folder import QUEUED, RUNNING, STOPPED, RunError, RunFolder
from core.scheduler import queue as module
from core.scheduler.lock_files import QUEUE_CHANGED, QUEUE_LOCK
from core.scheduler.queue import Queue, find_turn
from tests.failing import fail_at_every_change
from tests.killing import kill_at_every_change

OWN = {QUEUE_LOCK, QUEUE_CHANGED}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "runs"
    root.mkdir()
    return root


def names(root):
    return sorted(path.name for path in root.iterdir() if path.name not in OWN)


def set_clock(monkeypatch, now):
    monkeypatch.setattr(module.time, "time", lambda: now)
    monkeypatch.setattr("core.runs.folder.time.time", lambda: now)
    monkeypatch.setattr(module.time, "strftime", lambda form: f"{now:010.0f}")


def test_a_clock_that_goes_back_changes_nothing_in_the_queue(root, monkeypatch):
    queue, added = Queue(root), []
    for now in (10_000, 6_400, 20_000, 100):
        set_clock(monkeypatch, now)
        added.append(queue.add(Config(), About()))
    assert [each.path for each in Queue(root).waiting()] == [each.path for each in added]
    queue.cancel(added[0])
    set_clock(monkeypatch, 50)
    queue.requeue(added[0])
    assert [each.path for each in Queue(root).waiting()] == [each.path for each in (*added[1:], added[0])]


def test_runs_that_an_earlier_version_queued_come_first(root):
    for name, since in (("b", 1.0), ("a", 2.0)):
        RunFolder(root / name).create()
        (root / name / "config.json").write_text("{}")
        (root / name / "status.json").write_text(f'{{"state": "{QUEUED}", "message": "", "since": {since}}}')
    new = Queue(root).add(Config(), About())
    assert [each.path.name for each in Queue(root).waiting()] == ["b", "a", new.path.name]


@pytest.mark.slow
def test_a_run_started_and_killed_at_any_change_is_queued_or_not_there(root):
    Queue(root).add(Config(), About())
    seen = set()
    for _, copy in kill_at_every_change(root, lambda copy: Queue(copy).add(Config(), About("data", owner="me"))):
        queue = Queue(copy)
        queue.sweep()
        assert (
            names(copy)
            == sorted(each.path.name for each in queue.runs())
            == sorted(each.path.name for each in queue.waiting())
        )
        if len(queue.runs()) == 2:
            assert (
                queue.waiting()[1].read_about().owner == "me" and Config.from_file(queue.runs()[0].config) == Config()
            )
        seen.add(len(queue.runs()))
    assert seen == {1, 2}


@pytest.mark.slow
def test_a_run_on_uploaded_weights_is_killed_or_out_of_room_at_any_change(root, tmp_path):
    """The run has a file of its own, or there is neither."""
    upload = tmp_path / "w.pth"
    upload.write_bytes(b"weights")

    def add(copy):
        Queue(copy).add(Config(), About("data", owner="me"), upload)

    def require_whole(copy):
        queue = Queue(copy)
        queue.sweep()
        assert names(copy) == [each.path.name for each in queue.runs()] == [each.path.name for each in queue.waiting()]
        for run in queue.runs():
            kept = run.path / UPLOADED / "w.pth"
            assert kept.read_bytes() == b"weights"
            assert Path(Config.from_file(run.config).model.weights).relative_to(run.path.parents[1]).parts[1:] == (
                run.path.name,
                *kept.relative_to(run.path).parts,
            )
        return len(queue.runs())

    assert {require_whole(copy) for _, copy in kill_at_every_change(root, add)} == {0, 1}
    failed = [(require_whole(copy), refusal is None) for copy, refusal in fail_at_every_change(root, add)]
    assert set(failed) == {(0, False), (1, True)}
    upload.unlink()
    with pytest.raises(RunError, match="The run cannot be created: No such file or directory"):
        add(root)
    assert names(root) == []


@pytest.mark.slow
def test_a_run_queued_again_and_killed_at_any_change_waits_or_has_stopped(root):
    first, second = (Queue(root).add(Config(), About()) for _ in range(2))
    Queue(root).cancel(first)
    seen = set()
    for _, copy in kill_at_every_change(root, lambda copy: Queue(copy).requeue(RunFolder(copy / first.path.name))):
        queue, folder = Queue(copy), RunFolder(copy / first.path.name)
        state = queue.status(folder).state
        seen.add(state)
        if state == STOPPED:
            queue.requeue(folder)
        assert [each.path.name for each in queue.waiting()] == [second.path.name, first.path.name]
        queue.sweep()
        assert not list(copy.rglob("*.part"))
    assert seen == {QUEUED, STOPPED}


def test_a_run_cancelled_and_killed_at_any_change_waits_or_has_stopped(root):
    folder = Queue(root).add(Config(), About())
    seen = set()
    for _, copy in kill_at_every_change(root, lambda copy: Queue(copy).cancel(RunFolder(copy / folder.path.name))):
        state = Queue(copy).status(RunFolder(copy / folder.path.name)).state
        seen.add(state)
        assert (state == QUEUED) == bool(Queue(copy).waiting())
    assert seen == {QUEUED, STOPPED}


def test_a_sweep_keeps_what_others_make(root):
    run = Queue(root).add(Config(), About())
    group = RunFolder(root / "sweep" / "1")
    group.create()
    group.config.write_text("{}")
    left = [root / ".run.x.part", run.path / ".a.part", group.path / ".b.part"]
    for each in left:
        each.mkdir()
    with make_part(run.checkpoint) as part, make_part(root / "run") as new:
        part.write_bytes(b"half")
        new.mkdir()
        Queue(root).sweep()
        assert part.exists() and new.exists() and not any(each.exists() for each in left)
        part.replace(run.checkpoint)
    assert run.checkpoint.read_bytes() == b"half" and names(root) == [run.path.name, "sweep"]


def full(*_, **__):
    raise OSError(28, "No space left on device")


def test_a_run_that_cannot_be_created_leaves_nothing_and_names_no_path(root, monkeypatch):
    monkeypatch.setattr(module, "write_text", full)
    with pytest.raises(RunError, match=r"^The run cannot be created: No space left on device\. Free some space"):
        Queue(root).add(Config(), About())
    assert names(root) == []


def test_on_a_full_disk_a_run_can_be_removed_from_the_queue(root, monkeypatch):
    queue = Queue(root)
    first, second = (queue.add(Config(), About()) for _ in range(2))
    with monkeypatch.context() as patch:
        for name in ("core.runs.folder.write_text", "core.runs.folder._overwrite", "core.runs.control.write_text"):
            patch.setattr(name, full)
        assert queue.cancel(first) and not queue.cancel(first)
        with pytest.raises(UserError, match="cannot be resumed"):
            queue.requeue(first)
        assert queue.status(first).state == STOPPED
        assert [each.path for each in queue.waiting()] == [second.path] and queue.status(second).queue_position == 1
        assert read_control(first.control).command == STOP
    assert queue.status(first)[:2] == (STOPPED, "It was removed from the queue.")
    queue.requeue(first)
    assert [each.path for each in Queue(root).waiting()] == [second.path, first.path]


def test_two_pages_number_their_runs_in_one_order(root):
    one, other = Queue(root), Queue(root)
    added = [(one, other)[number % 2].add(Config(), About()).path for number in range(6)]
    assert [each.path for each in one.waiting()] == [each.path for each in other.waiting()] == added


def test_a_run_is_discarded_only_while_it_waits(root):
    first, second = (Queue(root).add(Config(), About()) for _ in range(2))
    with FileLock.acquire(second.lock):
        second.write_status(RUNNING)
        for each in (first, second):
            Queue(root).discard(each)
    assert names(root) == [second.path.name]
    shutil.rmtree(second.path)


@pytest.mark.parametrize(
    ("owner", "waiting", "expected"),
    [
        ("a", [], 1),
        ("a", [("a", 1), ("a", 2)], 3),
        ("b", [("a", 1), ("a", 2)], 1),
        ("b", [("a", 4), ("a", 5)], 4),
        ("b", [("a", 4), ("b", 4), ("a", 5)], 5),
        ("a", [("b", 7)], 7),
    ],
)
def test_owners_take_turns(owner, waiting, expected):
    assert find_turn(owner, waiting) == expected


def test_one_owner_cannot_fill_the_queue_before_others(tmp_path):
    queue = Queue(tmp_path)
    for _ in range(3):
        queue.add(Config(), About(owner="greedy"))
    queue.add(Config(), About(owner="modest"))
    owners = [folder.read_about().owner for folder in queue.waiting()]
    assert owners == ["greedy", "modest", "greedy", "greedy"]
