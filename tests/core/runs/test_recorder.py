"""The recorder of a run: its files, requests from other processes, and a full disk."""

import copy
import json
import threading
from itertools import chain, islice

import pytest
import torch

from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.io.jsonl import JsonLines
from core.retinanet.losses import batch_losses
from core.retinanet.model import build_model
from core.retinanet.preprocess import prepare
from core.runs import recorder as recorder_module
from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.control import PAUSE, STOP, Control, write_control
from core.runs.folder import FAILED, FINISHED, PAUSED, RUNNING, STOPPED, RunError, RunFolder
from core.runs.recorder import Recorder
from core.runs.snapshots import (
    Snapshot,
    SnapshotRecorder,
    detections_from_dict,
    detections_to_dict,
    read_snapshot_image,
    snapshot_from_record,
)
from core.runs.splits import Splits
from core.runs.step_changes import compute_changes, read_step_changes
from core.runs.train import run_training
from core.structures import Detections, Sample
from core.training.records import StepRecord
from core.training.trainer import Trainer
from core.weights import state_dict
from core.weights.architecture import WeightsError
from core.weights.sources import load_weights
from tests.core.tiny import tiny


def full_disk(monkeypatch, *, after: int) -> None:
    """Makes writing tensors fail as on a full disk, after the first files."""
    real, written = state_dict.save_file, []

    def save_file(tensors, path, metadata):
        written.append(path)
        if len(written) > after:
            path.write_bytes(b"half of it")
            raise OSError(28, "No space left on device")
        real(tensors, path, metadata)

    monkeypatch.setattr(state_dict, "save_file", save_file)


