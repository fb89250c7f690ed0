import os
import signal
import subprocess
import sys

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


def test_a_forked_child_still_holds_the_lock_that_its_parent_closed(tmp_path):
    path, (read, write) = tmp_path / "lock", os.pipe()
    lock = FileLock.try_acquire(path)
    child = os.fork()
    if child == 0:
        os.read(read, 1)
        os._exit(0)
    lock.close()
    assert is_held(path)
    os.write(write, b"x")
    os.waitpid(child, 0)
    assert not is_held(path)
