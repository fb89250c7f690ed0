"""Runs are processes and folders: they outlive the page, wait for each other, and resume where they stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psutil
import pytest

from core.config import Config
from core.experiments.presets import PRESETS
from core.io.jsonl import JsonLines
from core.reader import PAGE, Kind, limits_for, read_apart_from_now_on
from core.runs.checkpoint import load_checkpoint
from core.runs.folder import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    PAUSED,
    QUEUED,
    RUNNING,
    STOPPED,
    STOPPING,
    RunError,
    RunFolder,
)
from core.runs.step_changes import read_step_changes
from core.scheduler.lock_files import SERVER_LOCK
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.runs.progress import ACTIVE, TRAINING, RunProgress
from playground.runs.service import Runs
from playground.steps import training
from playground.steps.step import Focus
from tests import waiting
from tests.core.tiny import tiny

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
LONG = {"training__steps": 100_000, "training__eval_interval": 0}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The runs of a page and their server, shared by all tests, because a server takes seconds to start."""
    runs = Runs(tmp_path_factory.mktemp("runs"))
    runs.open()
    yield runs
    for name in runs.names():
        runs.stop(name)
    runs.close()


@pytest.fixture(autouse=True)
def quiet(runs):
    """Stops all runs after each test."""
    yield
    for name, status in runs.statuses().items():
        if status.state in ACTIVE:
            runs.stop(name)
    wait(lambda: not any(each.state in ACTIVE for each in runs.statuses().values()))


wait = partial(waiting.wait, seconds=120)


def wait_for(runs: Runs, name: str, *states: str) -> RunProgress:
    wait(lambda: runs.read_progress(name).state in states)
    return runs.read_progress(name)


def losses(runs: Runs, name: str) -> list[tuple]:
    return [
        (each["step"], each["classification"], each["box"], each["gradient_norm"])
        for each in runs.read_progress(name).steps
    ]


