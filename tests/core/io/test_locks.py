import signal
import subprocess
import sys

import pytest

from core.io import locks
from core.io.locks import FileLock, is_held


def test_one_holder_at_a_time(tmp_path):
    path = tmp_path / "lock"
    assert not is_held(path)
    first = FileLock.try_acquire(path)
    assert is_held(path) and FileLock.try_acquire(path, timeout=0) is None
    first.close()
    first.close()
    assert not is_held(path)
    with FileLock.acquire(path):
        assert is_held(path)
    assert FileLock.try_acquire(path, timeout=0) is not None


def test_a_shared_lock_has_several_holders(tmp_path):
    path = tmp_path / "lock"
    locks = [FileLock.try_acquire(path, shared=True) for _ in range(2)]
    assert all(locks) and not is_held(path) and is_held(path, shared=True)
    assert FileLock.try_acquire(path, timeout=0) is None
    for lock in locks:
        lock.close()
    assert not is_held(path, shared=True)


def test_a_killed_process_releases_its_lock(tmp_path):
    path = tmp_path / "lock"
    hold = f"FileLock.try_acquire({str(path)!r}); print('held', flush=True); input()"
    code = f"from core.io.locks import FileLock; {hold}"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() and is_held(path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not is_held(path)
    process.stdin.close(), process.stdout.close()


def test_a_started_process_does_not_inherit_a_lock(tmp_path):
    lock = FileLock.acquire(tmp_path / "lock")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lock.close()
    assert not is_held(tmp_path / "lock")
    process.communicate(b"\n")


@pytest.mark.parametrize("guards", [False, True])  # True: as on Windows
def test_a_removed_lock_is_on_no_path(tmp_path, monkeypatch, guards):
    monkeypatch.setattr(locks, "GUARDS_OPEN_FILES", guards)
    path = tmp_path / "lock"
    lock = FileLock.acquire(path)
    assert lock.is_on(path) and not lock.is_on(tmp_path)
    other = FileLock(locks.os.open(path, locks.os.O_RDWR))
    lock.remove(path)
    assert not path.exists() and not lock.is_on(path) and not other.is_on(path)
    assert locks._try_lock(other.file, shared=False)
    other.close()
    lock.remove(path)


def test_only_where_open_files_cannot_be_moved_a_lock_is_released_before(tmp_path, monkeypatch):
    with FileLock.acquire(tmp_path / "lock") as lock:
        lock.allow_move()
        assert is_held(tmp_path / "lock")
        monkeypatch.setattr(locks, "GUARDS_OPEN_FILES", True)
        lock.allow_move()
        assert not is_held(tmp_path / "lock")


def test_a_folder_cannot_be_locked(tmp_path):
    with pytest.raises(IsADirectoryError):
        FileLock.acquire(tmp_path)
