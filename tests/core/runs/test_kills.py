"""A run that is killed at any instant, or finds the disk full, goes on as if nothing had happened."""

import os
import resource
import signal
import threading
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
import torch
from torch.nn import Linear

from core.config import Config
from core.data.dataset import DataSet
from core.evaluation.coco_metrics import Metrics
from core.evaluation.dataset_predictions import Evaluation
from core.io.jsonl import JsonLines
from core.io.parts import sweep_parts
from core.retinanet.losses import Losses
from core.runs import recorder as recorder_module, train as train_module
from core.runs.about import About
from core.runs.checkpoint import load_checkpoint
from core.runs.control import PAUSE, STOP, Control, prepare_control, read_control, write_control
from core.runs.folder import FINISHED, RunError, RunFolder
from core.runs.recorder import Recorder
from core.runs.snapshots import SnapshotRecorder
from core.runs.splits import Splits
from core.runs.train import run_training
from core.structures import Detections, Sample
from core.training import trainer as trainer_module
from core.training.early_stopping import EarlyStopping
from core.training.records import EvaluationProgress, StepRecord
from core.training.trainer import Trainer
from core.weights.architecture import WeightsError
from tests.core.tiny import tiny
from tests.killing import kill_at_every_change

METRICS = Metrics(**dict.fromkeys(Metrics.__dataclass_fields__.keys() - {"per_class"}, 0.5), per_class={})
HELD_OUT = {2: 0.5, 4: 0.9}  # losses; after 2 steps they rise
STOPS_EARLY = tiny(training__steps=8, training__early_stopping=1)


class OneImage(DataSet):
    """A data set with one small image."""

    class_names = ("thing",)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        box, image = torch.tensor([[1.0, 1, 8, 8]]), torch.zeros(3, 16, 16, dtype=torch.uint8)
        return Sample(image, box, torch.tensor([0]), torch.tensor([False]), 7)


class FastTrainer(Trainer):
    """A trainer whose steps compute nothing: all else is as in any run."""

    def __init__(self, config: Config) -> None:
        self.config, self.model = config, Linear(1, 1)
        self.accelerator = SimpleNamespace(num_processes=1, is_main_process=True)
        self._early_stopping = EarlyStopping(config.training.early_stopping)
        self._updating, self._average, self._backup = threading.RLock(), None, None
        self._gradient = SimpleNamespace(class_weights=None, cache=None)
        self.step = self.evaluated = 0
        self.damaged, self.last_record = {}, None

    def _train_step(self, samples, started):
        self.step += 1
        with torch.no_grad():
            self.model.bias.fill_(self.step)
        self.last_record = StepRecord(self.step, 1 / self.step, 0.5, 0.1, 3, 1.0, 8.0)
        return self.last_record

    def state(self):
        return {"step": self.step, "early_stopping": self._early_stopping.state()}

    def restore(self, state):
        self.step = state["step"]
        self._early_stopping.restore(state["early_stopping"], self.model)


@pytest.fixture
def fast(monkeypatch):
    """Returns a function that begins the run of a folder, or goes on with it, to its end."""

    def evaluate(model, names, data, config, damaged, weights):
        yield 0, 2
        yield 1, 2
        yield Evaluation(METRICS, Losses(torch.tensor(HELD_OUT[trainers[-1].step]), torch.tensor(0.0)))

    def load_batches(train, config, *_, steps_done, **__):
        yield from range(steps_done, config.training.steps)

    def go_on(path, config=STOPS_EARLY):
        folder, trainer, data = RunFolder(path), FastTrainer(config), OneImage()
        trainers.append(trainer)
        if folder.checkpoint.exists():
            train_module._restore(trainer, load_checkpoint(folder.checkpoint), folder)
        elif not folder.config.exists():
            folder.require_new()
        records = trainer.run(data, data)
        folder.create()
        with train_module._acquire_lock(folder):
            train_module.write_start(folder, config, trainer.step, About(), data)
            recorder = Recorder(trainer, folder, config, Splits(data, data), is_controllable=True)
            yield from recorder.record(records)

    trainers = []
    found = Detections(torch.ones(1, 4), torch.ones(1), torch.ones(1).long())
    monkeypatch.setattr(trainer_module, "evaluate_dataset", evaluate)
    monkeypatch.setattr(trainer_module, "load_batches", load_batches)
    monkeypatch.setattr(trainer_module, "is_true_anywhere", lambda _, value: value)
    monkeypatch.setattr(SnapshotRecorder, "detect", lambda self, model: found)
    monkeypatch.setattr(
        recorder_module, "save_weights", lambda path, result, *_, **__: path.write_text(f"{result.bias.item():.0f}")
    )
    return go_on


def lines(folder):
    """Returns all that a run says of itself, but for speeds and times."""
    kept = [{key: value for key, value in each.items() if key != "images_per_second"} for each in folder.read_metrics()]
    film = list(JsonLines(folder.snapshots).read())
    return kept, film, folder.read_status()[:2]