@pytest.mark.slow
def test_a_full_disk_ends_a_run_and_leaves_its_last_checkpoint(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    full_disk(monkeypatch, after=2)  # weights and checkpoint of the first evaluation
    with pytest.raises(WeightsError, match="No space left"):
        list(run_training(tiny(), "scenes", folder))
    assert folder.read_status().state == FAILED and "No space left" in folder.read_status().message
    assert load_checkpoint(folder.checkpoint)["step"] == 2 and load_weights(str(folder.weights))
    assert not list(folder.path.glob(".*")) and not folder.is_held()
    monkeypatch.undo()
    list(run_training(tiny(), "scenes", folder, resume=True))
    assert folder.read_status().state == FINISHED and [line["step"] for line in folder.read_metrics()] == [
        1,
        2,
        2,
        3,
        3,
    ]


@pytest.mark.slow
def test_metrics_that_cannot_be_written_end_a_run_too(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    records = run_training(tiny(), "scenes", folder)
    next(records)
    folder.metrics.unlink()
    folder.metrics.mkdir()
    with pytest.raises(
        RunError, match=r"metrics.jsonl cannot be written: Is a directory\. Move the folder .*\. Then resume the run\.$"
    ):
        list(records)
    assert folder.read_status().state == FAILED and load_checkpoint(folder.checkpoint)["step"] == 2


def read_snapshots(folder: RunFolder) -> list[Snapshot]:
    return [snapshot_from_record(record) for record in JsonLines(folder.snapshots).read()]


@pytest.mark.slow
def test_each_evaluation_adds_a_snapshot(tmp_path):
    folder = RunFolder(tmp_path / "run")
    list(run_training(tiny(inference__score_threshold=0.0), "scenes", folder))
    assert [snapshot.step for snapshot in read_snapshots(folder)] == [2, 3]
    assert len(read_snapshots(folder)[0].found.boxes) > 0
    scene = read_snapshot_image(folder)
    assert scene.sample.image.shape == (3, 64, 64) and len(scene.sample.boxes) == len(scene.sample.labels) > 0
    assert scene.class_names == load_weights(str(folder.weights)).class_names


class OneImage(DataSet):
    """A data set with one large image."""

    class_names = ("thing",)

    def __init__(self) -> None:
        box, image = torch.tensor([[1000.0, 0, 2048, 512]]), torch.zeros(3, 512, 2048, dtype=torch.uint8)
        self.sample = Sample(image, box, torch.tensor([0]), torch.tensor([False]), 7)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Sample:
        return self.sample


@pytest.mark.slow
def test_a_large_picture_is_kept_smaller_with_its_boxes(tmp_path):
    config, folder = tiny(inference__max_image_size=64), RunFolder(tmp_path)
    recorder = SnapshotRecorder(folder, OneImage(), config)
    scene = read_snapshot_image(folder)
    assert scene.sample.image.shape == (3, 256, 1024) and scene.sample.boxes.tolist() == [[500, 0, 1024, 256]]
    recorder.add(build_model(config.model, num_classes=1, anchors_per_location=9), 5)
    (snapshot,) = read_snapshots(folder)
    assert snapshot.step == 5 and (snapshot.found.boxes[:, 2::2] <= 1024.5).all()


@pytest.mark.slow
def test_a_snapshot_has_the_anchors_of_an_assigner_that_looks_at_the_outputs(tmp_path):
    model = build_model(tiny().model, num_classes=1, anchors_per_location=9)
    for name in ("max_iou", "simota"):
        config = tiny(inference__max_image_size=64, matching__assigner=name)
        (tmp_path / name).mkdir()
        folder = RunFolder(tmp_path / name)
        recorder = SnapshotRecorder(folder, OneImage(), config)
        recorder.add(model, 5)
        (snapshot,) = read_snapshots(folder)
        assert (snapshot.assigned is None) == (name == "max_iou")
    x1, y1, x2, y2 = snapshot.assigned.T  # in pixels of the stored image, where the object is from (500, 0)
    assert 1 <= len(x1) <= 10 and ((x1 + x2) / 2 > 400).all() and ((y1 + y2) / 2 < 356).all()
    sample = OneImage().sample
    batch = prepare([sample.image], config.inference)
    with torch.inference_mode():
        losses = batch_losses(model(batch.pixels), batch, [sample], config)  # as in training, in evaluation mode here
    assert int(losses[0].foreground) == len(snapshot.assigned)


def test_damaged_anchors_of_a_snapshot_are_left_out():
    plain = {"step": 1, "boxes": [], "scores": [], "labels": []}
    assert snapshot_from_record(plain).assigned is None
    assert snapshot_from_record({**plain, "assigned": []}).assigned.shape == (0, 4)
    for damaged in ([[1, 2]], "a", 3, [["a"] * 4], None, [[0.5, 1, 2, 10**400]]):
        assert snapshot_from_record({**plain, "assigned": damaged}).assigned is None


LARGE = json.dumps({"boxes": [[0.5, 1, 2, 10**400]], "scores": [0.5], "labels": [0], "class_names": ["a"]})


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"boxes": [], "scores": [], "labels": [9], "class_names": ["a"]}', LARGE]
)
def test_damaged_snapshots_are_empty(tmp_path, text):
    folder = RunFolder(tmp_path)
    SnapshotRecorder(folder, OneImage(), tiny())
    folder.snapshot_truth.write_text(text)
    assert read_snapshot_image(folder) is None
    folder.snapshots.write_text('{"step": 1, "boxes": [[1, 2]], "scores": [1], "labels": [0]}\n{"step": 2}\n')
    assert [len(snapshot.found.boxes) for snapshot in read_snapshots(folder)] == [0, 0]


def test_detections_survive_their_file():
    found = Detections(torch.tensor([[1.25, 2, 3, 4]]), torch.tensor([0.12345]), torch.tensor([3]))
    again = detections_from_dict(detections_to_dict(found))
    assert torch.allclose(again.boxes, found.boxes, atol=0.06) and again.labels.tolist() == [3]
    assert again.scores.item() == pytest.approx(0.1235, abs=1e-4)
    assert detections_from_dict(
        detections_to_dict(Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long()))
    ).boxes.shape == (
        0,
        4,
    )


@pytest.mark.slow
def test_a_run_pauses_makes_single_steps_and_stops(tmp_path):
    folder = RunFolder(tmp_path / "run")
    records = run_training(tiny(training__steps=50, training__eval_interval=0), "scenes", folder)
    next(records)
    write_control(folder.control, Control(PAUSE))
    seen = []
    thread = threading.Thread(target=lambda: seen.extend(each for each in records if isinstance(each, StepRecord)))
    thread.start()
    wait(lambda: folder.read_status().state == PAUSED)
    assert not seen
    write_control(folder.control, Control(PAUSE, 2))
    wait(lambda: read_step_changes(folder) and folder.read_status().state == PAUSED)
    assert [record.step for record in seen] == [2] and read_step_changes(folder).step == 2
    assert list(read_step_changes(folder).changes) == ["backbone", "pyramid", "class head", "box head"]
    write_control(folder.control, Control(STOP))
    thread.join(60)
    assert folder.read_status().state == STOPPED and load_checkpoint(folder.checkpoint)["step"] == 2


