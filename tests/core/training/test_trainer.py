import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from itertools import islice

import pytest
import torch

from core.config import Config, knobs
from core.data.sources import SceneData
from core.retinanet.losses import batch_losses
from core.retinanet.model import build_model
from core.retinanet.preprocess import scale_objects
from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.folder import DIVERGED, FAILED, FINISHED, STOPPED, RunError, RunFolder
from core.runs.train import run_training
from core.training import samples
from core.training.augmentation.augment import augment
from core.training.records import EvaluationProgress, EvaluationRecord, StepRecord, TrainingError
from core.training.samples import TrainingStream
from core.training.trainer import Trainer
from core.weights.sources import load_weights
from tests.core.networks import make_small_body

TINY = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 1,
    "inference.image_size": 64,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "training.batch_size": 2,
    "training.steps": 4,
    "training.eval_interval": 0,
    "training.eval_images": 2,
    "training.warmup_steps": 0,
}


def tiny(**changes) -> Config:
    return Config.from_flat({**TINY, **{key.replace("__", "."): value for key, value in changes.items()}})


def network(config: Config, seed: int = 0):
    torch.manual_seed(seed)
    anchors = config.anchors.per_location
    return build_model(config.model, num_classes=6, anchors_per_location=anchors, body=make_small_body())


def data(config: Config, split: str = "train") -> SceneData:
    return SceneData(config.scenes, 20, split)


def steps(records) -> list[StepRecord]:
    return [record for record in records if isinstance(record, StepRecord)]


def values(records) -> list[tuple]:
    return [record._replace(images_per_second=0) for record in steps(records)]  # all but the speed


@pytest.mark.slow
def test_records_in_order():
    config = tiny(training__eval_interval=3)
    records = list(Trainer(network(config), config).run(data(config), data(config, "val")))
    kinds = [type(record) for record in records]
    assert kinds == [StepRecord] * 3 + [EvaluationProgress, EvaluationRecord] + [StepRecord] + [
        EvaluationProgress,
        EvaluationRecord,
    ]
    assert [record.step for record in steps(records)] == [1, 2, 3, 4]
    assert all(record.foreground > 0 and record.gradient_norm > 0 for record in steps(records))


@pytest.mark.slow
def test_it_overfits_one_batch():
    config = tiny(training__steps=40, training__learning_rate=0.003, training__flip_probability=0)
    first = SceneData(config.scenes, 2, "train")
    records = steps(Trainer(network(config), config).run(first, data(config, "val")))
    assert sum(records[-1][1:3]) < 0.5 * sum(records[0][1:3])


@pytest.mark.slow
def test_same_seed_same_run():
    config = tiny()
    runs = [values(Trainer(network(config), config).run(data(config), data(config, "val"))) for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
@pytest.mark.parametrize("normaliser", ["image", "moving_average"])
def test_resumes_exactly(schedule, normaliser):
    config = tiny(training__schedule=schedule, loss__normaliser=normaliser, training__decay_period=0.2)
    whole = values(Trainer(network(config), config).run(data(config), data(config, "val")))
    first = Trainer(network(config), config)
    begun = values(islice(first.run(data(config), data(config, "val")), 2))
    second = Trainer(network(config, seed=99), config)
    second.restore(first.state())
    assert begun + values(second.run(data(config), data(config, "val"))) == whole


@pytest.mark.slow
def test_the_counts_of_ghm_are_resumed_exactly(tmp_path):
    """From the file of a checkpoint, as of the last completed step."""
    config = tiny(loss__kind="ghm", loss__ghm_momentum=0.9)
    whole = values(Trainer(network(config), config).run(data(config), data(config, "val")))
    first = Trainer(network(config), config)
    begun = values(islice(first.run(data(config), data(config, "val")), 2))
    save_checkpoint(tmp_path / "checkpoint.safetensors", first.state())
    second = Trainer(network(config, seed=99), config)
    second.restore(load_checkpoint(tmp_path / "checkpoint.safetensors"))
    assert begun + values(second.run(data(config), data(config, "val"))) == whole
    forgetful = Trainer(network(config, seed=99), config)
    forgetful.restore({**load_checkpoint(tmp_path / "checkpoint.safetensors"), "gradient_counts": None})
    assert begun + values(forgetful.run(data(config), data(config, "val"))) != whole


@pytest.mark.slow
def test_a_step_in_progress_leaves_the_counts_of_ghm_as_they_were():
    config = tiny(loss__kind="ghm", training__steps=2)
    trainer = Trainer(network(config), config)
    records = trainer.run(data(config), data(config, "val"))
    next(records)
    before = trainer.state()["gradient_counts"]
    seen = []
    weight = trainer.model.head["classification_head"].cls_logits.weight
    weight.register_hook(lambda _: seen.append(trainer.state()["gradient_counts"]))
    next(records)
    assert seen and torch.equal(seen[0], before) and not torch.equal(trainer.state()["gradient_counts"], before)


@pytest.mark.slow
def test_loading_processes_do_not_change_the_results():
    config = tiny()
    here, beside = (
        values(Trainer(network(config), config).run(data(config), data(config, "val"), workers=workers))
        for workers in (0, 1)
    )
    assert here == beside


@pytest.mark.slow
def test_loading_processes_end_with_a_run_that_is_left():
    """They ignore signals: any that were left over would keep Python from ending."""
    config = tiny()
    records = Trainer(network(config), config).run(data(config), data(config, "val"), workers=1)
    next(records)
    assert multiprocessing.active_children()
    kept = records.gi_frame  # as a traceback keeps it
    records.close()
    assert not multiprocessing.active_children() and kept


@pytest.mark.slow
def test_frozen_stages_stay_and_cost_nothing():
    config = tiny(model__freeze_stages=3)
    model = network(config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = Trainer(model, config)
    list(trainer.run(data(config), data(config, "val")))
    changed = {name for name, value in model.cpu().state_dict().items() if not torch.equal(value, before[name])}
    frozen = ("backbone.body.conv1", "backbone.body.bn1", "backbone.body.layer1", "backbone.body.layer2")
    assert not [name for name in changed if name.startswith(frozen)]
    assert [name for name in changed if name.startswith("backbone.body.layer3")]
    assert all(parameter.grad is None for parameter in model.backbone.body["layer2"].parameters())


@pytest.mark.slow
def test_divergence_stops_with_the_weights_before():
    config = tiny(training__warmup_steps=5, model__batch_norm="frozen")
    model = network(config)
    trainer = Trainer(model, config)
    records = trainer.run(data(config), data(config, "val"))
    next(records)
    with torch.no_grad():
        model.head["regression_head"].bbox_reg.weight.fill_(torch.nan)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(TrainingError, match=r"Step 2 diverged.*training\.learning_rate \(0\.001\)"):
        next(records)
    assert trainer.step == 1
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) or value.isnan().any(), name


@pytest.mark.slow
def test_pictures_without_objects_train():
    config = tiny(scenes__empty_share=1)
    records = steps(Trainer(network(config), config).run(data(config), data(config, "val")))
    assert all(record.box == 0 and record.foreground == 0 and record.classification > 0 for record in records)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in knobs()["loss.kind"].choices if kind != "focal"])
