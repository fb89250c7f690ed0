"""Average precision along a dial of the scenes: `evaluate --along`."""

import math
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from core.cli.common import load_detector, progress_bar, tell
from core.config import Config, ConfigError
from core.evaluation.dataset_predictions import predict_dataset
from core.evaluation.slices.along_dial import (
    MOST_COUNT,
    Curve,
    choose_values,
    curve_to_dict,
    dial_knob,
    list_rare_classes,
    measure_point,
    open_scenes,
    set_dial,
)

# Options that have to keep their defaults, which are these.
WITHOUT = (("data", "scenes"), ("report", None), ("at_score", None), ("at_iou", None))


def evaluate_along(config: Config, options: Namespace) -> dict[str, Any]:
    """Evaluates a detector on the scenes of a split at several values of a dial, and prints AP at each.

    Raises:
        ConfigError: There is no such dial, it cannot have a value, or an option does not fit.
    """
    for name, usual in WITHOUT:
        if getattr(options, name) != usual:
            raise ConfigError(
                f"--along is for rendered scenes and prints a table: leave out --{name.replace('_', '-')}."
            )
    path = dial_knob(options.along).path
    if path in config.explicit_values():
        tell([f"--{path} does nothing beside --along, which sets it."])
    values = _read_values(config, options)
    settings = [set_dial(config, options.along, value) for value in values]
    rare = list_rare_classes(config, options.along, values)
    loaded, weights, model = load_detector(config, options.classes, or_names=open_scenes(config).class_names)
    points = []
    with progress_bar(total=len(values) * config.training.eval_images, show=True, unit="picture") as bar:
        for value, each in zip(values, settings, strict=True):
            scenes = open_scenes(each, options.split)
            images = []
            for batch in predict_dataset(model, weights.class_names, scenes, loaded):
                images += batch
                bar.update(len(batch))
            points.append(measure_point(value, images, scenes.class_names, rare))
    curve = Curve(options.along, rare, tuple(points))
    print(format_curve(curve))
    return {"weights": weights.name, "split": options.split, **curve_to_dict(curve)}


def _read_values(config: Config, options: Namespace) -> Sequence[float]:
    if not options.values:
        return choose_values(config, options.along)
    if len(options.values) > MOST_COUNT:
        raise ConfigError(f"--values has {len(options.values)} values, and a curve has at most {MOST_COUNT}.")
    return sorted(set(options.values))


def format_curve(curve: Curve) -> str:
    """Formats a curve as a table, with the AP of rare classes if there are any."""
    head = f"{dial_knob(curve.dial).path:20}{'pictures':>9}{'objects':>9}{'AP':>8}{'AP50':>8}"
    lines = [head + (f"{'rare AP':>9}{'rare objects':>14}" if curve.rare else "")]
    for each in curve.points:
        line = f"{each.value:<20.6g}{each.pictures:9,}{each.objects:9,}{_format(each.ap):>8}{_format(each.ap50):>8}"
        lines.append(line + (f"{_format(each.rare_ap):>9}{each.rare_objects:14,}" if curve.rare else ""))
    if curve.rare:
        lines.append(f"rare: {', '.join(curve.rare)}, of which less than a tenth as many as of the most frequent class")
        lines.append("are expected at one of the values.")
    return "\n".join(lines)


def _format(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
