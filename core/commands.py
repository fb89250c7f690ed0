"""What the command line does; every function takes the settings and options and returns what --json holds."""

import json
import signal
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from accelerate.utils import set_seed
from PIL import Image, ImageDraw
from tqdm import tqdm

from core.anchor_fit import collect, measure, search
from core.checkpoints import PICKLED, write_pickled
from core.comparison import as_text, parts, result, rows, run_comparison
from core.config import Config, knobs, text_of
from core.data import DataError, open_data
from core.data_commands import check, split, unpack  # noqa: F401 (found by name)
from core.detector import detect as run_detector
from core.evaluation import evaluate as run_evaluation
from core.evaluation import results_json
from core.files import OutputError, require_writable, write_text
from core.findings import Finding, findings
from core.knobs import ConfigError
from core.model import RetinaNet
from core.pictures import open_picture, to_pil
from core.presets import PRESETS
from core.processes import anywhere, make_accelerator
from core.report import USUAL_IOU, explain
from core.report_text import report_text
from core.runs import RunFolder, record_to_dict, run_training
from core.sample import Detections
from core.training import (
    EvaluationProgress,
    EvaluationRecord,
    Record,
    StepRecord,
    TrainingError,
)
from core.weights import Weights, WeightsError, adopt, build, save_weights, weights_for

IMAGES = "training.eval_images"
REFUSALS = (TrainingError, ValueError, OSError)  # every other error of core is a ValueError


def writes_files() -> bool:
    """Tells whether this process is the one, of all that train together, that writes what they found."""
    return make_accelerator().is_main_process


def train(config: Config, options: Namespace) -> dict[str, Any]:
    """Trains a detector into the folder `options.out`; a first Ctrl-C or SIGTERM stops it with a checkpoint."""
    accelerator = make_accelerator()
    result: dict[str, Any] = {"run": str(options.out), "stopped": False}
    folder = RunFolder(options.out)
    records = run_training(
        config, options.data, folder, resume=options.resume, workers=options.workers, accelerator=accelerator
    )
    with _stop_signals() as received, _bar(total=config.training.steps, show=accelerator.is_main_process) as bar:
        for record in records:
            if accelerator.is_main_process:
                _show(bar, record)
            if not isinstance(record, EvaluationProgress):
                result["evaluation" if isinstance(record, EvaluationRecord) else "step"] = record_to_dict(record)
            # A signal reaches the processes at different steps; one that went on alone would wait for the others.
            if anywhere(accelerator, bool(received)):
                result["stopped"] = True
                records.close()
                break
    return result


def compare(config: Config, options: Namespace) -> dict[str, Any]:
    """Trains the arms of a preset into sub-folders of `options.out` and prints what came of each; stops as `train`."""
    preset = PRESETS[options.preset]
    records = run_comparison(preset, options.out, seeds=options.seeds, own=config.chosen(), workers=options.workers)
    total = sum(preset.config(arm, 0, **config.chosen()).training.steps for arm in preset.arms) * options.seeds
    stopped = False
    with _stop_signals() as received, _bar(total=total, show=True) as bar:
        for part, record in records:
            if isinstance(record, StepRecord):
                bar.update()
                bar.set_postfix_str(f"{part.arm.name}, seed {part.seed}, loss {record.classification:.3f}")
            if received:
                stopped = True
                records.close()
                break
    results = [result(part) for part in parts(preset, options.out, options.seeds)]
    table = rows(results)
    print(as_text(table))
    as_dicts = [[each._asdict() for each in group] for group in (table, results)]
    return {"preset": options.preset, "stopped": stopped, "rows": as_dicts[0], "runs": as_dicts[1]}


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Collects stop signals instead of dying of them in the middle of a step."""
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bar(*, total: int, show: bool, unit: str = "step") -> tqdm:
    """A progress bar on a terminal, nothing elsewhere."""
    return tqdm(total=total, unit=unit, disable=None if show else True)


def _show(bar: tqdm, record: Record) -> None:
    if isinstance(record, StepRecord):
        bar.update(record.step - bar.n)
        bar.set_postfix(
            loss=f"{record.classification:.3f}+{record.box:.3f}", images=f"{record.images_per_second:.1f}/s"
        )
    elif isinstance(record, EvaluationRecord):
        bar.write(f"step {record.step}: AP {record.metrics.ap:.3f}, AP50 {record.metrics.ap50:.3f}")


def anchors(config: Config, options: Namespace) -> dict[str, Any]:
    """Measures how well the anchors fit a split's objects, looks for better scales and ratios, and prints both."""
    config = adopt(_whole_folder(config, options), weights_for(config))
    data = open_data(options.data, options.split, config.scenes, config.training.eval_images)
    objects = collect(data, config.inference, config.training.eval_images)
    if not len(objects.boxes):
        raise DataError(f"The {options.split} split of {options.data} has no objects that anchors could fit.")
    threshold = config.matching.fg_iou_threshold
    result: dict[str, Any] = {"objects": len(objects.boxes)}
    for name, each in (("before", config.anchors), ("after", search(objects, config.anchors, threshold))):
        fit = measure(objects, each, threshold)
        result[name] = {"scales": each.scales, "ratios": each.ratios, "recall": fit.recall, "mean_iou": fit.mean}
        flags = " ".join(f"--anchors.{key} {text_of(getattr(each, key))}" for key in ("scales", "ratios"))
        print(f"{name:7} {fit.recall:.1%} of the objects reach IoU {threshold:g}, mean {fit.mean:.3f}   {flags}")
    return result


