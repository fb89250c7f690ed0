"""What the command line says of a disk that is full, and of an output that nobody reads."""

import errno
import os
import subprocess
import sys

import pytest

from core.cli import main, running

ARGUMENTS = ["anchors", "--json", "found.json"]
PRINT = """
import sys
from core.cli import main, running
running._run_command = lambda *_: print("x")
sys.exit(main.main(["anchors"]))
"""
PRINTING = [sys.executable, "-c", PRINT]
FULL = "error: The output cannot be used: No space left on device. Free some space on the disk.\n"


def fail_with(monkeypatch, error: OSError) -> None:
    def run(*_):
        raise error

    monkeypatch.setattr(running, "_run_command", run)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a.json"),
            "a.json cannot be used: No space left on device. ",
        ),
        (OSError(errno.EFBIG, "File too large", "in.png", None, "out.png"), "out.png cannot be used: File too large. "),
        (OSError(errno.EROFS, "Read-only file system", "a"), "a cannot be used: Read-only file system. Let this user "),
        (OSError(errno.ENOSPC, "No space left on device"), "The output cannot be used: No space left on device. Free "),
    ],
)
def test_a_full_disk_is_one_sentence_with_the_file_and_the_remedy(monkeypatch, capsys, tmp_path, error, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(running, "_drop_output", lambda: None)
    fail_with(monkeypatch, error)
    assert main.main(ARGUMENTS) == 1
    found = capsys.readouterr().err
    assert found.startswith(f"error: {said}") and found.count("\n") == 1 and "Errno" not in found


def test_what_is_no_trouble_with_the_disk_stays_a_defect(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    fail_with(monkeypatch, OSError(errno.EBADF, "Bad file descriptor"))
    with pytest.raises(OSError, match="Bad file descriptor"):
        main.main(ARGUMENTS)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_an_output_that_cannot_be_written_or_that_nobody_reads_is_no_traceback():
    with open("/dev/full", "w") as full:
        found = subprocess.run(PRINTING, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (found.returncode, found.stderr) == (1, FULL)
    closed = subprocess.Popen(PRINTING, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    closed.stdout.close()
    assert closed.stderr.read() == b"" and closed.wait() == 141
