"""What all tests share: the number of processes and their threads, slow modules first, no directory left behind."""

import atexit
import gc
import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from core.fast_imports import without_garbage_collection

# Before torch is imported: several test processes share the processors, and so do the processes that tests start.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["RETINANET_LIMITS"] = "none"  # files are read in this process: starting another one takes seconds
os.environ["RETINANET_CACHE"] = ""  # tests keep nothing of the data sets that they read
# Every test process and every process that tests start would otherwise compile all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

KILLS = "kill_at_every_change"  # what modules with tests of kills import from tests/killing.py


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Untrusted files are read by another process meanwhile, as on the page. It takes seconds to start."""
    from core.reader import Kind, Limits, read_apart_from_now_on

    monkeypatch.delenv("RETINANET_LIMITS")
    limits = Limits(seconds=4, total=60, memory=2**30, answer=2**28, remedy="choose another")
    read_apart_from_now_on(limits, tuple(Kind))
    yield
    read_apart_from_now_on(limits, ())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collects the tests without the garbage collector, which afterwards leaves aside what was imported.

    That is half a million objects: looking at them takes 0.3 s of every full collection.
    """
    with without_garbage_collection():
        result = yield
    gc.freeze()
    atexit.register(gc.unfreeze)  # the bindings of Triton report what is never freed as leaks
    return result


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the browser tests as slow and sorts the modules.

    pytest-xdist hands out whole modules in this order. Modules with tests of kills come first: they fork, which copies
    the page tables of a test process, and these grow with the networks and pages that it has opened.
    Modules with slow tests follow; the quick ones at the end fill the gaps.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    forking = {item.path for item in items if hasattr(item.getparent(pytest.Module).obj, KILLS)}
    items.sort(key=lambda item: (item.path not in forking, item.path not in slow))


@pytest.fixture(scope="module", autouse=True)
def remove_directories_of_module(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Removes the directories of a module's fixtures at its end, unless one of its tests failed.

    A run's directory takes up to 175 MB; those of all modules together would take 12 GB. `tmp_path` itself is removed
    by pytest, see `tmp_path_retention_policy` in pyproject.toml.
    """
    base = tmp_path_factory.getbasetemp()
    before, failed = set(base.iterdir()), request.session.testsfailed
    yield
    if request.session.testsfailed == failed:
        for path in set(base.iterdir()) - before:
            shutil.rmtree(path, ignore_errors=True)