def wait(condition) -> None:
    pause = threading.Event()
    for _ in range(2000):
        if condition():
            return
        pause.wait(0.03)
    raise AssertionError("waited in vain")


@pytest.mark.slow
def test_a_run_saved_between_a_step_and_its_record_has_both(tmp_path):
    """Another thread saves a stopped run at that moment: a resumed run would lack the record."""
    config, folder = tiny(training__batch_size=2), RunFolder(tmp_path)
    trainer = Trainer(build_model(config.model, num_classes=6, anchors_per_location=9), config)
    data = SceneData(config.scenes, 10, "train")
    recorder = Recorder(trainer, folder, config, Splits(data, data), is_controllable=True)
    records = trainer.run(data, data)
    first = next(records)  # the step is complete, the recorder has not seen its record
    recorder.save(STOPPED)
    assert load_checkpoint(folder.checkpoint)["step"] == 1
    assert [line["step"] for line in folder.read_metrics()] == [1]
    list(islice(recorder.record(chain([first], records)), 2))
    assert [line["step"] for line in folder.read_metrics()] == [1, 2]


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "saved"), [(2, [2]), (3, [2, 3])])
def test_what_the_last_evaluation_saved_is_not_saved_again(tmp_path, monkeypatch, steps, saved):
    written = []

    def save_and_count(path, state):
        written.append(state["step"])
        save_checkpoint(path, state)

    monkeypatch.setattr(recorder_module, "save_checkpoint", save_and_count)
    folder = RunFolder(tmp_path / "run")
    list(run_training(tiny(training__steps=steps), "scenes", folder))
    assert written == saved and folder.read_status().state == FINISHED
    assert load_checkpoint(folder.checkpoint)["step"] == steps
    assert list(run_training(tiny(training__steps=steps), "scenes", folder, resume=True))  # evaluates again
    assert folder.read_status().state == FINISHED


@pytest.mark.slow
def test_stopped_within_an_evaluation_the_rest_of_it_is_left_out(tmp_path):
    folder = RunFolder(tmp_path / "run")
    records = run_training(tiny(training__eval_images=12), "scenes", folder)
    list(islice(records, 3))  # two steps and a part of the evaluation
    write_control(folder.control, Control(STOP))
    assert list(records) == [] and folder.read_status().state == STOPPED
    assert [line["step"] for line in folder.read_metrics()] == [1, 2]


@pytest.mark.slow
def test_a_checkpoint_saved_during_a_step_is_that_of_the_last_completed_step(tmp_path, monkeypatch):
    """Another thread saves during a long step, when batch norms and averages have already changed."""
    config = tiny(model__batch_norm="live", training__batch_size=2, loss__normaliser="moving_average")
    trainer = Trainer(build_model(config.model, num_classes=6, anchors_per_location=9), config)
    data = SceneData(config.scenes, 10, "train")
    records, found = trainer.run(data, data), {}
    next(records)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    average = trainer.state()["foreground_average"]
    backward = trainer.accelerator.backward

    def backward_while_saved(loss):
        with trainer.hold_last_step() as result:
            found.update(state=copy.deepcopy(trainer.state()), result=copy.deepcopy(result.state_dict()))
        backward(loss)

    monkeypatch.setattr(trainer.accelerator, "backward", backward_while_saved)
    next(records)
    for state in (found["state"]["model"], found["result"]):
        assert all(torch.equal(state[name], before[name]) for name in before)
    assert found["state"]["step"] == 1 and found["state"]["foreground_average"] == average
    assert any(not torch.equal(value, before[name]) for name, value in trainer.model.state_dict().items())


def test_relative_changes_of_the_weights():
    model = build_model(tiny().model, num_classes=6, anchors_per_location=9)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.startswith("head.classification_head."):
                value.mul_(1.5)
    changes = compute_changes(before, model)
    assert changes["class head"] == pytest.approx(0.5, rel=1e-4)
    assert changes["backbone"] == changes["pyramid"] == changes["box head"] == 0


@pytest.mark.slow
def test_running_is_noted_before_the_first_step(tmp_path):
    folder = RunFolder(tmp_path / "run")
    records = run_training(tiny(), "scenes", folder)
    next(records)
    assert folder.read_status().state == RUNNING and folder.is_held() and folder.read_about().source == "scenes"
    with pytest.raises(RunError, match="another process"):
        folder.acquire_lock()
    records.close()
    assert not folder.is_held()
