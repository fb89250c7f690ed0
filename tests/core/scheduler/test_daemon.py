import subprocess
import sys

from core.io.locks import FileLock
from core.scheduler.daemon import ensure_server, main
from core.scheduler.lock_files import SERVER_LOCK


def test_a_second_server_is_not_started(tmp_path):
    with FileLock.acquire(tmp_path / SERVER_LOCK):
        assert ensure_server(tmp_path) is None
        main(tmp_path)  # returns at once
    assert [path.name for path in tmp_path.iterdir()] == [SERVER_LOCK]


def test_the_daemon_imports_pytorch_only_for_its_server():
    code = "import sys, core.scheduler.daemon; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