def test_every_loss_trains(kind):
    config = tiny(loss__kind=kind, training__steps=1, loss__box_loss="giou", loss__normaliser="batch")
    assert steps(Trainer(network(config), config).run(data(config), data(config, "val")))[0].gradient_norm > 0


@pytest.mark.slow
def test_bf16_is_near_fp32():
    one, two = (
        steps(Trainer(network(config), config).run(data(config), data(config, "val")))[0]
        for config in (tiny(training__steps=1), tiny(training__steps=1, training__precision="bf16"))
    )
    assert one.classification == pytest.approx(two.classification, rel=0.02)
    assert one.gradient_norm == pytest.approx(two.gradient_norm, rel=0.1)


@pytest.mark.slow
def test_stream_is_a_function_of_position_and_covers_each_epoch():
    config = tiny(training__scale_jitter=0.3, training__crop_probability=0.5)
    stream, again = TrainingStream(data(config), config), TrainingStream(data(config), config)
    one, other = stream[7].sample, again[7].sample
    assert torch.equal(one.image, other.image) and torch.equal(one.boxes, other.boxes)
    order = [[stream[epoch * 20 + offset].sample.image_id for offset in range(20)] for epoch in (0, 1)]
    assert [len(set(each)) for each in order] == [20, 20]
    assert order[0] != order[1]


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "reads"), [(3 * 64 * 64 * 3, 3), (3 * 64 * 64 * 3 - 1, 12)])
def test_pictures_of_a_small_data_set_are_read_once(monkeypatch, limit, reads):
    monkeypatch.setattr(samples, "MAX_KEPT_BYTES", limit)
    config = tiny(training__colour_jitter=0.5, training__crop_probability=0.5)
    read = []

    class Counted(SceneData):
        def __getitem__(self, index: int):
            read.append(index)
            return super().__getitem__(index)

    stream, plain = (TrainingStream(kind(config.scenes, 3, "train"), config) for kind in (Counted, SceneData))
    drawn = [stream[position].sample for position in range(12)]
    assert len(read) == reads and set(read) == {0, 1, 2}
    monkeypatch.setattr(samples, "MAX_KEPT_BYTES", 0)
    for position, sample in enumerate(drawn):
        expected = plain[position].sample
        assert torch.equal(sample.image, expected.image) and torch.equal(sample.boxes, expected.boxes)


def test_crowds_are_not_objects():
    config = tiny()
    sample = data(config)[0]
    crowded = sample._replace(crowd=torch.ones_like(sample.crowd))
    boxes, labels = scale_objects(crowded, torch.ones(4))
    assert len(sample.boxes) > 0 and len(boxes) == len(labels) == 0
    assert augment(crowded, config.training, torch.Generator()).crowd.all()


def test_boxes_follow_the_resized_picture():
    sample = data(tiny())[0]
    boxes, _ = scale_objects(sample, torch.tensor([0.5, 0.25, 0.5, 0.25]))
    assert torch.allclose(boxes, sample.boxes * torch.tensor([2.0, 4, 2, 4]))


