"""The first training samples of a run on the training step."""

import pytest
import torch

import playground.steps.augmented as module
from core.config import Config
from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.errors import PictureError
from core.runs.splits import TRAINING_SCENES
from core.structures import Sample
from core.training.samples import TrainingStream
from playground.components.thumbnails import Thumbnail, thumbnails
from playground.data.image_ref import SCENES, ImageRef
from playground.data.picture import render_picture
from playground.pipeline.pipeline import Pipeline
from playground.steps.augmented import COUNT, MAX_SECONDS, MAX_SIDE, TITLE, build_strip, estimate_seconds
from tests.playground.made_albums import albums_at, fill_album

SMALL = {"scenes.image_size": 64, "scenes.min_size": 0.3, "scenes.min_objects": 1, "scenes.max_objects": 2}
RARE = {"sampler": "repeat_factor", "repeat_threshold": 0.9}


def pipeline(image_ref: ImageRef | None = None, visitor: str = "", **changes) -> Pipeline:
    config = Config.from_flat({**SMALL, **{f"training.{name}": value for name, value in changes.items()}})
    return Pipeline(render_picture(config.scenes), config, image_ref=image_ref, visitor=visitor)


@pytest.mark.parametrize(
    "changes",
    [{}, {"mosaic_probability": 1}, {"scale_jitter": 0.5, "seed": 3}, pytest.param(RARE, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("image_ref", [None, ImageRef(SCENES, "val", 2)])
def test_it_shows_the_very_samples_of_a_run_on_scenes(image_ref, changes):
    here = pipeline(image_ref, **changes)
    stream = TrainingStream(SceneData(here.config.scenes, TRAINING_SCENES, "train"), here.config)
    samples = [stream[position].sample for position in range(COUNT)]
    words = ["1 object", *(f"{count} objects" for count in range(2, 99))]
    expected = [
        Thumbnail(f"sample {number}: {words[len(each.boxes) - 1] if len(each.boxes) else '0 objects'}", *each[:2])
        for number, each in enumerate(samples, start=1)
    ]
    assert thumbnails(TITLE, expected) in build_strip(here)


@pytest.mark.slow
def test_it_follows_the_knobs_of_augmentation_and_no_others(monkeypatch):
    strip = build_strip(pipeline())
    changes = ("flip_probability", "scale_jitter", "crop_probability", "colour_jitter", "noise_jitter")
    for name in (*changes, "mosaic_probability", "copy_paste_probability"):
        assert build_strip(pipeline(**{name: 0.5 if "jitter" in name else 1})) != strip
    assert build_strip(pipeline(**RARE)) != strip
    monkeypatch.setattr(module, "TrainingStream", None)  # nothing is computed again
    assert build_strip(pipeline()) is build_strip(pipeline(learning_rate=0.5, steps=7)) is strip


CROWDED = {"scenes.min_objects": 100, "scenes.max_objects": 100, "scenes.image_size": 1024}


def test_samples_that_would_take_minutes_are_refused_before_the_work(monkeypatch):
    monkeypatch.setattr(module, "TrainingStream", None)  # nothing is drawn
    config = Config.from_flat({**CROWDED, "training.sampler": "repeat_factor"})
    strip = build_strip(Pipeline(render_picture(Config.from_flat(SMALL).scenes), config))
    assert "<img" not in strip and "choose smaller scenes or fewer objects" in strip and "at most 6 s" in strip


def test_most_settings_are_within_the_bound_and_the_most_expensive_are_not():
    repeated = {"training.sampler": "repeat_factor"}
    combined = {"training.mosaic_probability": 0.1, "training.copy_paste_probability": 0.1}
    for changes in ({}, repeated, combined, {**repeated, **combined}, CROWDED, {**combined, "scenes.image_size": 1024}):
        assert estimate_seconds(Config.from_flat(changes), is_own=False) < MAX_SECONDS, changes
    assert estimate_seconds(Config.from_flat({**CROWDED, **repeated}), is_own=False) > 400
    assert estimate_seconds(Config.from_flat({**CROWDED, **combined}), is_own=False) > MAX_SECONDS
    assert estimate_seconds(Config.from_flat({**CROWDED, **combined}), is_own=True) < MAX_SECONDS


def test_samples_that_take_long_follow_once_the_knob_is_released(monkeypatch):
    monkeypatch.setattr(module, "QUICK_SECONDS", 0)
    changes = {"seed": 77}
    here = pipeline(**changes)
    held = Pipeline(here.picture, here.config, postpone_slow=True)
    assert "<img" not in build_strip(held) and held.has_postponed
    strip = build_strip(here)
    assert strip.count("<img") == COUNT and not here.has_postponed
    held = Pipeline(here.picture, here.config, postpone_slow=True)
    assert build_strip(held) is strip and not held.has_postponed


class Pictures(DataSet):
    """Large pictures of one object, the first of which is damaged."""

    class_names = ("cat",)

    def __len__(self) -> int:
        return 9

    def __getitem__(self, index: int) -> Sample:
        if index == 0:
            raise PictureError("The picture 0.png cannot be decoded: save it again.")
        image = torch.full((3, 300, 1024), 20 * index, dtype=torch.uint8)
        return Sample(image, torch.tensor([[100.0, 30, 200, 60]]), torch.tensor([0]), torch.tensor([False]), index)


def test_large_pictures_are_reduced_and_damaged_ones_counted(monkeypatch):
    monkeypatch.setattr(module, "open_source", lambda *_: Pictures())
    monkeypatch.setattr(module, "source_key", lambda *_: "large")
    strip = build_strip(pipeline(ImageRef("mine", "val"), flip_probability=0))
    assert strip.count("<img") == COUNT and f'viewBox="0 0 {MAX_SIDE} 75"' in strip
    assert 'd="M25.0 7.5H50.0V15.0H25.0Z"' in strip
    assert "1 picture could not be read." in strip and f"reduced to {MAX_SIDE} px" in strip


def test_pictures_that_take_long_to_open_are_opened_over_several_answers(monkeypatch):
    monkeypatch.setattr(module, "open_source", lambda *_: Pictures())
    monkeypatch.setattr(module, "source_key", lambda *_: "larger")
    monkeypatch.setattr(module, "MAX_PIXELS", 2.5 * 300 * 1024)  # three at a time
    opened = []
    monkeypatch.setattr(module, "_reduce", lambda sample: opened.append(sample.image_id) or (sample, False))
    here = pipeline(ImageRef("mine", "val"), flip_probability=0)
    for count in (3, 6):
        strip = build_strip(here)
        assert "<img" not in strip and module.TOO_LARGE in strip and len(opened) == count
    assert build_strip(here).count("<img") == COUNT and len(set(opened)) == len(opened) > 6


def test_pictures_of_ones_own_that_are_for_training(tmp_path):
    with albums_at(tmp_path / "albums"):
        album = fill_album("me", tmp_path)
        strip = build_strip(pipeline(ImageRef(album.key, "all"), "me"))
        assert strip.count("<img") == COUNT and strip.count("1 object") == 2 * COUNT
        assert "secret" not in strip and "reduced" not in strip
        assert "<img" not in build_strip(pipeline(ImageRef(album.key, "all"), "another"))


def test_what_cannot_be_read_is_one_sentence():
    strip = build_strip(pipeline(ImageRef("nothing", "val")))
    assert "<img" not in strip and strip.startswith(f"<h3>{TITLE}</h3><p>") and "nothing" in strip
