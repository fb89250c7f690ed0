"""The commands `anchors` (how well anchors fit objects) and `evaluate` (COCO metrics of a detector)."""

import json
import math
from argparse import Namespace
from typing import Any

from core.analysis.anchor_search import Objects, collect_objects, describe_doubts, measure_fit, search_anchors
from core.analysis.image_check import measure_images
from core.analysis.size_check import join_objects
from core.cli.along import evaluate_along
from core.cli.common import (
    is_main_process,
    load_detector,
    open_split,
    print_left_out,
    progress_bar,
    settings_for_analysis,
    tell,
)
from core.config import Config, ConfigError, format_value
from core.data.dataset import DataSet, FolderData
from core.data.untrusted import DataError
from core.evaluation.coco_metrics import evaluate as run_evaluation
from core.evaluation.damage import DamagedPictures, add_damaged
from core.evaluation.dataset_predictions import ImageResult, count_images, predict_dataset
from core.evaluation.report import USUAL_IOU, Report, build_report
from core.io.atomic import write_text
from core.io.text import count_noun
from core.retinanet.model import RetinaNet
from core.weights.assumptions import to_record

MAX_WORST = 5  # pictures listed as the worst
MAX_LABEL_ERRORS = 10  # suspected errors of the labels that are listed
IMAGES = "training.eval_images"


def anchors(config: Config, options: Namespace) -> dict[str, Any]:
    """Measures how well the anchors fit the objects of a split, searches for better scales and ratios, prints both.

    They need not be those of the weights, which other anchors can only be trained from with new heads.
    """
    config, weights = settings_for_analysis(_use_whole_folder(config, options))
    if config.inference.tile_size:
        tell(
            ["anchors are fitted to objects in whole pictures, as training sees them; inference.tile_size is not used."]
        )
    data = open_split(config, options)
    objects = _collect_objects(data, config)
    if not len(objects.boxes):
        raise DataError(f"The {options.split} split of {options.data} has no objects to fit anchors to.")
    threshold = config.matching.fg_iou_threshold
    result: dict[str, Any] = {
        "objects": len(objects.boxes), "reading": data.reading, "left_out": data.left_out.to_dict()
    }  # fmt: skip
    for name, each in (("before", config.anchors), ("after", search_anchors(objects, config.anchors, threshold))):
        fit = measure_fit(objects, each, threshold)
        result[name] = {"scales": each.scales, "ratios": each.ratios, "recall": fit.recall, "mean_iou": fit.mean}
        flags = " ".join(f"--anchors.{key} {format_value(getattr(each, key))}" for key in ("scales", "ratios"))
        if weights.architecture and name == "after":
            flags += " --model.heads new"
        print(f"{name:7} {fit.recall:.1%} of the objects reach IoU {threshold:g}, mean {fit.mean:.3f}   {flags}")
    result["doubts"] = describe_doubts(objects, each)
    tell(result["doubts"])
    return result


def _collect_objects(data: DataSet, config: Config) -> Objects:
    """Returns the objects of the first images as the network sees them; those of a folder are not opened."""
    count = count_images(data, config)
    if not isinstance(data, FolderData):
        return collect_objects(data, config.inference, count)
    images = data.images[:count]
    return join_objects(measure_images(images, (image.path.name for image in images), config.inference))[0]


def _use_whole_folder(config: Config, options: Namespace) -> Config:
    """Returns settings that use all pictures of a folder, unless --images gives a number."""
    if options.data == "scenes" or IMAGES in config.explicit_values():
        return config
    return config.replace({IMAGES: 0})


def evaluate(config: Config, options: Namespace) -> dict[str, Any]:
    """Computes and prints the COCO metrics of a split; of a folder all pictures, unless --images gives a number.

    With --report it also writes a report that explains them and prints the cost of each kind of error. With --along it
    prints AP at several values of a dial of the scenes instead.

    The classes of the data set and of the weights are matched by name.

    Raises:
        DataError: The data set cannot be used, or has a class that the weights lack.
        ConfigError: --values is given without --along, or an option does not fit --along.
    """
    if options.along:
        return evaluate_along(config, options)
    if options.values:
        raise ConfigError("--values has the values of a dial of the scenes: name it with --along.")
    if not options.report:
        idle = [name for name in ("at_score", "at_iou") if getattr(options, name) is not None]
        tell(f"--{name.replace('_', '-')} does nothing without --report." for name in idle)
    config = _use_whole_folder(config, options)
    data = open_split(config, options)
    config, weights, model = load_detector(config, options.classes, or_names=data.class_names)
    damaged = DamagedPictures(count_images(data, config), strict=options.strict)
    images = _detect_all(model, weights.class_names, data, config, damaged)
    left_out = add_damaged(data.left_out, damaged.errors.values())
    used = len(images) - len(damaged.errors)
    result = {"weights": weights.name, "data": options.data, "split": options.split, "images": used}
    result |= {"reading": data.reading, "left_out": left_out.to_dict()}
    result["about_weights"] = to_record(weights, config)
    print(f"evaluated {used:,} of {count_noun(len(data), 'picture')}")
    if damaged.errors:
        print_left_out(left_out)
    if options.report:
        return {**result, "metrics": _write_report(images, data, result, options)}
    found, truths = [each.detections for each in images], [each.truth for each in images]
    metrics = run_evaluation(found, truths, data.class_names).to_dict()
    _print_metrics(metrics)
    return {**result, "metrics": metrics}


