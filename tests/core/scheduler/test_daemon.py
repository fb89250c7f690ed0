import subprocess
import sys
import time

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
    waited = []
    monkeypatch.setattr(daemon, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(daemon, "BEGIN_SECONDS", 0.02)
    for held in (False, True):
        device = FileLock.acquire(tmp_path / DEVICE_LOCK.format("cuda3"))
        if not held:
            device.close()
        begun = time.monotonic()
        daemon._let_run_begin(tmp_path)
        waited.append(time.monotonic() - begun > 0.02)
    assert waited == [False, True]


def test_the_daemon_imports_pytorch_only_for_its_server():
    code = "import sys, core.scheduler.daemon; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
