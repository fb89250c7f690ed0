"""Every operating system: nothing that Windows lacks is used, shown by the source and by a process without it."""

import ast
import os
import pickle
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.data.sources import open_data
from core.training.samples import TrainingStream, ignore_signals
from tests.core.data.layouts import yolo_ultralytics
from tests.core.tiny import tiny
from tests.windows.absent import MODULES, NAMES, OPTIONS

ROOT = Path(__file__).parents[1]
WINDOWS = Path(__file__).parent / "windows"
PACKAGES = ("core", "playground")  # benchmarks measure processes on Linux
# Where something that not every system has is used behind a question whether this one has it.
GUARDED = {
    ("core/reader/child.py", "resource"),
    ("core/reader/pool.py", "os.register_at_fork"),
    ("playground/sharing/lanes.py", "os.getpriority"),
    ("playground/sharing/lanes.py", "os.setpriority"),
    ("playground/sharing/lanes.py", "os.PRIO_PROCESS"),
}
MOVING = ("core/io/moving.py", "core/io/locks.py")  # a locked file is removed by who holds the lock
MOVES = {"rename", "unlink", "rmtree"}


def list_sources() -> list[tuple[str, ast.Module]]:
    paths = [ROOT / "app.py", *(path for each in PACKAGES for path in sorted((ROOT / each).rglob("*.py")))]
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))) for path in paths]


@pytest.fixture(scope="module")
def sources() -> list[tuple[str, ast.Module]]:
    return list_sources()


def find_absent(tree: ast.Module) -> Iterator[str]:
    """Yields what a module uses that Windows does not have."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from [node.module] if node.module in MODULES else []
            yield from (f"{node.module}.{each.name}" for each in node.names if each.name in NAMES.get(node.module, ()))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from [f"{node.value.id}.{node.attr}"] if node.attr in NAMES.get(node.value.id, ()) else []
        elif isinstance(node, ast.keyword) and node.arg in OPTIONS:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/proc"):
            yield "/proc"


@pytest.mark.slow
def test_nothing_is_used_that_windows_lacks(sources):
    assert {(path, name) for path, tree in sources for name in find_absent(tree)} == GUARDED


@pytest.mark.slow
def test_every_text_has_an_encoding_and_its_own_line_ends(sources):
    """Windows' default encoding is no Unicode, and it would write other line ends."""
    found = [f"{path}:{line}" for path, tree in sources for line in find_plain_text(tree)]
    assert not found


def find_plain_text(tree: ast.Module) -> Iterator[int]:
    """Yields the lines that open text without an encoding, or write it without line ends."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        options = {each.arg for each in node.keywords}
        is_method = isinstance(node.func, ast.Attribute)
        if name == "read_text" and is_method and not node.args and "encoding" not in options:
            yield node.lineno
        if (
            name == "write_text"
            and is_method
            and not ("newline" in options and ("encoding" in options or node.args[1:]))
        ):
            yield node.lineno
        if name == "open":
            modes = [*node.args, *(each.value for each in node.keywords if each.arg == "mode")]
            texts = [each.value for each in modes if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            mode = next((each for each in texts if re.fullmatch("[rwaxbt+]{1,3}", each)), "")
            if mode and "b" not in mode and not {"encoding", "newline"} <= options:
                yield node.lineno
        if options & {"text", "universal_newlines"} and "encoding" not in options and name in ("run", "Popen"):
            yield node.lineno


def is_of_os(node: ast.Attribute) -> bool:
    """True for what moves or removes under a name that other things have, too."""
    return isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in ("replace", "remove")


@pytest.mark.slow
def test_files_are_moved_and_removed_in_one_place(sources):
    """`core.io.moving` insists where Windows refuses for a moment."""
    found = {
        f"{path}:{node.lineno}"
        for path, tree in sources
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and (node.attr in MOVES or is_of_os(node)) and path not in MOVING
    }
    assert not found


def test_what_loading_processes_get_can_be_pickled(tmp_path):
    """Windows and macOS start processes anew, and send them the data set and the functions."""
    yolo_ultralytics(tmp_path / "data")
    for source in ("scenes", str(tmp_path / "data")):
        stream = TrainingStream(open_data(source, "train", tiny().scenes, 4), tiny())
        again = pickle.loads(pickle.dumps((stream, ignore_signals)))[0]
        assert torch.equal(again[3].sample.image, stream[3].sample.image)


@pytest.mark.slow
@pytest.mark.timeout(900)  # seconds; a minute on a machine that has nothing else to do
def test_everything_works_without_what_windows_lacks(tmp_path):
    """Commands, the page and its runs, in processes whose modules of this project see no more than on Windows."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    path = os.pathsep.join((str(WINDOWS), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "cp1252", "PYTHONWARNDEFAULTENCODING": "1"}
    del environment["RETINANET_LIMITS"]  # files are read apart, as they are for students
    done = subprocess.run(
        [sys.executable, "-m", "tests.windows.scenario", str(port)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    lines = [line for line in done.stdout.splitlines() if line in ("page", "knob", "stop", "resume")]
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert lines == ["page", "knob", "stop", "resume"]
    warned = [line for line in done.stderr.splitlines() if "EncodingWarning" in line]
    assert not [line for line in warned if line.startswith(tuple(f"{ROOT / each}{os.sep}" for each in PACKAGES))]
