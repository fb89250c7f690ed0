import os
import signal
import subprocess
import sys
from threading import Thread

import psutil
import pytest

from core.data.untrusted import DataError
from core.io.parts import sweep_parts
from core.io.paths import ROOT
from core.reader import pool, turns
from core.reader.errors import ReaderDefectError
from core.reader.limits import Limits
from core.reader.pool import Pool, read_apart
from core.reader.process import ReadingProcess
from core.reader.tasks import TASKS, Task
from tests.core.reader import jobs
from tests.waiting import HANG, wait

pytestmark = pytest.mark.slow
LIMITS = Limits(seconds=20, total=20, memory=2**28, answer=2**20, remedy="take another")
NAMES = ("answer", "refuse", "fail", "creep", "hash_for_ever", "fill_memory", "write_much", "say_much", "die", "rest")


@pytest.fixture(autouse=True)
def tasks(monkeypatch):
    for name in NAMES:
        monkeypatch.setitem(TASKS, name, Task(f"tests.core.reader.jobs:{name}"))


def read(task, limits=LIMITS, progress=lambda done, total: None, **arguments):
    with read_apart(task, arguments, name="a.zip", limits=limits, refusal=DataError, progress=progress) as answer:
        return answer.value


def test_an_answer_has_values_and_files_and_leaves_nothing():
    told = []
    arguments = {"text": "ü"}
    with read_apart(
        "answer", arguments, name="a", limits=LIMITS, refusal=DataError, progress=lambda *each: told.append(each)
    ) as found:
        assert (found.folder / "file.txt").read_text() == "ü"
    assert found.value["names"] == ["é", "b"] and found.value["number"] == 0.1
    assert found.value["process"] != os.getpid()
    assert told[0] == (1, 2) and told[-1] == (2, 2)
    assert not found.folder.exists()
    assert read("answer", text="")["process"] == found.value["process"]  # the same process does the next task


def test_behind_a_launcher_the_process_that_reads_is_watched_and_ends_with_its_parent(tmp_path, monkeypatch):
    """On Windows the python of a virtual environment starts another one, and has next to no memory of its own."""
    launcher = tmp_path / "python"
    (tmp_path / "reader").mkdir()
    launcher.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\nsubprocess.call([{sys.executable!r}, *sys.argv[1:]])\n"
    )
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))
    process = ReadingProcess(tmp_path / "reader", [])
    try:
        assert process._handle.ppid() == process._process.pid
        assert "core.reader.child" in process._handle.cmdline()
    finally:
        process.end()
    wait(lambda: not process._handle.is_running())


def test_a_refusal_has_the_same_class_sentence_and_state():
    with pytest.raises(jobs.QuestionError, match=r"^The file is of two kinds: choose one\.$") as raised:
        read("refuse")
    assert raised.value.choices == ("a", "b")


def test_a_defect_is_no_refusal_and_shows_its_traceback():
    with pytest.raises(ReaderDefectError, match="KeyError: 'absent'"):
        read("fail")


@pytest.mark.parametrize(
    ("task", "changes", "reason"),
    [
        ("hash_for_ever", {"seconds": 0.2}, "a.zip takes more than 0.2 seconds to read: take another."),
        ("creep", {"seconds": 5, "total": 0.6}, "a.zip takes more than 0.01 minutes to read: take another."),
        ("fill_memory", {}, "a.zip needs more than 0.25 GB of memory to read: take another."),
        ("write_much", {}, "a.zip unfolds to more than 0.00098 GB: take another."),
        ("say_much", {}, "a.zip unfolds to more than 0.00098 GB: take another."),
        ("die", {}, "a.zip cannot be read, since it ended the program that reads it: save it again, or another way."),
    ],
)
def test_a_bound_ends_the_process_with_one_sentence_and_the_next_task_is_done(task, changes, reason):
    with pytest.raises(DataError) as raised:
        read(task, LIMITS._replace(**changes))
    assert str(raised.value) == reason
    assert read("answer", text="")["number"] == 0.1