@pytest.mark.slow
def test_a_run_killed_at_any_change_goes_on_as_if_nothing_had_happened(tmp_path, fast):
    begun = tmp_path / "begun"
    begun.mkdir()
    list(fast(tmp_path / "whole"))
    whole = lines(RunFolder(tmp_path / "whole"))
    assert [each["step"] for each in whole[0] if "metrics" in each] == [2, 4]
    assert [each["step"] for each in whole[1]] == [2, 4] and "risen since step 2" in whole[2][1]
    for number, copy in kill_at_every_change(begun, lambda copy: list(fast(copy))):
        list(fast(copy))
        assert lines(RunFolder(copy)) == whole, number
        assert (copy / "weights.safetensors").read_text() == "2" and not list(copy.rglob("*.part"))
    assert number > 50


@pytest.mark.parametrize("records", range(1, 11))
def test_a_run_stopped_after_any_record_goes_on_as_if_nothing_had_happened(tmp_path, fast, records):
    list(fast(tmp_path / "whole"))
    folder = RunFolder(tmp_path / "stopped")
    running = fast(folder.path)
    for _ in range(records):
        next(running)
    write_control(folder.control, Control(STOP))
    assert list(running) == []
    list(fast(folder.path))
    assert lines(folder) == lines(RunFolder(tmp_path / "whole"))


def test_a_finished_run_that_is_resumed_keeps_one_record_of_its_last_evaluation(tmp_path, fast):
    config = tiny(training__steps=4)
    list(fast(tmp_path / "run", config))
    before = lines(RunFolder(tmp_path / "run"))
    assert [type(each).__name__ for each in fast(tmp_path / "run", config)][-1] == "EvaluationRecord"
    assert lines(RunFolder(tmp_path / "run")) == before and before[2][0] == FINISHED


def full(*_, **__):
    raise OSError(28, "No space left on device")


def test_a_run_that_is_stopped_on_a_full_disk_keeps_its_last_checkpoint(tmp_path, fast, monkeypatch):
    list(fast(tmp_path / "whole"))
    folder = RunFolder(tmp_path / "run")
    running = fast(folder.path)
    for _ in range(6):  # two steps, the evaluation, and another step
        next(running)
    with monkeypatch.context() as patch:
        for name in ("core.io.parts.tempfile.mkdtemp", "core.runs.folder._overwrite", "pathlib.Path.touch"):
            patch.setattr(name, full)
        write_control(folder.control, Control(STOP))
        with pytest.raises(WeightsError, match=r"No space left.*Free some space.*resume the run: its last"):
            list(running)
    assert load_checkpoint(folder.checkpoint)["step"] == 2 and not folder.is_held()
    list(fast(folder.path))
    assert lines(folder) == lines(RunFolder(tmp_path / "whole"))


def test_a_run_is_paused_on_a_full_disk(tmp_path, fast, monkeypatch):
    folder, seen = RunFolder(tmp_path / "run"), []
    running = fast(folder.path)
    next(running)
    with monkeypatch.context() as patch:
        for name in ("core.io.parts.tempfile.mkdtemp", "core.runs.folder._overwrite"):
            patch.setattr(name, full)
        write_control(folder.control, Control(PAUSE))
        thread = threading.Thread(target=lambda: seen.append(next(running)))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() and not seen
        write_control(folder.control, Control())
        thread.join(60)
        assert [record.step for record in seen] == [2]
    running.close()


def test_a_request_needs_no_byte_on_the_disk(tmp_path):
    path = tmp_path / "control.json"
    prepare_control(path)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        with suppress(OSError):
            (tmp_path / "other").write_bytes(b"x")
        write_control(path, Control(PAUSE, 3))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0 and (tmp_path / "other").stat().st_size == 0
    assert read_control(path) == Control(PAUSE, 3)


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", "control"), ("lock", "control", "about.json"), (".x.part",)])
def test_a_folder_in_which_a_run_was_killed_before_it_began_can_be_used(tmp_path, left):
    for name in left:
        (tmp_path / name).touch()
    RunFolder(tmp_path).require_new()
    (tmp_path / "config.json").touch()
    with pytest.raises(RunError, match="is not empty"):
        RunFolder(tmp_path).require_new()


# Real training, really killed.


def train(folder, *, resume):
    """Trains in a forked process; returns its number."""
    child = os.fork()
    if child == 0:
        try:
            config = tiny(training__steps=6, training__eval_images=8)
            for record in run_training(config, "scenes", folder, resume=resume):
                if isinstance(record, EvaluationProgress):
                    time.sleep(0.02)
        finally:
            os._exit(0)
    return child


@pytest.mark.slow
def test_a_killed_training_run_has_the_losses_and_evaluations_of_an_undisturbed_one(tmp_path):
    whole, killed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "killed")
    os.waitpid(train(whole, resume=False), 0)

    def has(steps, evaluations):
        found = killed.read_records()
        return len(found[0]) >= steps and len(found[1]) >= evaluations

    moments = (
        lambda: killed.config.exists(),
        lambda: has(1, 0),
        lambda: has(2, 0),  # within the first evaluation
        lambda: list(killed.path.glob(".checkpoint*.part")),
        lambda: has(2, 1),
        lambda: has(4, 1),  # within the second evaluation
        lambda: has(5, 2),
    )
    for number, moment in enumerate(moments):
        child = train(killed, resume=number > 0)
        deadline = time.monotonic() + 60
        while not moment():
            assert time.monotonic() < deadline, number
            time.sleep(0.002)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.waitpid(train(killed, resume=True), 0)
    assert lines(killed) == lines(whole)
    assert [each["step"] for each in killed.read_records()[1]] == [2, 4, 6]
    assert sweep_parts(killed.path) == 0 and not killed.is_held()
