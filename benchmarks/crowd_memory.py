"""The memory of the page while a crowd uses it, minute by minute."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psutil

MINUTE = 60  # seconds
MIB = 2**20


@contextmanager
def watch_memory(processes: Sequence[int], path: Path | None) -> Iterator[None]:
    """Writes a JSON line to a file each minute meanwhile; does nothing without a file.

    A line has the minute, the resident and the proportional memory of the page's processes in MiB, the resident memory
    of those that they started, and their number, threads and open files.
    """
    if path is None:
        yield
        return
    done = Event()
    thread = Thread(
        target=_watch, args=([psutil.Process(each) for each in processes], path, done), name="memory", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(processes: list[psutil.Process], path: Path, done: Event) -> None:
    start = time.monotonic()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while True:
            with suppress(psutil.Error):  # the page has ended, or one of its processes
                minute = round((time.monotonic() - start) / MINUTE, 1)
                line = {"minute": minute, **_add([_measure(each) for each in processes])}
                file.write(json.dumps(line) + "\n")
                file.flush()
            if done.wait(MINUTE):
                return


def _add(measured: list[dict[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in measured) for name in measured[0]}


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
