"""The memory of the page while a crowd uses it, minute by minute."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psutil

MINUTE = 60  # seconds
MIB = 2**20


@contextmanager
def watch_memory(process: int, path: Path | None) -> Iterator[None]:
    """Writes a JSON line to a file each minute meanwhile; does nothing without a file.

    A line has the minute, the resident and the proportional memory of the page in MiB, the resident memory of the
    processes that it started, its threads and its open files.
    """
    if path is None:
        yield
        return
    done = Event()
    thread = Thread(target=_watch, args=(psutil.Process(process), path, done), name="memory", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(process: psutil.Process, path: Path, done: Event) -> None:
    start = time.monotonic()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while True:
            with suppress(psutil.Error):  # the page has ended, or one of its processes
                line = {"minute": round((time.monotonic() - start) / MINUTE, 1), **_measure(process)}
                file.write(json.dumps(line) + "\n")
                file.flush()
            if done.wait(MINUTE):
                return


def _measure(process: psutil.Process) -> dict[str, float]:
    full = process.memory_full_info()
    children = [each.memory_info().rss for each in process.children(recursive=True)]
    return {
        "rss": round(full.rss / MIB),
        "pss": round(getattr(full, "pss", full.rss) / MIB),  # Linux only
        "others": round(sum(children) / MIB),
        "processes": len(children),
        "threads": process.num_threads(),
        "files": process.num_fds() if hasattr(process, "num_fds") else 0,
    }
