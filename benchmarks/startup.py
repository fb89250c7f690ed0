"""Time from `python app.py` to the first byte of the page, compared with `import torch, gradio`, and idle memory.

`python -m benchmarks.startup`; Linux only. The first start is not counted: it compiles the modules.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
GOAL = 1.15  # maximum ratio to the time of the imports
PAIRS = 7
HELP_GOAL = 0.3  # seconds
IDLE_SECONDS = 20  # preparations after the start have finished by then
# Compiled modules are kept, as on the computers of users.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def main() -> None:
    """Prints the medians of several starts, and the memory of the app's processes."""
    imports, helps, starts, memory = [], [], [], []
    _start()
    for _ in range(PAIRS):
        imports.append(_time("-c", "import torch, gradio"))
        helps.append(_time("-m", "core", "--help"))
        seconds, mib = _start()
        starts.append(seconds)
        memory.append(mib)
    usual, ours = statistics.median(imports), statistics.median(starts)
    print(f"import torch, gradio {usual:.2f} s, first byte after {ours:.2f} s: {ours / usual:.2f} (goal {GOAL})")
    print(f"core --help {statistics.median(helps):.2f} s (goal {HELP_GOAL})")
    print(f"idle app: {statistics.median(memory):.0f} MiB")


def _time(*arguments: str) -> float:
    """Returns the seconds that a program of Python takes."""
    start = time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, cwd=PROJECT, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _start() -> tuple[float, float]:
    """Starts the app; returns the seconds to the first byte and the idle memory of it and its children in MiB."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        command = [sys.executable, str(PROJECT / "app.py"), "--port", str(port)]
        app = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        try:
            while not _answers(port):
                time.sleep(0.01)
            seconds = time.perf_counter() - start
            time.sleep(IDLE_SECONDS)
            return seconds, sum(_own_mib(process) for process in _family(app.pid))
        finally:
            app.terminate()
            app.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            return bool(page.read(1))
    except (urllib.error.URLError, ConnectionError):
        return False


def _family(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
    return [process, *(each for child in children for each in _family(int(child)))]


def _own_mib(process: int) -> float:
    """Returns the proportional resident memory of a process, in which shared pages are divided among their users."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main()