def _whole_folder(config: Config, options: Namespace) -> Config:
    """Looks at all pictures of a folder, unless --images says how many."""
    if options.data == "scenes" or IMAGES in config.chosen():
        return config
    return config.replace({IMAGES: knobs()[IMAGES].le})


def evaluate(config: Config, options: Namespace) -> dict[str, Any]:
    """Measures the COCO figures on a split and prints them: on all of a folder, unless --images says how many.

    With --report also writes what explains them and prints what each kind of error costs.
    """
    config = _whole_folder(config, options)
    data = open_data(options.data, options.split, config.scenes, config.training.eval_images)
    config, weights, model = _load(config)
    if len(data.class_names) != model.num_classes:
        raise DataError(
            f"The data set has {len(data.class_names)} classes ({', '.join(data.class_names)}), the weights "
            f"{weights.name} {model.num_classes}: choose weights that were trained on this data."
        )
    count = min(config.training.eval_images, len(data))
    done: list[Finding] = []
    with _bar(total=count, show=True, unit="picture") as bar:
        for batch in findings(model, data, config):
            done += batch
            bar.update(len(batch))
    result = {"weights": weights.name, "data": options.data, "split": options.split, "images": count}
    found, truths = [each.found for each in done], [each.truth for each in done]
    print(f"{count} pictures, {data.dropped} boxes without area left out")
    if not options.report:
        figures = run_evaluation(found, truths, data.class_names).to_dict()
        _print_figures(figures)
        return {**result, "metrics": figures}
    names = [(each.image_id, data.name(index)) for index, each in enumerate(done)]
    iou = USUAL_IOU if options.at_iou is None else options.at_iou
    report = explain(found, truths, data.class_names, pictures=names, score=options.at_score, iou=iou)
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


def detect(config: Config, options: Namespace) -> list[dict[str, Any]]:
    """Finds objects in pictures; returns a COCO-results list, pictures numbered from 1 in the order given."""
    config, weights, model = _load(config)
    drawings = _drawings(options.pictures, options.annotate) if options.annotate else []
    results = []
    with _bar(total=len(options.pictures), show=True, unit="picture") as bar:
        for number, path in enumerate(options.pictures, start=1):
            picture = open_picture(path)
            found = run_detector(model, [picture], config)[0]
            for result in results_json([found], [number], weights.category_ids):
                results.append({**result, "file_name": path.name})
            if drawings:
                annotated(to_pil(picture), found, weights.class_names).save(drawings[number - 1])
            bar.update()
    print(f"{len(results)} detections in {len(options.pictures)} pictures")
    return results


def _drawings(pictures: Sequence[Path], folder: Path) -> list[Path]:
    """Returns where the annotated pictures go; makes the folder.

    Raises:
        OutputError: The folder cannot be made, or a picture would be replaced by its own drawing.
    """
    stems = [path.stem for path in pictures]
    if len(set(stems)) < len(stems):  # a/1.png and b/1.png: told apart by their numbers in the results
        width = len(str(len(stems)))
        stems = [f"{number:0{width}}-{stem}" for number, stem in enumerate(stems, start=1)]
    drawings = [folder / f"{stem}.png" for stem in stems]
    originals = {path.resolve() for path in pictures}
    for drawing in drawings:
        if drawing.resolve() in originals:
            raise OutputError(f"The annotated picture {drawing} would replace a picture: name another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror}.") from None
    return drawings


def annotated(picture: Image.Image, found: Detections, class_names: tuple[str, ...]) -> Image.Image:
    """Returns a copy of a picture with boxes, class names and scores drawn on it."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    for box, score, label in zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True):
        draw.rectangle(box, outline="#e69f00", width=2)
        text = f"{class_names[label]} {score:.2f}"
        corner = (box[0] + 2, max(0.0, box[1] - 11))
        draw.rectangle(draw.textbbox(corner, text), fill="#e69f00")
        draw.text(corner, text, fill="black")
    return picture


def export(config: Config, options: Namespace) -> dict[str, Any]:
    """Writes weights whose tensors torchvision's RetinaNet of the same architecture loads unchanged.

    A `.safetensors` file also holds settings and class names, for use here; a `.pth` file is the plain state dict.

    Raises:
        ConfigError: 16 bits are asked for in a `.pth` file.
    """
    pickled = options.out.suffix in PICKLED
    if pickled and options.half:
        raise ConfigError(f"--half goes with .safetensors files only, not with {options.out}.")
    require_writable(options.out)
    config, weights, model = _load(config)
    if pickled:
        write_pickled(options.out, model.state_dict())
    else:
        save_weights(options.out, model, config, weights.class_names, weights.category_ids, half=options.half)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{options.out}: {parameters:,} parameters, {model.num_classes} classes")
    return {
        "file": str(options.out),
        "classes": list(weights.class_names),
        "model": config.model.model_dump(mode="json"),
        "anchors": config.anchors.model_dump(mode="json"),
    }


def _load(config: Config) -> tuple[Config, Weights, RetinaNet]:
    """Returns the settings as the weights have them, the weights and the network, on the best device there is.

    Raises:
        WeightsError: They are those of no detector, cannot be had, or contradict the settings.
    """
    set_seed(config.training.seed)
    weights = weights_for(config)
    if weights.architecture is None:
        raise WeightsError(f"The weights {weights.name} are no detector yet: train one from them, or choose others.")
    config = adopt(config, weights)
    return config, weights, build(config, weights).to(make_accelerator().device)
