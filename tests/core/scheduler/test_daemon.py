import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from core.config import Config
from core.io.locks import FileLock
from core.runs.about import About
from core.scheduler import daemon
from core.scheduler.daemon import ensure_server, main
from core.scheduler.lock_files import CPU, DEVICE_LOCK, QUEUE_CHANGED, SERVER_LOCK
from core.scheduler.queue import Queue


def test_a_second_server_is_not_started(tmp_path):
    with FileLock.acquire(tmp_path / SERVER_LOCK):
        assert ensure_server(tmp_path) is None
        main(tmp_path)  # returns at once
    assert [path.name for path in tmp_path.iterdir()] == [SERVER_LOCK]


def test_a_server_lets_a_run_on_the_cpu_begin_before_it_imports_pytorch(tmp_path, monkeypatch):
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr(daemon, "time", clock)
    with FileLock.acquire(tmp_path / DEVICE_LOCK.format("cuda3")):
        daemon._let_run_begin(tmp_path)
    assert now[0] == 0  # a run may wait for another GPU
    with FileLock.acquire(tmp_path / DEVICE_LOCK.format(CPU)):
        daemon._let_run_begin(tmp_path)
    assert now[0] >= daemon.BEGIN_SECONDS
    daemon._let_run_begin(tmp_path)
    assert now[0] < daemon.BEGIN_SECONDS + 1  # nothing trains


def test_a_page_opens_before_its_server_imports_pytorch_unless_a_run_is_added(tmp_path, monkeypatch):
    now = [0.0]

    def sleep(seconds):
        now.append(now.pop() + seconds)
        if 3 <= now[0] < 4:
            (tmp_path / QUEUE_CHANGED).touch()

    monkeypatch.setattr(daemon, "time", SimpleNamespace(monotonic=lambda: now[0], time=time.time, sleep=sleep))
    daemon._let_page_open(tmp_path, 8.0)
    assert 3 <= now[0] < 4
    daemon._let_page_open(tmp_path, 8.0)  # for the run that has just been added
    assert now[0] < 4
    os.utime(tmp_path / QUEUE_CHANGED, (time.time() - 60,) * 2)
    daemon._let_page_open(tmp_path, 0.0)  # a successor
    assert now[0] < 4
    now[0] = 10.0
    daemon._let_page_open(tmp_path, 8.0)
    assert now[0] >= 18


@pytest.mark.parametrize("runs", [1, 2])
def test_a_run_that_waits_has_a_server_even_if_the_successor_has_died(tmp_path, monkeypatch, runs):
    for _ in range(runs):
        Queue(tmp_path).add(Config(), About())
    events = []
    monkeypatch.setenv("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    monkeypatch.setattr(daemon, "signal", SimpleNamespace(signal=lambda *_: None, SIGINT=2, SIG_IGN=1))
    monkeypatch.setattr(daemon, "lower_priority", lambda niceness: None)
    monkeypatch.setattr(daemon, "ensure_server", lambda root: events.append("start"))
    monkeypatch.setattr("core.scheduler.worker.train_run", lambda job: events.append("train"))
    monkeypatch.setattr(daemon.os, "_exit", lambda status: events.append("exit"))
    main(tmp_path)
    assert events == ["start", "train", *["start"] * (runs - 1), "exit"]


def test_the_daemon_imports_pytorch_only_for_its_server():
    code = "import sys, core.scheduler.daemon; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