def holders(path: Path) -> list[int]:
    """Returns the IDs of the processes that have a file open."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and any(each.readlink() == path for each in (process / "fd").iterdir()):
                found.append(int(process.name))
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


def test_a_run_from_start_to_use(runs, monkeypatch):
    monkeypatch.setattr(training, "RUNS", runs)
    config = tiny()
    name = runs.start(config, recipe="few-pictures")
    assert runs.about(name).recipe == "few-pictures"
    assert runs.names()[0] == name and runs.read_progress(name).active
    progress = wait_for(runs, name, FINISHED)
    assert [record["step"] for record in progress.steps] == [1, 2, 3]
    assert [record["step"] for record in progress.evaluations] == [2, 3]
    assert [record["step"] for record in JsonLines(runs.folder(name).snapshots).read()] == [2, 3]
    used = training.load_run_config(name, tiny(inference__score_threshold=0.02))
    assert used.model.fpn_channels == 32 and used.inference.score_threshold == 0.02
    for number, step in ((1, 2), (2, 3), (9, 3)):
        look = training.build_view(Pipeline(render_picture(config.scenes), config), Focus(run=name, frame=number))
        assert look.layers[-1].key == "kept" and look.layers[-1].label == f"found after step {step}"
    assert look.picture.sample.image.shape == (3, 64, 64)
    words = look.build_text()
    assert "finished" in words.readout and words.figure and "images per second" in words.readout
    assert "few-pictures" in words.readout and "held-out loss" in words.readout


def test_a_run_that_is_stopped_and_resumed_equals_one_that_was_not_stopped(runs):
    settings = {"training__steps": 40, "training__eval_interval": 0}
    name, other = runs.start(tiny(**settings)), runs.start(tiny(**settings))
    wait(lambda: runs.read_progress(name).steps)
    runs.stop(name)
    assert runs.read_progress(name).state in (STOPPING, STOPPED)
    wait_for(runs, name, STOPPED)
    assert load_checkpoint(runs.folder(name).checkpoint)["step"] == runs.read_progress(name).steps[-1]["step"] < 40
    runs.resume(name)
    assert wait_for(runs, name, FINISHED) and wait_for(runs, other, FINISHED)
    assert len(losses(runs, name)) == 40 and losses(runs, name) == losses(runs, other)


def test_runs_wait_for_each_other_in_order(runs):
    names = [runs.start(tiny(**LONG)), *(runs.start(tiny(training__eval_interval=0)) for _ in range(3))]
    wait(lambda: runs.read_progress(names[0]).state == RUNNING)
    assert [runs.read_progress(name).status.queue_position for name in names] == [0, 1, 2, 3]
    assert runs.names()[:4] == names[::-1] and runs.current() == names[0]
    runs.stop(names[2])
    assert (
        runs.read_progress(names[2]).state == STOPPED
        and "removed from the queue" in runs.read_progress(names[2]).status.message
    )
    assert runs.read_progress(names[3]).status.queue_position == 2
    runs.resume(names[2])
    assert [runs.read_progress(name).status.queue_position for name in names[1:]] == [1, 3, 2]
    runs.stop(names[0])
    ended = [wait_for(runs, name, FINISHED) and runs.folder(name).read_status().since for name in names[1:]]
    assert sorted(ended) == [ended[0], ended[2], ended[1]]


def test_a_killed_process_is_an_interrupted_run_that_can_be_resumed(runs):
    name = runs.start(tiny(training__steps=8, training__eval_interval=2, training__eval_images=1))
    wait(lambda: len(runs.read_progress(name).evaluations) >= 2)
    (worker,) = holders(runs.folder(name).lock)
    os.kill(worker, signal.SIGKILL)
    assert (
        wait(lambda: runs.read_progress(name).state not in TRAINING) and runs.read_progress(name).state == INTERRUPTED
    )
    before = losses(runs, name)
    runs.resume(name)
    wait_for(runs, name, FINISHED)
    after = losses(runs, name)
    assert [step for step, *_ in after] == list(range(1, 9)) and after[:4] == before[:4]
    assert [record["step"] for record in runs.read_progress(name).evaluations] == [2, 4, 6, 8]


def test_a_run_killed_before_its_first_checkpoint_starts_again(runs):
    name = runs.start(tiny(**LONG))
    wait(lambda: runs.read_progress(name).steps)
    os.kill(*holders(runs.folder(name).lock), signal.SIGKILL)
    wait_for(runs, name, INTERRUPTED)
    assert not runs.folder(name).checkpoint.exists()
    runs.resume(name)
    wait(lambda: runs.read_progress(name).state == RUNNING and runs.read_progress(name).steps)
    assert runs.read_progress(name).steps[0]["step"] == 1


def test_a_run_outlives_its_server_and_the_next_run_waits_for_it(runs):
    first, second = runs.start(tiny(**LONG)), runs.start(tiny(training__eval_interval=0))
    wait(lambda: runs.read_progress(first).steps)
    servers = set(holders(runs.root / SERVER_LOCK))
    for server in servers:
        os.kill(server, signal.SIGKILL)
    begun = len(runs.read_progress(first).steps)
    wait(lambda: runs.statuses() and set(holders(runs.root / SERVER_LOCK)) - servers)
    wait(lambda: len(runs.read_progress(first).steps) > begun)
    assert runs.read_progress(second).state == QUEUED
    runs.stop(first)
    wait_for(runs, second, FINISHED)


@pytest.fixture
def dragging(runs):
    """Moves a knob until the event is set or the test ends."""
    over = threading.Event()

    def drag():
        while not over.wait(0.05):
            runs.throttle()

    thread = threading.Thread(target=drag)
    thread.start()
    yield over
    over.set()
    thread.join()


def resting_worker(runs: Runs, name: str) -> psutil.Process:
    """Returns the process of a run once it waits because it is throttled."""
    wait_for(runs, name, RUNNING)
    (worker,) = map(psutil.Process, wait(lambda: holders(runs.folder(name).lock)))
    wait(lambda: is_resting(worker) and is_resting(worker))  # once it may only have had no processor
    return worker


def is_resting(process: psutil.Process) -> bool:
    """True if a process hardly computes."""
    before = sum(process.cpu_times()[:2])
    time.sleep(0.5)
    return sum(process.cpu_times()[:2]) - before < 0.1


def test_a_run_is_throttled_while_a_knob_moves(runs, dragging):
    name = runs.start(tiny(**LONG))
    worker = resting_worker(runs, name)
    done = len(runs.read_progress(name).steps)
    assert is_resting(worker) and len(runs.read_progress(name).steps) == done
    dragging.set()
    wait(lambda: len(runs.read_progress(name).steps) > done)


def test_a_throttled_run_can_be_stopped(runs, dragging):
    name = runs.start(tiny(**LONG))
    resting_worker(runs, name)
    runs.stop(name)
    wait_for(runs, name, STOPPED)
    assert not dragging.is_set()


def test_a_throttled_run_continues_when_its_server_is_killed(runs, dragging):
    name = runs.start(tiny(**LONG))
    resting_worker(runs, name)
    for server in wait(lambda: holders(runs.root / SERVER_LOCK)):
        os.kill(server, signal.SIGKILL)
    done = len(runs.read_progress(name).steps)
    wait(lambda: len(runs.read_progress(name).steps) > done)
    assert not dragging.is_set()


def test_two_pages_share_the_runs_of_a_folder(runs):
    other = Runs(runs.root)
    other.open()
    first, second = runs.start(tiny(**LONG)), other.start(tiny(training__eval_interval=0))
    wait(lambda: other.read_progress(first).state == RUNNING)
    assert runs.read_progress(second).status.queue_position == other.read_progress(second).status.queue_position == 1
    assert runs.statuses() == other.statuses()
    wait(lambda: len(holders(runs.root / SERVER_LOCK)) == 1)  # a second one that was started meanwhile exits
    other.stop(first)
    assert wait_for(runs, first, STOPPED).state == STOPPED and wait_for(runs, second, FINISHED)
    other.close()


def test_a_run_outlives_the_page_that_started_it(runs, tmp_path):
    code = """
