"""Damaged pictures do not stop training: they are replaced, counted and listed."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest
import torch

from core.cli.main import main
from core.config import Config
from core.data.dataset import DataSet
from core.data.left_out import UNREADABLE
from core.data.untrusted import DataError
from core.errors import PictureError
from core.evaluation.damage import DamagedPictures
from core.retinanet.model import build_model
from core.runs.checkpoint import load_checkpoint
from core.runs.folder import RunFolder
from core.structures import Sample
from core.training.distributed import make_accelerator
from core.training.loading import load_batches
from core.training.records import StepRecord, TrainingError
from core.training.samples import MAX_IN_A_ROW, Drawn, TrainingStream
from core.training.trainer import Trainer
from tests.core import made_data
from tests.core.tiny import TINY, tiny


class Pictures(DataSet):
    """Pictures of one object each, of which some are damaged."""

    class_names = ("cat",)

    def __init__(self, count: int, damaged: tuple[int, ...] = ()) -> None:
        self.count, self.damaged = count, damaged

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        if index in self.damaged:
            raise PictureError(f"The picture {index}.png cannot be decoded: save it again.")
        image = torch.full((3, 64, 64), index * 8, dtype=torch.uint8)
        return Sample(image, torch.tensor([[8.0, 8, 40, 40]]), torch.tensor([0]), torch.tensor([False]), index)


def config(**changes) -> Config:
    return tiny(training__flip_probability=0, training__eval_interval=0, **changes)


def ids(stream: TrainingStream, count: int) -> list[int]:
    return [drawn.sample.image_id for position in range(count) if (drawn := stream[position]).sample]


def test_a_damaged_picture_is_replaced_by_the_next_of_the_epoch():
    whole, less = ids(TrainingStream(Pictures(9), config()), 18), ids(TrainingStream(Pictures(9, (4,)), config()), 18)
    assert len(less) == 18 and 4 not in less
    for epoch in (whole[:9], whole[9:]):
        position = epoch.index(4)
        expected = [*epoch]
        expected[position] = epoch[(position + 1) % 9]
        assert expected in (less[:9], less[9:])


def test_the_errors_met_come_with_the_sample():
    drawn = [TrainingStream(Pictures(6, (1, 2)), config())[position] for position in range(6)]
    assert {index for each in drawn for index, _ in each.errors} == {1, 2}
    assert {str(error)[:17] for each in drawn for _, error in each.errors} == {"The picture 1.png", "The picture 2.png"}
    assert TrainingStream(Pictures(6), config())[0].errors == ()


def test_a_damaged_picture_has_no_objects_to_count():
    assert Pictures(6, (1, 2)).class_counts.tolist() == [4]


def test_the_search_for_a_usable_picture_ends():
    drawn = TrainingStream(Pictures(5, tuple(range(5))), config())[0]
    assert drawn.sample is None and len(drawn.errors) == 5
    many = TrainingStream(Pictures(10_000, tuple(range(10_000))), config())[0]
    assert many == Drawn(None, many.errors) and len(many.errors) == MAX_IN_A_ROW


def load(data: DataSet, settings: Config, *, workers: int = 0, strict: bool = False) -> tuple[list[list[int]], dict]:
    damaged = DamagedPictures(len(data), strict=strict)
    batches = load_batches(data, settings, make_accelerator(), damaged, workers=workers)
    return [[sample.image_id for sample in batch] for batch in batches], damaged.errors


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_batches_stay_full_and_the_same_with_any_number_of_processes(workers):
    settings = config(training__batch_size=4, training__steps=6)
    batches, errors = load(Pictures(10, (0, 5, 9)), settings, workers=workers)
    assert [len(batch) for batch in batches] == [4] * 6
    assert sorted(errors) == [0, 5, 9]
    assert batches == load(Pictures(10, (0, 5, 9)), settings)[0]


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_errors_of_loading_processes_are_those_of_this_one(workers):
    settings = config(training__batch_size=4, training__steps=6)
    with pytest.raises(PictureError, match=r"^The picture \d\.png cannot be decoded: save it again\.$"):
        load(Pictures(10, (0, 1, 2, 3)), settings, workers=workers, strict=True)
    with pytest.raises(DataError, match=r"^6 of 10 pictures cannot be used: correct them, .*save it again\.$"):
        load(Pictures(10, tuple(range(6))), settings, workers=workers)
    with pytest.raises(DataError, match=r"^50 pictures in a row cannot be used: "):
        load(Pictures(1000, tuple(range(1000))), settings, workers=workers)


class Killed(Pictures):
    def __getitem__(self, index: int) -> Sample:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


@pytest.mark.slow
def test_a_killed_loading_process_is_one_sentence():
    with pytest.raises(TrainingError, match=r"^A process that loads pictures was killed, .*: use fewer --workers\.$"):
        load(Killed(10), config(), workers=1)


def network(settings: Config):
    torch.manual_seed(0)
    return build_model(settings.model, num_classes=1, anchors_per_location=settings.anchors.per_location)


@pytest.mark.slow
@pytest.mark.parametrize("cache", [0, 100])
def test_training_with_damaged_pictures_resumes_exactly(cache):
    settings = config(training__steps=6, training__batch_size=2, training__cache_features=cache, model__freeze_stages=5)
    train, val = Pictures(5, (1, 3)), Pictures(4, (0,))

    def losses(records) -> list[tuple]:
        return [record._replace(images_per_second=0) for record in records if isinstance(record, StepRecord)]

    trainer = Trainer(network(settings), settings)
    whole = losses(trainer.run(train, val))
    assert {split: sorted(each.errors) for split, each in trainer.damaged.items()} == {"train": [1, 3], "val": [0]}
    first, second = Trainer(network(settings), settings), Trainer(network(settings), settings)
    begun = losses(islice(first.run(train, val), 2))
    second.restore(first.state())
    assert begun + losses(second.run(train, val)) == whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of ten pictures per split, one of each damaged."""
    for split in ("train", "val"):
        images = [{"id": n, "file_name": f"{split}{n}.png", "width": 40, "height": 30} for n in range(10)]
        boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [4, 4, 20, 20]} for n in range(10)]
        content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}]}
        made_data.coco(tmp_path / "data", content, split)
        for image in images:
            made_data.picture(tmp_path / "data" / "images" / image["file_name"])
        bad = tmp_path / "data" / "images" / f"{split}0.png"
        bad.write_bytes(bad.read_bytes()[:60])
    for name in ("a.png", "b.png"):
        (tmp_path / "data" / "images" / name).unlink()
    return tmp_path / "data"