def test_losses_of_a_batch_of_unequal_pictures():
    config = tiny()
    samples = [data(config)[0], data(config)[1]._replace(image=torch.zeros(3, 64, 128, dtype=torch.uint8))]
    from core.retinanet.preprocess import prepare

    batch = prepare([sample.image for sample in samples], config.inference)
    losses = batch_losses(network(config)(batch.pixels), batch, samples, config)
    assert len(losses) == 2 and all(len(each.box) == 9 * (8 * 16 + 4 * 8 + 2 * 4 + 1 * 2 + 1) for each in losses)


# Runs in folders.


@pytest.mark.slow
def test_a_run_writes_its_folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    records = list(run_training(tiny(training__eval_interval=2), "scenes", folder))
    metrics = folder.read_metrics()
    assert [line["step"] for line in metrics] == [1, 2, 2, 3, 4, 4]
    assert metrics[0]["classification"] == records[0].classification
    assert "ap50" in metrics[2]["metrics"]
    assert folder.read_status().state == FINISHED
    assert Config.from_file(folder.config).training.eval_interval == 2
    weights = load_weights(str(folder.weights))
    assert weights.class_names == SceneData.class_names and weights.architecture.fpn_channels == 32
    assert not list(folder.path.glob("*.part"))


@pytest.mark.slow
def test_a_stopped_run_resumes_exactly(tmp_path):
    whole = values(run_training(tiny(), "scenes", RunFolder(tmp_path / "whole")))
    folder = RunFolder(tmp_path / "stopped")
    records = run_training(tiny(), "scenes", folder)
    begun = values(islice(records, 2))
    records.close()
    assert folder.read_status().state == STOPPED
    rest = values(run_training(tiny(), "scenes", folder, resume=True))
    assert begun + rest == whole
    assert [line["step"] for line in folder.read_metrics()] == [1, 2, 3, 4, 4]
    assert folder.read_status().state == FINISHED


@pytest.mark.slow
def test_a_diverged_run_is_saved_as_such(tmp_path):
    folder = RunFolder(tmp_path / "run")
    wild = tiny(training__learning_rate=10, training__optimizer="sgd", training__clip_norm=0, training__steps=60)
    with pytest.raises(TrainingError, match="diverged"):
        list(run_training(wild, "scenes", folder))
    assert folder.read_status().state == DIVERGED and "learning_rate" in folder.read_status().message
    state = load_checkpoint(folder.checkpoint)
    assert state["step"] >= 1 and all(value.isfinite().all() for value in state["model"].values())


@pytest.mark.slow
def test_folders_that_cannot_be_used(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(RunError, match="not empty"):
        next(run_training(tiny(), "scenes", RunFolder(tmp_path / "full")))
    with pytest.raises(RunError, match="no checkpoint"):
        next(run_training(tiny(), "scenes", RunFolder(tmp_path / "none"), resume=True))
    (tmp_path / "full" / "checkpoint.safetensors").write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match="damaged"):
        next(run_training(tiny(), "scenes", RunFolder(tmp_path / "full"), resume=True))
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be created"):
        next(run_training(tiny(), "scenes", RunFolder(tmp_path / "file" / "run")))


@pytest.mark.slow
def test_a_run_that_raises_an_error_is_saved(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    records = run_training(tiny(), "scenes", folder)
    next(records)
    monkeypatch.setattr("core.data.sources.render_scene", lambda scenes, index: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(records)
    assert folder.read_status().state == FAILED and load_checkpoint(folder.checkpoint)["step"] >= 1


def test_an_incomplete_line_is_not_read(tmp_path):
    folder = RunFolder(tmp_path)
    folder.metrics.write_text('{"step": 1}\n{"ste')
    assert folder.read_metrics() == [{"step": 1}]


@pytest.mark.slow
def test_a_signal_stops_the_process_with_a_checkpoint(tmp_path):
    """`test_damage` sends it to processes that load pictures, too."""
    flags = [f"--{path}={value}" for path, value in {**TINY, "training.steps": 100000}.items()]
    command = [sys.executable, "-m", "core", "train", "--out", str(tmp_path / "run"), "--workers=0", *flags]
    command += ["--json", str(tmp_path / "result.json")]
    process = subprocess.Popen(command, start_new_session=True)
    folder = RunFolder(tmp_path / "run")
    while not folder.read_metrics():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(120) == 0
    assert folder.read_status().state == STOPPED and load_checkpoint(folder.checkpoint)["step"] >= 1
    assert json.loads((tmp_path / "result.json").read_text())["stopped"] is True


@pytest.mark.slow
def test_a_batch_of_one_small_picture_is_refused_before_its_step():
    config = tiny(inference__image_size=32, inference__max_image_size=32, training__batch_size=1)
    trainer = Trainer(network(config), config)
    with pytest.raises(
        TrainingError, match=r"raise training\.batch_size or inference\.image_size, or set model\.batch"
    ):
        next(trainer.run(data(config), data(config, "val")))
    assert trainer.step == 0
    frozen = config.replace({"model.batch_norm": "frozen"})
    assert next(Trainer(network(frozen), frozen).run(data(frozen), data(frozen, "val"))).step == 1