def test_progress_gives_a_task_more_time():
    read("creep", LIMITS._replace(seconds=1))


def test_what_the_caller_raises_ends_the_task():
    told = []

    def cancel(done, total):
        told.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read("creep", LIMITS, cancel)
    assert told == [1]
    assert read("answer", text="")["number"] == 0.1


def test_a_slow_task_holds_up_nobody(tmp_path):
    note, end = tmp_path / "note", tmp_path / "end"
    slow = Thread(target=read, args=("rest",), kwargs={"note": str(note), "end": str(end), "seconds": HANG})
    slow.start()
    wait(note.exists)
    for _ in range(3):
        read("answer", text="")
    assert slow.is_alive()
    end.touch()
    slow.join()


def test_the_process_ends_with_its_parent_whatever_it_does(tmp_path):
    code = """
import sys
from core.reader import Limits, read_apart
from core.reader.tasks import TASKS, Task
from core.errors import UserError
TASKS["task"] = Task(sys.argv[1])
limits = Limits(seconds=1, total=60, memory=2**28, answer=2**20, remedy="")
with read_apart("task", {"note": sys.argv[2], "seconds": 60}, name="", limits=limits, refusal=UserError):
    pass
"""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    note = tmp_path / "note"
    parent = subprocess.Popen([sys.executable, "-c", code, "tests.core.reader.jobs:rest", str(note)], env=environment)
    wait(lambda: note.exists() and note.read_text())
    child = psutil.Process(int(note.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait(lambda: not child.is_running())
    assert len(list(temporary.iterdir())) == 1
    assert sweep_parts(temporary, pool.SCRATCH) == 1
    assert not list(temporary.iterdir())


def test_too_many_who_wait_are_refused(monkeypatch):
    monkeypatch.setattr(turns, "MAX_WAITING", 0)
    with pytest.raises(DataError, match=r"^a\.zip cannot be read now, since many others wait for that: try again"):
        read("answer", text="")


def test_quick_tasks_pass_the_long_ones_that_wait():
    queue = Pool()
    long, quick, _last = (queue._turns.add(is_long=is_long) for is_long in (True, False, True))
    assert queue._find_next() is long
    queue._busy = [True] * pool.MAX_LONG
    assert queue._find_next() is quick
    queue._busy = [True] * pool.MAX_LONG + [False] * (pool.MAX_PROCESSES - pool.MAX_LONG)
    assert queue._find_next() is None


def test_no_place_for_temporary_files_is_a_refusal(monkeypatch):
    def refuse(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Pool, "make_folder", refuse)
    with pytest.raises(DataError, match=r"^a\.zip cannot be read, since temporary files cannot be made: No space"):
        read("answer", text="")


def test_a_system_that_starts_no_thread_is_a_refusal_and_leaves_no_process(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    ended = []
    monkeypatch.setattr(pool, "_pool", Pool())
    monkeypatch.setattr("core.reader.process.Thread.start", refuse)
    monkeypatch.setattr(ReadingProcess, "end", lambda self, end=ReadingProcess.end: ended.append(end(self)))
    with pytest.raises(
        DataError, match=r"^a\.zip cannot be read, since no process .* unavailable\. Close other programs"
    ):
        read("answer", text="")
    assert len(ended) == 1


def test_a_system_that_starts_no_process_is_a_refusal(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(pool, "_pool", Pool())
    monkeypatch.setattr("core.reader.process.subprocess.Popen", refuse)
    message = r"^a\.zip cannot be read, since no process for it can be started: Too many open files\. Raise .*[^.]\.$"
    with pytest.raises(DataError, match=message):
        read("answer", text="")
    pool._pool.close()


def test_no_temporary_file_is_left():
    read("answer", text="")
    scratch = pool._pool._scratch.folder
    assert scratch and [each for each in scratch.iterdir() if (each / "answer.json").exists()] == []
