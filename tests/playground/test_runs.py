import time

import pytest

from core.comparison import run_comparison
from core.config import Config
from core.presets import PRESETS
from core.runs import FINISHED, RUNNING, STOPPED, RunFolder
from playground.pictures import scene
from playground.runs import FAILED, INTERRUPTED, BusyError, Progress, Runs
from playground.situation import Situation
from playground.step import Focus
from playground.steps import training

TINY = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 1,
    "inference.image_size": 64,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "training.batch_size": 2,
    "training.steps": 3,
    "training.eval_interval": 2,
    "training.eval_images": 2,
}


def wait(runs: Runs, name: str, until, seconds: float = 90) -> Progress:
    deadline = time.monotonic() + seconds
    while not until(progress := runs.read(name)):
        assert time.monotonic() < deadline, progress
        time.sleep(0.2)
    return progress


@pytest.mark.timeout(200)
def test_a_run_from_start_to_use(tmp_path, monkeypatch):
    runs = Runs(tmp_path)
    monkeypatch.setattr(training, "RUNS", runs)
    config = Config.from_flat(TINY)
    name = runs.start(config)
    assert runs.read(name).active
    with pytest.raises(BusyError, match=name):
        runs.start(config)
    progress = wait(runs, name, lambda progress: not progress.active)
    assert progress.state == FINISHED and [record["step"] for record in progress.steps] == [1, 2, 3]
    assert [record["step"] for record in progress.evaluations] == [2, 3]
    used = training.run_config(name, Config.from_flat({"inference.score_threshold": 0.02}))
    assert used.model.fpn_channels == 32 and used.inference.score_threshold == 0.02
    look = training.look(Situation(scene(config.scenes), Config()), Focus(run=name))
    assert look.layers[-1].key == "kept" and "step 3" in look.layers[-1].label
    assert "finished" in look.readout and look.figure


@pytest.mark.timeout(200)
def test_stop_saves_a_checkpoint(tmp_path):
    runs = Runs(tmp_path)
    name = runs.start(Config.from_flat({**TINY, "training.steps": 100_000, "training.eval_interval": 0}))
    wait(runs, name, lambda progress: progress.steps)
    asked = time.monotonic()
    runs.stop(name)
    assert runs.read(name).state in ("stopping", STOPPED)
    progress = wait(runs, name, lambda progress: not progress.active)
    assert progress.state == STOPPED and time.monotonic() - asked < 20
    assert runs.weights(name).checkpoint.exists()


@pytest.mark.timeout(100)
def test_a_run_that_cannot_start_says_why(tmp_path):
    runs = Runs(tmp_path)
    name = runs.start(Config.from_flat({**TINY, "model.weights": str(tmp_path / "none.safetensors")}))
    progress = wait(runs, name, lambda progress: not progress.active)
    assert progress.state == FAILED and "none.safetensors" in progress.message


def test_a_run_whose_process_is_gone_is_interrupted(tmp_path):
    folder = RunFolder(tmp_path / "old")
    folder.create()
    folder.write_status(RUNNING)
    folder.metrics.write_text('{"step": 1, "classification": 1, "box": 1}\n')
    progress = Runs(tmp_path).read("old")
    assert progress.state == INTERRUPTED and len(progress.steps) == 1


@pytest.mark.timeout(200)
def test_a_comparison_from_start_to_use(tmp_path, monkeypatch):
    preset = PRESETS["anchors"]._replace(settings={**TINY, "model.heads": "loaded", "model.freeze_stages": 0})
    monkeypatch.setitem(PRESETS, "anchors", preset)
    runs = Runs(tmp_path)
    monkeypatch.setattr(training, "RUNS", runs)
    monkeypatch.setattr(runs, "_launch", in_this_process(runs))
    name = runs.compare("anchors")
    progress = runs.read(name)
    assert progress.state == FINISHED and progress.preset == preset
    assert [curve.part.arm.name for curve in progress.curves] == [arm.name for arm in preset.arms]
    assert [len(curve.steps) for curve in progress.curves] == [3, 3]
    look = training.look(Situation(scene(Config().scenes), Config()), Focus(run=name))
    assert "one anchor a place" in look.readout and "after step 3" in look.layers[-1].label
    assert [trace["name"] for trace in look.figure["data"][:2]] == [arm.name for arm in preset.arms]
    assert training.run_config(name, Config()).anchors.per_place == 1  # the latest of them


def in_this_process(runs: Runs):
    """Trains at once: the process of the command line would not know the changed preset."""

    def launch(name: str, arguments: list[str]) -> None:
        list(run_comparison(PRESETS[arguments[1]], runs.folder / name))

    return launch


def test_a_comparison_whose_process_broke_says_why(tmp_path, monkeypatch):
    runs = Runs(tmp_path)
    monkeypatch.setattr(runs, "_launch", lambda name, arguments: None)
    name = runs.compare("gamma")
    (tmp_path / f"{name}.log").write_text("error: The built-in weights are missing.\n")
    progress = runs.read(name)
    assert progress.state == FAILED and progress.message == "The built-in weights are missing."
