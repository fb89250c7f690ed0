import subprocess
import sys
from types import SimpleNamespace

from core.io.locks import FileLock
from core.scheduler import daemon
from core.scheduler.daemon import ensure_server, main
from core.scheduler.lock_files import DEVICE_LOCK, SERVER_LOCK


def test_a_second_server_is_not_started(tmp_path):
    with FileLock.acquire(tmp_path / SERVER_LOCK):
        assert ensure_server(tmp_path) is None
        main(tmp_path)  # returns at once
    assert [path.name for path in tmp_path.iterdir()] == [SERVER_LOCK]


def test_a_server_lets_a_run_begin_before_it_imports_pytorch(tmp_path, monkeypatch):
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.append(now.pop() + seconds))
    monkeypatch.setattr(daemon, "time", clock)
    device = FileLock.acquire(tmp_path / DEVICE_LOCK.format("cuda3"))
    daemon._let_run_begin(tmp_path)
    assert now[0] >= daemon.BEGIN_SECONDS
    device.close()
    daemon._let_run_begin(tmp_path)
    assert now[0] < daemon.BEGIN_SECONDS + 1  # nothing trains


def test_the_daemon_imports_pytorch_only_for_its_server():
    code = "import sys, core.scheduler.daemon; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
