"""Average precision along a dial of the scenes: the same scenes, drawn anew with that one setting at several values.

A scene is drawn from a seed and an index, with a stream of random numbers for each of its parts, so the scenes at two
values of the noise have the same objects at the same places.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.config import Config, ConfigError, Knob, knobs
from core.data.sources import SceneData
from core.evaluation.coco_metrics import evaluate, measure_classes
from core.evaluation.dataset_predictions import ImageResult

SEED = "seed"  # the one setting of the scenes that is no property of theirs
USUAL_COUNT, MOST_COUNT = 5, 12  # values of a curve


class Point(NamedTuple):
    """How well objects are found at one value of a dial.

    Attributes:
        value: The value.
        pictures: Number of scenes.
        objects: Number of their objects.
        ap: Average precision, mean over IoU 0.50:0.05:0.95 and classes; NaN without objects.
        ap50: Average precision at IoU 0.5.
        rare_objects: Number of the objects of `Curve.rare` classes.
        rare_ap: Mean AP of those of these classes that have objects; NaN if none has.
    """

    value: float
    pictures: int
    objects: int
    ap: float
    ap50: float
    rare_objects: int
    rare_ap: float


class Curve(NamedTuple):
    """Average precision along a dial.

    Attributes:
        dial: The dial, one of `SCENE_DIALS`.
        rare: The classes that are rare at one of the values at least, see `DataSet.rare_classes`.
        points: By rising value.
    """

    dial: str
    rare: tuple[str, ...]
    points: tuple[Point, ...]

    @property
    def pictures(self) -> int:
        """Number of scenes of all points."""
        return sum(each.pictures for each in self.points)


def _list_dials() -> tuple[str, ...]:
    return tuple(each.name for each in knobs().values() if each.section == "scenes" and each.name != SEED)


SCENE_DIALS = _list_dials()


def dial_knob(dial: str) -> Knob:
    """Returns the declaration of a dial.

    Raises:
        ConfigError: There is no such dial.
    """
    if dial not in SCENE_DIALS:
        raise ConfigError(f"The scenes have no dial {dial[:50]!r}: choose one of {', '.join(SCENE_DIALS)}.")
    return knobs()[f"scenes.{dial}"]


def set_dial(config: Config, dial: str, value: float) -> Config:
    """Returns settings with the dial at a value; raises `ConfigError` if it cannot have that beside the others."""
    return config.replace({dial_knob(dial).path: value})


def find_limits(config: Config, dial: str) -> tuple[float, float]:
    """Returns the lowest and the highest value that a dial can have beside the other settings of the scenes."""
    knob = dial_knob(dial)
    kind, _, of = dial.partition("_")
    low, high = knob.ge or 0.0, knob.le or 0.0
    if kind == "min" and f"max_{of}" in SCENE_DIALS:
        high = getattr(config.scenes, f"max_{of}")
    if kind == "max" and f"min_{of}" in SCENE_DIALS:
        low = max(low, getattr(config.scenes, f"min_{of}"))
    return low, high


def space_values(config: Config, dial: str, low: float, high: float, count: int) -> tuple[float, ...]:
    """Returns values between two bounds, both among them, as evenly as the steps of the dial allow.

    Args:
        config: The settings, whose other scene dials bound this one.
        dial: One of `SCENE_DIALS`.
        low: The lowest value; it is raised to the lowest possible one, and to a whole number if the dial has only
            these.
        high: The highest value; it is lowered to the highest possible one, and likewise.
        count: How many values, at most `MOST_COUNT`; there are fewer if the steps of the dial are too large for so
            many.
    """
    knob, (least, most) = dial_knob(dial), find_limits(config, dial)
    low, high = (float(min(max(each, least), most)) for each in (low, high))
    if knob.kind == "int":  # bounds come from links, too
        low, high = float(math.ceil(low)), float(math.floor(high))
    step = float(knob.step or 1)
    inner = np.linspace(low, high, min(count, MOST_COUNT))[1:-1]
    rounded = (round(round(float(value) / step) * step, 6) for value in inner)
    return tuple(sorted({value for value in (low, *rounded, high) if low <= value <= high}))


def choose_values(config: Config, dial: str) -> tuple[float, ...]:
    """Returns `USUAL_COUNT` values over all that a dial can have beside the other settings."""
    return space_values(config, dial, *find_limits(config, dial), USUAL_COUNT)


def list_rare_classes(config: Config, dial: str, values: Sequence[float]) -> tuple[str, ...]:
    """Returns the classes that are rare in the scenes at one of the values at least, in the order of the classes."""
    rare = {name for value in values for name in open_scenes(set_dial(config, dial, value)).rare_classes}
    return tuple(name for name in SceneData.class_names if name in rare)


def open_scenes(config: Config, split: str = "val") -> SceneData:
    """Returns the scenes of the settings, as many as `training.eval_images` asks for; raises `DataError` for none."""
    return SceneData(config.scenes, config.training.eval_images, split)


def measure_point(value: float, images: Sequence[ImageResult], names: Sequence[str], rare: Sequence[str]) -> Point:
    """Returns how well objects are found at a value of the dial.

    Args:
        value: The value.
        images: The detections and the objects of the scenes.
        names: The names of their classes.
        rare: The classes of `Point.rare_ap`.
    """
    truths = [each.truth for each in images]
    metrics = evaluate([each.detections for each in images], truths, names)
    counts = sum((np.bincount(each.labels.numpy(), minlength=len(names)) for each in truths), np.zeros(len(names), int))
    rare_objects = sum(int(count) for name, count in zip(names, counts, strict=True) if name in rare)
    rare_ap = measure_classes(rare, metrics) if rare else math.nan
    return Point(value, len(images), int(counts.sum()), metrics.ap, metrics.ap50, rare_objects, rare_ap)


def curve_to_dict(curve: Curve) -> dict[str, object]:
    """Returns a curve as plain values for JSON, with None for NaN."""
    points = [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in each._asdict().items()
        }
        for each in curve.points
    ]
    return {"dial": dial_knob(curve.dial).path, "rare_classes": list(curve.rare), "points": points}
