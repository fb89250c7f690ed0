"""Response time while many people drag sliders at the same time: `python -m benchmarks.crowd --people 10 30 100`.

The page runs in a process of its own; this one is the people, on the same machine. Each has another picture and sends
requests as the page does: the newest value as soon as the last answer has arrived. Meanwhile some upload pictures, one
run trains, and with `--heavy` some use settings that take seconds. Drawing in the browser is not included, since it
happens on the visitors' machines.

With `--pause`, people rest between two values and open other pictures and steps; `--memory` shows what an hour of that
takes: `python -m benchmarks.crowd --people 10 --seconds 3600 --pause 2 --memory hour.jsonl`.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.crowd_memory import watch_memory
from benchmarks.crowd_proxy import proxy
from benchmarks.crowd_server import TRAIN
from benchmarks.crowd_visitor import Visitor
from core.io.atomic import write_text

GOAL_MS = 600  # for the 95th percentile of 30 people
HEAVY = {
    "inference.image_size": 1600,
    "model.weights": "random",
    "model.depth": 152,
    "anchors.scales": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5],
    "anchors.ratios": [0.25, 0.33, 0.5, 0.67, 1.0, 1.5, 2.0, 3.0, 4.0],
}
LONG_RUN = {"training.steps": 5000, "training.eval_interval": 0}


class Crowd(NamedTuple):
    """How many people do what, and for how long."""

    people: int
    seconds: float
    uploads: int
    heavy: int
    trains: bool
    pause: float = 0


def measure(port: int, processes: Sequence[int], crowd: Crowd) -> dict[str, Any]:
    """Returns the figures of one crowd."""
    first = 1000 * crowd.people
    dragging, heavy = _visitors(port, first, crowd.people), _visitors(port, first + 400, crowd.heavy)
    uploading = _visitors(port, first + 800, crowd.uploads)
    _together([(each, each.enter, ({},)) for each in dragging] + [(each, each.enter, (HEAVY,)) for each in heavy])
    if crowd.trains:
        Visitor(port, 0).ask(TRAIN, settings=LONG_RUN)
    start = sum(map(_processor_seconds, processes))
    end = time.monotonic() + crowd.seconds
    _together(
        [(each, each.drag, (end, crowd.pause)) for each in (*dragging, *heavy)]
        + [(each, each.upload, (end,)) for each in uploading]
    )
    times = sorted(ms for visitor in dragging for ms in visitor.times)
    medians = [statistics.median(visitor.times) for visitor in dragging if visitor.times]
    errors = [error for group in (dragging, heavy, uploading) for visitor in group for error in visitor.errors]
    return {
        "people": crowd.people,
        "answers": len(times),
        "rate": len(times) / crowd.seconds,
        "p50": _quantile(times, 0.5),
        "p95": _quantile(times, 0.95),
        "max": _quantile(times, 1),
        "slowest person": max(medians, default=0) / max(statistics.median(medians or [0]), 1e-9),
        "heavy answers": sum(len(each.times) for each in heavy),
        "heavy p95": _quantile(sorted(ms for each in heavy for ms in each.times), 0.95),
        "uploads": sum(len(each.times) for each in uploading),
        "upload p95": _quantile(sorted(ms for each in uploading for ms in each.times), 0.95),
        "errors": len(errors),
        "first error": next(iter(errors), ""),
        "MiB": sum(map(_memory, processes)),
        "ms of processor": 1e3 * (sum(map(_processor_seconds, processes)) - start) / max(len(times), 1),
    }


def _visitors(port: int, first: int, count: int) -> list[Visitor]:
    return [Visitor(port, first + number) for number in range(count)]


def _together(acts: list[tuple[Visitor, Any, tuple]]) -> None:
    """Lets visitors act at the same time, and waits for all of them."""
    threads = [threading.Thread(target=_run, args=each) for each in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def _run(visitor: Visitor, act: Any, arguments: tuple) -> None:
    try:
        act(*arguments)
    except Exception as error:  # counted, and the others go on
        visitor.errors.append(f"{type(error).__name__}: {error}")


def _quantile(times: list[float], share: float) -> float:
    return times[min(int(share * len(times)), len(times) - 1)] if times else 0.0


def _memory(process: int) -> float:
    """Returns the memory of a process in MiB, with its share of what it has in common with others (Linux only)."""
    return float(psutil.Process(process).memory_full_info().pss) / 2**20


def _processor_seconds(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return times.user + times.system


@contextmanager
def serve(count: int = 1) -> Iterator[tuple[int, list[int]]]:
    """Serves the page from a temporary folder; yields its port and the ids of its processes, behind nginx if several.

    Args:
        count: The number of processes.
    """
    ports = _free_ports(count + 1)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "GRADIO_TEMP_DIR": folder}
        processes = []
        for port in ports[:count]:
            command = [sys.executable, "-m", "benchmarks.crowd_server", str(port)]
            processes.append(subprocess.Popen(command, cwd=folder, env=environment))
            stack.callback(_end, processes[-1])
        for port, process in zip(ports, processes, strict=False):
            _wait_for(port, process)
        if count > 1:
            _wait_for(ports[-1], stack.enter_context(proxy(Path(folder), ports[-1], ports[:count])))
        yield ports[-1] if count > 1 else ports[0], [each.pid for each in processes]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The page did not start.")


def main() -> None:
    """Prints the figures of each crowd, and writes them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--uploads", type=int, default=2, help="people who upload pictures")
    parser.add_argument("--heavy", type=int, default=0, help="people with settings that take seconds")
    parser.add_argument("--pause", type=float, default=0, help="mean seconds between two values of a person")
    parser.add_argument("--processes", type=int, default=1, help="of the page; several are behind nginx")
    parser.add_argument("--no-run", action="store_true", help="train nothing meanwhile")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory", type=Path, help="file for a line each minute on the memory of the page")
    options = parser.parse_args()
    rows = []
    for people in options.people:
        with serve(options.processes) as (port, processes), watch_memory(processes, options.memory):
            trains = not options.no_run
            crowd = Crowd(people, options.seconds, options.uploads, options.heavy, trains, options.pause)
            rows.append(measure(port, processes, crowd))
        goal = f"  goal {GOAL_MS}" if people == 30 else ""
        print("  ".join(f"{name} {_format(value)}" for name, value in rows[-1].items()) + goal, flush=True)
    if options.json:
        write_text(options.json, json.dumps(rows, indent=1) + "\n")


def _format(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