import sys, time
from pathlib import Path
from playground.runs.service import Runs
from tests.core.tiny import tiny
runs = Runs(Path(sys.argv[1]))
names = [runs.start(tiny(training__steps=6)), runs.start(tiny(training__steps=1))]
while not runs.read_progress(names[0]).steps:
    time.sleep(0.05)
print(*names, flush=True)
time.sleep(1000)
"""
    page = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    names = page.stdout.readline().split()
    page.kill()
    page.wait()
    page.stdout.close()
    again = Runs(tmp_path)
    assert again.names() == names[::-1]
    for name in names:
        wait_for(again, name, FINISHED)
    again.close()
    wait(lambda: not holders(tmp_path / SERVER_LOCK))  # the server has nothing left to do


def test_pause_single_step_and_play(runs):
    name = runs.start(tiny(**LONG))
    wait(lambda: runs.read_progress(name).steps)
    runs.pause(name)
    wait_for(runs, name, PAUSED)
    step = runs.read_progress(name).steps[-1]["step"]
    runs.step(name)
    runs.step(name)  # a double click is one step
    wait(lambda: runs.read_progress(name).steps[-1]["step"] > step and runs.read_progress(name).state == PAUSED)
    assert runs.read_progress(name).steps[-1]["step"] == step + 1
    single = read_step_changes(runs.folder(name))
    assert single.step == step + 1 and all(0 < change < 1 for change in single.changes.values())
    runs.resume(name)
    wait(lambda: runs.read_progress(name).steps[-1]["step"] > step + 2)
    assert runs.read_progress(name).state == RUNNING


@pytest.fixture(scope="module")
def finished(runs):
    """The name of a run that has finished."""
    name = runs.start(tiny())
    wait_for(runs, name, FINISHED)
    return name


def test_impossible_actions_are_refused(runs, finished):
    name = finished
    for act in (runs.pause, runs.step):
        with pytest.raises(RunError, match="is not training"):
            act(name)
    with pytest.raises(RunError, match="is finished: only a run that"):
        runs.resume(name)
    for wrong in ("", "none", "..", f"../{runs.root.name}/{name}", ".", "a\0b", None, 5):
        assert not runs.has(wrong)
    with pytest.raises(RunError, match="no run"):
        runs.read_progress("../x")
    runs.stop(name)  # nothing to stop
    assert runs.read_progress(name).state == FINISHED


def test_a_run_that_cannot_start_says_why(runs, tmp_path):
    name = runs.start(tiny(model__weights=str(tmp_path / "none.safetensors")))
    assert "none.safetensors" in wait_for(runs, name, FAILED).status.message
    name = runs.start(tiny(), source=str(tmp_path / "no-data"))
    assert "no-data" in wait_for(runs, name, FAILED).status.message


def test_a_damaged_checkpoint_is_an_error_message(runs):
    name = runs.start(tiny(**LONG))
    wait(lambda: runs.read_progress(name).steps)
    runs.stop(name)
    wait_for(runs, name, STOPPED)
    checkpoint, steps = runs.folder(name).checkpoint, losses(runs, name)
    damaged = checkpoint.read_bytes()[:-100]
    checkpoint.write_bytes(damaged)
    runs.resume(name)
    assert "is damaged, so the run cannot be resumed from it" in wait_for(runs, name, FAILED).status.message
    assert checkpoint.read_bytes() == damaged and losses(runs, name) == steps


def test_the_runs_of_a_comparison_wait_for_each_other(runs, monkeypatch):
    preset = PRESETS["anchors"]._replace(
        settings={**tiny().explicit_values(), "model.heads": "loaded", "model.freeze_stages": 0}
    )
    monkeypatch.setitem(PRESETS, "anchors", preset)
    monkeypatch.setattr(training, "RUNS", runs)
    first = runs.compare("anchors")
    members = [folder.path.name for folder in runs.members(first)]
    assert members[0] == first and [runs.about(name).variant for name in members] == [
        each.name for each in preset.variants
    ]
    progress = wait_for(runs, first, FINISHED)
    assert progress.preset == preset and [len(curve.steps) for curve in progress.records] == [3, 3]
    assert [curve.run.variant.name for curve in progress.records] == [each.name for each in preset.variants]
    look = training.build_view(Pipeline(render_picture(tiny().scenes), tiny()), Focus(run=members[1], frame=2))
    assert "one anchor per location" in look.build_text().readout and "after step 3" in look.layers[-1].label
    assert training.load_run_config(members[1], tiny()).anchors.per_location == 1


def test_stopping_a_comparison_stops_all_of_it(runs):
    first = runs.compare("freeze")
    wait(lambda: runs.read_progress(first).state in TRAINING)
    runs.stop(first)
    wait_for(runs, first, STOPPED)
    assert {runs.statuses()[folder.path.name].state for folder in runs.members(first)} == {STOPPED}


def test_the_stamp_changes_only_with_new_records(runs, finished):
    name = finished
    stamp = runs.stamp(name)
    assert runs.stamp(name) == stamp != runs.stamp("")
    (runs.folder(name).metrics).open("a").close()
    assert runs.stamp(name) == stamp
    with runs.folder(name).metrics.open("a") as file:
        file.write(json.dumps({"step": 4}) + "\n")
    assert runs.stamp(name) != stamp


def test_an_empty_folder_has_no_runs(tmp_path):
    runs = Runs(tmp_path / "none")
    assert runs.names() == [] and runs.statuses() == {} and runs.current() == "" and not (tmp_path / "none").exists()
    (tmp_path / "none" / "stranger").mkdir(parents=True)
    assert runs.names() == []
    RunFolder(tmp_path / "none" / "old").create()
    (tmp_path / "none" / "old" / "config.json").write_text("{}")
    assert runs.names() == ["old"] and runs.read_progress("old").state == INTERRUPTED


def test_the_source_of_a_queued_run_is_in_use(tmp_path, monkeypatch):
    runs = Runs(tmp_path)
    monkeypatch.setattr(runs, "open", lambda: None)  # no training here
    name = runs.start(tiny(), "/data/mine")
    assert runs.is_using("/data/mine") and not runs.is_using("/data/other")
    runs.stop(name)
    assert not runs.is_using("/data/mine")


def test_uploaded_weights_belong_to_the_run_that_begins_with_them(tmp_path, monkeypatch):
    monkeypatch.delenv("RETINANET_LIMITS")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    runs, upload = Runs(tmp_path / "runs"), tmp_path / "uploads" / "0123456789abcdef" / "w.pth"
    runs.root.mkdir()
    monkeypatch.setattr(runs, "open", lambda: None)  # no training here
    upload.parent.mkdir(parents=True)
    upload.write_text("weights")
    name = runs.start(tiny(model__weights=str(upload)))
    shutil.rmtree(tmp_path / "uploads")  # as when the page ends, or after a day
    kept = runs.folder(name).path / "uploaded" / "w.pth"
    assert Config.from_file(runs.folder(name).config).model.weights == str(kept) and kept.read_text() == "weights"
    read_apart_from_now_on(PAGE, tuple(Kind), trusted=(runs.root,))
    try:
        assert limits_for(Kind.PICKLED, kept) == PAGE  # wherever it lies, nobody has checked it
        assert limits_for(Kind.PICKLED, kept.parent.with_name("Uploaded") / "w.pth") == PAGE
        assert limits_for(Kind.PICKLED, runs.folder(name).weights) is None
    finally:
        read_apart_from_now_on(PAGE, ())
    with pytest.raises(RunError, match=r"^The uploaded w\.pth is not on this server any more: upload it again\.$"):
        runs.start(tiny(model__weights=str(upload)))
    assert runs.names() == [name] and not list(runs.root.glob("*.part"))


def test_switching_to_another_folder(runs, tmp_path):
    elsewhere = Runs(tmp_path / "one")
    elsewhere.use_folder(tmp_path / "two")
    (tmp_path / "two" / "old").mkdir(parents=True)
    (tmp_path / "two" / "old" / "config.json").write_text("{}")
    assert elsewhere.names() == ["old"] and elsewhere.folder("old").path == tmp_path / "two" / "old"
