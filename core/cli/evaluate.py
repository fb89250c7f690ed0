"""What the command line does to measure: anchors against objects, a detector against a data set."""

import json
import math
from argparse import Namespace
from typing import Any

from core.analysis.anchor_search import collect_objects, measure_fit, search_anchors
from core.cli.common import load_detector, progress_bar, writes_files
from core.config import Config, format_value, knobs
from core.data.sources import open_data
from core.data.untrusted import DataError
from core.evaluation.coco_metrics import evaluate as run_evaluation
from core.evaluation.dataset_predictions import ImageResult, predict_dataset
from core.evaluation.report import USUAL_IOU, Report, build_report
from core.io.atomic import write_text
from core.weights.sources import adopt, weights_for

WORST = 5  # pictures that are named

IMAGES = "training.eval_images"


def anchors(config: Config, options: Namespace) -> dict[str, Any]:
    """Measures how well the anchors fit a split's objects, looks for better scales and ratios, and prints both."""
    config = adopt(_whole_folder(config, options), weights_for(config))
    data = open_data(options.data, options.split, config.scenes, config.training.eval_images)
    objects = collect_objects(data, config.inference, config.training.eval_images)
    if not len(objects.boxes):
        raise DataError(f"The {options.split} split of {options.data} has no objects that anchors could fit.")
    threshold = config.matching.fg_iou_threshold
    result: dict[str, Any] = {"objects": len(objects.boxes)}
    for name, each in (("before", config.anchors), ("after", search_anchors(objects, config.anchors, threshold))):
        fit = measure_fit(objects, each, threshold)
        result[name] = {"scales": each.scales, "ratios": each.ratios, "recall": fit.recall, "mean_iou": fit.mean}
        flags = " ".join(f"--anchors.{key} {format_value(getattr(each, key))}" for key in ("scales", "ratios"))
        print(f"{name:7} {fit.recall:.1%} of the objects reach IoU {threshold:g}, mean {fit.mean:.3f}   {flags}")
    return result


def _whole_folder(config: Config, options: Namespace) -> Config:
    """Looks at all pictures of a folder, unless --images says how many."""
    if options.data == "scenes" or IMAGES in config.explicit_values():
        return config
    return config.replace({IMAGES: knobs()[IMAGES].le})


def evaluate(config: Config, options: Namespace) -> dict[str, Any]:
    """Measures the COCO figures on a split and prints them: on all of a folder, unless --images says how many.

    With --report also writes what explains them and prints what each kind of error costs.
    """
    config = _whole_folder(config, options)
    data = open_data(options.data, options.split, config.scenes, config.training.eval_images)
    config, weights, model = load_detector(config)
    if len(data.class_names) != model.num_classes:
        raise DataError(
            f"The data set has {len(data.class_names)} classes ({', '.join(data.class_names)}), the weights "
            f"{weights.name} {model.num_classes}: choose weights that were trained on this data."
        )
    count = min(config.training.eval_images, len(data))
    done: list[ImageResult] = []
    with progress_bar(total=count, show=True, unit="picture") as bar:
        for batch in predict_dataset(model, data, config):
            done += batch
            bar.update(len(batch))
    result = {"weights": weights.name, "data": options.data, "split": options.split, "images": count}
    found, truths = [each.detections for each in done], [each.truth for each in done]
    print(f"{count} pictures, {data.dropped} boxes without area left out")
    if not options.report:
        figures = run_evaluation(found, truths, data.class_names).to_dict()
        _print_figures(figures)
        return {**result, "metrics": figures}
    names = [(each.image_id, data.image_name(index)) for index, each in enumerate(done)]
    iou = USUAL_IOU if options.at_iou is None else options.at_iou
    report = build_report(found, truths, data.class_names, images=names, score=options.at_score, iou=iou)
    if writes_files():
        write_text(options.report, json.dumps({**result, **report.to_dict()}, allow_nan=False) + "\n")
    figures = report.metrics.to_dict()
    _print_figures(figures)
    print(report_text(report))
    return {**result, "metrics": figures}


def _print_figures(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if not isinstance(value, dict):
            print(f"{name:10} {'–' if value is None else f'{value:.3f}'}")


def report_text(report: Report) -> str:
    """Returns what each kind of error costs, the best threshold and the worst pictures."""
    lines = ["", "kind of error   errors   AP50 if fixed"]
    for kind, cost in report.error_types.cost.items():
        change = "–" if math.isnan(cost) else f"{cost:+.3f}"
        lines.append(f"{kind:13} {len(report.error_types.select(kind)):8} {change:>15}")
    if report.best:
        score, precision, recall, f1 = report.best
        lines += ["", f"best threshold {score:.3f}: F1 {f1:.3f}, precision {precision:.3f}, recall {recall:.3f}"]
    worst = [each for each in report.images if each.f1 < 1][:WORST]
    if worst:
        lines.append(f"worst pictures at score {report.score:.3f}, IoU {report.iou:g}:")
    lines += [f"  {each.name}: {each.right} right, {each.wrong} wrong, {each.missed} missed" for each in worst]
    return "\n".join(lines)
