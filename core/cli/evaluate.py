"""The commands `anchors` (how well anchors fit objects) and `evaluate` (COCO metrics of a detector)."""

import json
import math
from argparse import Namespace
from typing import Any

from core.analysis.anchor_search import collect_objects, measure_fit, search_anchors
from core.cli.common import is_main_process, load_detector, progress_bar
from core.config import Config, format_value, knobs
from core.data.dataset import DataSet
from core.data.sources import open_data
from core.data.untrusted import DataError
from core.evaluation.coco_metrics import evaluate as run_evaluation
from core.evaluation.dataset_predictions import ImageResult, predict_dataset
from core.evaluation.report import USUAL_IOU, Report, build_report
from core.io.atomic import write_text
from core.retinanet.model import RetinaNet
from core.weights.sources import adopt, weights_for

MAX_WORST = 5  # pictures listed as the worst
IMAGES = "training.eval_images"


def anchors(config: Config, options: Namespace) -> dict[str, Any]:
    """Measures how well the anchors fit the objects of a split, searches for better scales and ratios, prints both."""
    config = adopt(_use_whole_folder(config, options), weights_for(config))
    data = open_data(options.data, options.split, config.scenes, config.training.eval_images)
    objects = collect_objects(data, config.inference, config.training.eval_images)
    if not len(objects.boxes):
        raise DataError(f"The {options.split} split of {options.data} has no objects to fit anchors to.")
    threshold = config.matching.fg_iou_threshold
    result: dict[str, Any] = {"objects": len(objects.boxes)}
    for name, each in (("before", config.anchors), ("after", search_anchors(objects, config.anchors, threshold))):
        fit = measure_fit(objects, each, threshold)
        result[name] = {"scales": each.scales, "ratios": each.ratios, "recall": fit.recall, "mean_iou": fit.mean}
        flags = " ".join(f"--anchors.{key} {format_value(getattr(each, key))}" for key in ("scales", "ratios"))
        print(f"{name:7} {fit.recall:.1%} of the objects reach IoU {threshold:g}, mean {fit.mean:.3f}   {flags}")
    return result


def _use_whole_folder(config: Config, options: Namespace) -> Config:
    """Returns settings that use all pictures of a folder, unless --images gives a number."""
    if options.data == "scenes" or IMAGES in config.explicit_values():
        return config
    return config.replace({IMAGES: knobs()[IMAGES].le})


def evaluate(config: Config, options: Namespace) -> dict[str, Any]:
    """Computes and prints the COCO metrics of a split; of a folder all pictures, unless --images gives a number.

    With --report it also writes a report that explains them and prints the cost of each kind of error.

    Raises:
        DataError: The data set has another number of classes than the weights.
    """
    config = _use_whole_folder(config, options)
    data = open_data(options.data, options.split, config.scenes, config.training.eval_images)
    config, weights, model = load_detector(config)
    if len(data.class_names) != model.num_classes:
        raise DataError(
            f"The data set has {len(data.class_names)} classes ({', '.join(data.class_names)}), the weights "
            f"{weights.name} {model.num_classes}: choose weights that were trained on this data."
        )
    images = _detect_all(model, data, config)
    result = {"weights": weights.name, "data": options.data, "split": options.split, "images": len(images)}
    print(f"{len(images)} pictures, {data.dropped} boxes without area left out")
    if options.report:
        return {**result, "metrics": _write_report(images, data, result, options)}
    found, truths = [each.detections for each in images], [each.truth for each in images]
    metrics = run_evaluation(found, truths, data.class_names).to_dict()
    _print_metrics(metrics)
    return {**result, "metrics": metrics}


def _detect_all(model: RetinaNet, data: DataSet, config: Config) -> list[ImageResult]:
    total = min(config.training.eval_images, len(data))
    done: list[ImageResult] = []
    with progress_bar(total=total, show=True, unit="picture") as bar:
        for batch in predict_dataset(model, data, config):
            done += batch
            bar.update(len(batch))
    return done


def _write_report(
    images: list[ImageResult], data: DataSet, result: dict[str, Any], options: Namespace
) -> dict[str, Any]:
    """Writes and prints the report; returns the metrics."""
    found, truths = [each.detections for each in images], [each.truth for each in images]
    names = [(each.image_id, data.image_name(index)) for index, each in enumerate(images)]
    iou = USUAL_IOU if options.at_iou is None else options.at_iou
    report = build_report(found, truths, data.class_names, images=names, score=options.at_score, iou=iou)
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
    return "\n".join(lines)
