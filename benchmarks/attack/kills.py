"""Processes that are killed in the middle of what they do, and what the next one finds."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random

import torch

from benchmarks.attack.outcome import Attempt, Lost
from core.config import Config
from core.io.paths import ROOT
from core.runs.about import About
from core.runs.folder import FINISHED, RunFolder
from core.scheduler.queue import Queue
from playground.data.datasets import DataSets
from playground.support.trash import Trash
from tests.core.made_data import yolo
from tests.killing import kill_at_every_change
from tests.playground.data.test_datasets import CONFIG, zipped
from tests.playground.made_runs import make_run, step

NAMES = ["a", "a.json"]
TINY = {
    "model.weights": "random", "model.fpn_channels": 32, "model.num_convs": 0, "model.depth": 18,
    "inference.image_size": 64, "scenes.image_size": 64, "scenes.min_size": 0.3, "training.batch_size": 2,
    "training.steps": 8, "training.eval_interval": 4, "training.eval_images": 2,
}  # fmt: skip
LONGEST = 40  # seconds until a training process is killed
Check = Callable[[Path], None]  # what the next process does and finds, in a folder that a killed one has left


def attack_sequences(folder: Path) -> Attempt:
    """Prepares sequences of changes; each attempt is one kill, at the next change of one of them."""
    kills = cycle(_list_sequences(folder))
    running: Iterator[tuple[int, Path]] = iter(())
    check: Check = _fail

    def attempt(random: Random) -> None:
        nonlocal running, check
        left = next(running, None)
        while left is None:
            prepare, act, check = next(kills)
            place = folder / "place"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            prepare(place)
            running = kill_at_every_change(place, partial(_act_alone, act))
            left = next(running, None)
        check(left[1])

    return attempt


def _list_sequences(folder: Path) -> list[tuple[Check, Check, Check]]:
    archive = zipped(yolo(folder / "set", {f"p{number}": "0 0.5 0.5 0.5 0.5" for number in range(2)}))

    def add(place: Path) -> None:
        DataSets(place).add_zip(archive, "new.zip", CONFIG)

    def delete(place: Path) -> None:
        DataSets(place).delete("new")

    def put_back(place: Path) -> None:
        DataSets(place).restore()

    def add_and_delete(place: Path) -> None:
        add(place)
        delete(place)

    def find_data(place: Path) -> None:
        data = DataSets(place)
        if "new" not in data.library.names() and data.last_deleted():
            data.restore()
        _require("new" in data.library.names(), "the data set is neither here nor in the trash")
        data.open_split("new", "train")

    def import_again(place: Path) -> None:
        if "new" not in DataSets(place).library.names():
            add(place)
        find_data(place)

    return [
        (_make_trash, _delete, _find_deleted),
        (_make_deleted, _put_back, _find_deleted),
        (_make_nothing, add, import_again),
        (add, delete, find_data),
        (add_and_delete, put_back, find_data),
        (_make_nothing, _enqueue, _find_queue),
        (_make_queue, _requeue, _find_queue),
    ]


def _act_alone(act: Check, place: Path) -> None:
    """Acts in a forked process, which has none of the threads with which its parent may have computed."""
    torch.set_num_threads(1)
    act(place)


def _make_nothing(place: Path) -> None:
    """The folder is new."""


def _make_trash(place: Path) -> None:
    make_run(place / "a", {"training.steps": 1}, [step(1)])
    (place / "a.json").write_text("record", "utf-8")


def _make_deleted(place: Path) -> None:
    _make_trash(place)
    _delete(place)


def _delete(place: Path) -> None:
    Trash(place).put(NAMES, "a")


def _put_back(place: Path) -> None:
    Trash(place).put_back(Trash(place).entries()[0].key)


def _find_deleted(place: Path) -> None:
    for entry in Trash(place).entries():
        Trash(place).put_back(entry.key)
    _require(all((place / name).exists() for name in NAMES), "the run is neither here nor in the trash")
    _require(len(RunFolder(place / "a").read_metrics()) == 1, "the run's metrics are gone")


def _enqueue(place: Path) -> None:
    Queue(place).add(Config(), About("scenes"))


def _make_queue(place: Path) -> None:
    Queue(place).add(Config(), About("scenes"))
    Queue(place).cancel(Queue(place).runs()[0])


def _requeue(place: Path) -> None:
    Queue(place).requeue(Queue(place).runs()[0])


def _find_queue(place: Path) -> None:
    queue = Queue(place)
    for name, status in queue.statuses().items():
        _require(status.state in ("queued", "stopped", "interrupted"), f"the run {name} is {status.state}")
    _enqueue(place)
    _require("queued" in [each.state for each in queue.statuses().values()], "no run can be queued any more")


def attack_training(folder: Path) -> Attempt:
    """Prepares trainings in processes of their own, which are killed at random and resumed until they are done."""
    whole = folder / "whole"
    _train(whole, [], None)
    expected = RunFolder(whole).read_metrics()

    def attempt(random: Random) -> None:
        run = folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        _train(run, [], random.uniform(3, LONGEST))
        status = RunFolder(run).read_status()
        if status is None or status.state != FINISHED:
            if not RunFolder(run).checkpoint.exists():  # killed before its first one: it begins anew
                shutil.rmtree(run, ignore_errors=True)
            _train(run, ["--resume"] if run.exists() else [], None)
        ended = RunFolder(run).read_status()
        _require(ended is not None and ended.state == FINISHED, "the run cannot be resumed")
        steps = [record for record in RunFolder(run).read_metrics() if "metrics" not in record]
        wanted = [record for record in expected if "metrics" not in record]
        _require([each["step"] for each in steps] == [each["step"] for each in wanted], "steps are missing")
        same = all(one["box"] == other["box"] for one, other in zip(steps, wanted, strict=True))
        _require(same, "the losses differ from those of a run that was not killed")
        _require(not list(run.glob("*.part")) + list(run.glob(".*.part")), "a part in the making is left")

    return attempt


def _train(run: Path, more: list[str], seconds: float | None) -> None:
    """Trains in a process of its own, which is killed after some seconds."""
    settings = [f"--{name}={value}" for name, value in TINY.items()]
    command = [sys.executable, "-m", "core", "train", "--out", str(run), *settings, *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    end = None if seconds is None else time.monotonic() + seconds
    try:
        while process.poll() is None and (end is None or time.monotonic() < end):
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
    said = process.communicate()[1].decode(errors="replace")
    if seconds is None and process.returncode != 0:
        raise Lost(f"training failed: {said[-500:]}")


def _fail(place: Path) -> None:
    raise ValueError("no sequence has begun")


def _require(is_there: bool, loss: str) -> None:
    if not is_there:
        raise Lost(loss)