def train(folder: Path, run: Path, *more: str) -> int:
    settings = {**TINY, "training.steps": 10, "training.eval_interval": 0, "training.eval_images": 0}
    flags = [f"--{path}={value}" for path, value in settings.items()]
    return main(["train", "--data", str(folder), "--out", str(run), "--workers=0", *flags, *more])


@pytest.mark.slow
def test_a_run_counts_damaged_pictures_in_its_record(folder, tmp_path, capsys):
    assert train(folder, tmp_path / "run") == 0
    about = RunFolder(tmp_path / "run").read_about()
    assert about.left_out.counts == {UNREADABLE: 2} and (about.format, about.strict) == ("", False)
    assert ["train0.png" in each for each in about.left_out.examples[UNREADABLE]] == [True, False]
    assert "Left out: 2 pictures that cannot be opened" in capsys.readouterr().out
    assert train(folder, tmp_path / "run", "--resume", "--steps", "11") == 0
    assert RunFolder(tmp_path / "run").read_about().left_out.counts == {UNREADABLE: 2}


@pytest.mark.slow
def test_strict_refuses_the_first_damaged_picture_and_the_run_remembers_it(folder, tmp_path, capsys):
    assert train(folder, tmp_path / "run", "--strict") == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: The picture ") and "train0.png cannot be decoded" in error
    assert RunFolder(tmp_path / "run").read_about().strict
    assert train(folder, tmp_path / "run", "--resume") == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_processes_stops_a_run_cleanly(folder, tmp_path, number):
    flags = [f"--{path}={value}" for path, value in {**TINY, "training.steps": 100_000}.items()]
    command = [sys.executable, "-m", "core", "train", "--data", folder, "--out", tmp_path / "run", "--workers=1"]
    command += ["--json", tmp_path / "result.json"]
    process = subprocess.Popen([*command, *flags], stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 120
    run = RunFolder(tmp_path / "run")
    while not run.read_metrics() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0 and "Traceback" not in errors
    assert run.read_status().state == "stopped" and load_checkpoint(run.checkpoint)["step"] >= 1
    assert json.loads((tmp_path / "result.json").read_text())["stopped"] is True
