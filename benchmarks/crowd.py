"""Response time while many people drag sliders at the same time: `python -m benchmarks.crowd --people 10 30 100`.

The page runs in a process of its own; this one is the people, on the same machine. Each has another picture and sends
requests as the page does: the newest value as soon as the last answer has arrived. Meanwhile some upload pictures, one
run trains, and with `--heavy` some use settings that take seconds. Drawing in the browser is not included, since it
happens on the visitors' machines.
"""

import argparse
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.crowd_server import ENTER, TAKE, TRAIN
from core.io.atomic import write_text
from playground.server.live import PATH
from playground.support.visitors import COOKIE

FRAME = 1 / 60  # minimum time between two values, in seconds
GOAL_MS = 600  # for the 95th percentile of 30 people
LOOKS = {"curve": "loss", "p_t": 0.9, "frame": 1, "dials": "", "held": True, "switched": {}}
DRAGS = (
    ("detections", "inference.score_threshold"),
    ("detections", "inference.nms_threshold"),
    ("assignment", "matching.fg_iou_threshold"),
    ("loss", "loss.gamma"),
)
HEAVY = {
    "inference.image_size": 1600,
    "model.weights": "random",
    "model.depth": 152,
    "anchors.scales": [1.0, 1.1, 1.2, 1.3, 1.4, 1.5],
    "anchors.ratios": [0.25, 0.33, 0.5, 0.67, 1.0, 1.5, 2.0, 3.0, 4.0],
}
LONG_RUN = {"training.steps": 5000, "training.eval_interval": 0}
UPLOAD_SECONDS = 5  # between two uploads of a visitor
UPLOADED = (1500, 1000)  # px


class Crowd(NamedTuple):
    """How many people do what, and for how long."""

    people: int
    seconds: float
    uploads: int
    heavy: int
    trains: bool


class Visitor:
    """One visitor with a cookie and a connection of their own.

    Attributes:
        times: Milliseconds that each answer took.
        errors: What went wrong.
    """

    def __init__(self, port: int, number: int) -> None:
        self._port, self._number = port, number
        self.times: list[float] = []
        self.errors: list[str] = []
        self._entered: dict[str, str] = {}
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)

    def send(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        """Returns the body of an answer; anything but status 200 is an error."""
        headers = {"Cookie": f"{COOKIE}=crowd{self._number}", "Content-Type": kind}
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: status {response.status}")
        return answer

    def ask(self, path: str, /, **fields: Any) -> dict[str, Any]:
        """Returns the JSON value of an answer."""
        answer: dict[str, Any] = json.loads(self.send(path, json.dumps(fields).encode()))
        return answer

    def enter(self, settings: dict[str, Any]) -> None:
        """Opens the page in a step with a slider."""
        step, _ = DRAGS[self._number % len(DRAGS)]
        self._entered = self.ask(ENTER, step=step, settings={"scenes.seed": self._number, **settings})

    def drag(self, end: float) -> None:
        """Drags a slider until a time of `time.monotonic`."""
        _, path = DRAGS[self._number % len(DRAGS)]
        entered, values, number = self._entered, json.loads(self._entered["settings"]), 0
        self._connection.close()  # the server may have closed it while others came in
        while time.monotonic() < end:
            number += 1
            values[path] = round(0.45 + 0.0007 * (number * 37 % 601), 4)
            body = {"token": entered["token"], "settings": json.dumps(values), **LOOKS}
            start = time.perf_counter()
            answer = self.send(PATH, json.dumps(body).encode())
            seconds = time.perf_counter() - start
            if not json.loads(answer.split(b"\n", 1)[0] or b"{}").get("canvas"):
                self.errors.append(f"{path}: an answer without a picture: {answer[:200]!r}")
            self.times.append(1e3 * seconds)
            time.sleep(max(FRAME - seconds, 0))

    def upload(self, end: float) -> None:
        """Uploads a picture every few seconds."""
        rng = np.random.default_rng(self._number)
        while time.monotonic() < end:
            file = io.BytesIO()
            small = Image.fromarray(rng.integers(0, 255, (50, 75, 3), dtype=np.uint8))
            small.resize(UPLOADED).save(file, "jpeg")
            self._connection.close()  # the server does not keep it open that long
            name, start = rng.bytes(16).hex(), time.perf_counter()
            lines = f'--crowd\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
            body = lines + file.getvalue() + b"\r\n--crowd--\r\n"
            path = json.loads(self.send("/gradio_api/upload", body, "multipart/form-data; boundary=crowd"))[0]
            if (taken := self.ask(TAKE, path=path, name="crowd.jpg"))["error"]:
                self.errors.append(f"upload: {taken['error']}")
            self.times.append(1e3 * (time.perf_counter() - start))
            time.sleep(UPLOAD_SECONDS)


def measure(port: int, process: int, crowd: Crowd) -> dict[str, Any]:
    """Returns the figures of one crowd."""
    first = 1000 * crowd.people
    dragging, heavy = _visitors(port, first, crowd.people), _visitors(port, first + 400, crowd.heavy)
    uploading = _visitors(port, first + 800, crowd.uploads)
    _together([(each, each.enter, ({},)) for each in dragging] + [(each, each.enter, (HEAVY,)) for each in heavy])
    if crowd.trains:
        Visitor(port, 0).ask(TRAIN, settings=LONG_RUN)
    end = time.monotonic() + crowd.seconds
    _together(
        [(each, each.drag, (end,)) for each in (*dragging, *heavy)]
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
        "MiB": _memory(process),
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
    """Returns the resident memory of a process in MiB (Linux only)."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


@contextmanager
def serve() -> Iterator[tuple[int, int]]:
    """Serves the page from a temporary folder; yields its port and the id of its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "GRADIO_TEMP_DIR": folder}
        command = [sys.executable, "-m", "benchmarks.crowd_server", str(port)]
        process = subprocess.Popen(command, cwd=folder, env=environment)
        try:
            _wait_for(port, process)
            yield port, process.pid
        finally:
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
    parser.add_argument("--no-run", action="store_true", help="train nothing meanwhile")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for people in options.people:
        with serve() as (port, process):
            crowd = Crowd(people, options.seconds, options.uploads, options.heavy, not options.no_run)
            rows.append(measure(port, process, crowd))
        goal = f"  goal {GOAL_MS}" if people == 30 else ""
        print("  ".join(f"{name} {_format(value)}" for name, value in rows[-1].items()) + goal, flush=True)
    if options.json:
        write_text(options.json, json.dumps(rows, indent=1) + "\n")


def _format(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
