"""Programs end without a word: no library reports leaks, no thread is caught at work."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "GRADIO_ANALYTICS_ENABLED": "False"}


def obey_interrupts() -> None:
    """Lets Ctrl-C end the program also where this process was started in the background of a shell."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_command_line_ends_without_a_word(tmp_path):
    command = [sys.executable, "-m", "core", "anchors", "--scenes.image_size=64", "--images=8"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stderr) == (0, "") and "IoU" in ended.stdout


def test_the_page_ends_without_a_word_on_ctrl_c(tmp_path):
    with subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=obey_interrupts,
    ) as page:  # fmt: skip
        try:
            address = next(line.split()[-1] for line in page.stdout if "http://" in line)
            next(line for line in page.stdout if "public link" in line)  # the last line before it waits
            assert urllib.request.urlopen(address, timeout=120).status == 200
            page.send_signal(signal.SIGINT)
            page.wait(120)
        finally:
            page.kill()
        assert (page.returncode, page.stderr.read()) == (0, "")