def _detect_all(
    model: RetinaNet, class_names: tuple[str, ...], data: DataSet, config: Config, damaged: DamagedPictures
) -> list[ImageResult]:
    done: list[ImageResult] = []
    with progress_bar(total=count_images(data, config), show=True, unit="picture") as bar:
        for batch in predict_dataset(model, class_names, data, config, damaged):
            done += batch
            bar.update(len(batch))
    return done


def _write_report(
    images: list[ImageResult], data: DataSet, result: dict[str, Any], options: Namespace
) -> dict[str, Any]:
    """Writes and prints the report; returns the metrics."""
    usable = [(index, each) for index, each in enumerate(images) if not each.problem]
    found, truths = [each.detections for _, each in usable], [each.truth for _, each in usable]
    names = [(each.image_id, data.image_name(index)) for index, each in usable]
    iou = USUAL_IOU if options.at_iou is None else options.at_iou
    report = build_report(
        found, truths, data.class_names, images=names, score=options.at_score, iou=iou, with_slices=True
    )
    if is_main_process():
        write_text(options.report, json.dumps({**result, **report.to_dict()}, allow_nan=False) + "\n")
    metrics = report.metrics.to_dict()
    _print_metrics(metrics)
    print(format_report(report))
    return metrics


def _print_metrics(metrics: dict[str, Any]) -> None:
    for name, value in metrics.items():
        if not isinstance(value, dict):
            print(f"{name:10} {'–' if value is None else f'{value:.3f}'}")


def format_report(report: Report) -> str:
    """Formats a report for a terminal: the cost of each kind of error, the best threshold and the worst pictures."""
    lines = ["", "kind of error   errors   AP50 if fixed"]
    for kind, cost in report.error_types.cost.items():
        change = "–" if math.isnan(cost) else f"{cost:+.3f}"
        lines.append(f"{kind:13} {len(report.error_types.select(kind)):8} {change:>15}")
    if report.best:
        score, precision, recall, f1 = report.best
        lines += ["", f"best threshold {score:.3f}: F1 {f1:.3f}, precision {precision:.3f}, recall {recall:.3f}"]
    worst = [each for each in report.images if each.f1 < 1][:MAX_WORST]
    if worst:
        lines.append(f"worst pictures at score {report.score:.3f}, IoU {report.iou:g}:")
    lines += [f"  {each.name}: {each.right} right, {each.wrong} wrong, {each.missed} missed" for each in worst]
    return "\n".join([*lines, *_format_slices(report), *_format_label_errors(report)])


def _format_slices(report: Report) -> list[str]:
    """Returns a table of AP by size, elongation, number of objects and position, none if the objects are all alike."""
    if not report.slices:
        return []
    lines = ["", f"{'objects by':24}{'from':>8}{'below':>8}{'objects':>9}{'AP':>8}{'AP50':>8}"]
    for each in report.slices:
        high = "" if math.isinf(each.high) else f"{each.high:.4g}"
        values = "".join(f"{'–' if math.isnan(value) else f'{value:.3f}':>8}" for value in (each.ap, each.ap50))
        lines.append(f"{each.quantity:24}{each.low:8.4g}{high:>8}{each.objects:9,}{values}")
    return lines


def _format_label_errors(report: Report) -> list[str]:
    """Returns lines on the likeliest errors of the labels, none if nothing is suspected."""
    errors, classes = report.label_errors, list(report.classes)
    if not errors:
        return []
    names = {each.index: each.name for each in report.images}
    lines = ["", f"{count_noun(len(errors), 'suspected error')} of the labels, the likeliest first:"]
    for each in errors[:MAX_LABEL_ERRORS]:
        box = ", ".join(f"{value:.0f}" for value in each.box)
        what = f"{each.kind}: {classes[each.label]} {each.score:.2f} at {box}"
        lines.append(f"  {names[each.image]}: {what}")
    if len(errors) > MAX_LABEL_ERRORS:
        lines.append(f"  … and {len(errors) - MAX_LABEL_ERRORS:,} more, which the file lists")
    return lines
