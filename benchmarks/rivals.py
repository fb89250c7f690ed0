"""Compares our RetinaNet with torchvision's RetinaNet and Faster R-CNN, on equal images, steps, rates and backbones.

`python -m benchmarks.rivals --work DIR --json assets/rivals.json`; repeat the command to resume it. Lengths that the
JSON file has from other commands stay in it: to the end of training, for example, with `--short 0 --long 8500`.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from benchmarks import torchvision_detectors as theirs
from benchmarks.clock import time_in_turn
from core.config import Config
from core.data.sources import open_data
from core.evaluation.coco_metrics import Metrics
from core.evaluation.dataset_predictions import evaluate_dataset
from core.io.atomic import write_text
from core.retinanet.predict import detect
from core.runs.folder import FINISHED, RunFolder
from core.runs.splits import TRAINING_SCENES
from core.runs.train import run_training
from core.weights.sources import adopt, build, load_weights

RECIPE = {
    "model.weights": "random",
    "loss.box_loss": "giou",
    "loss.box_weight": 2.0,
    "training.precision": "bf16",
    "training.weight_decay": 0.01,
    "training.warmup_steps": 50,
    "training.eval_interval": 0,
}
TRAINED = {
    "ours": "RetinaNet, ours",
    "retinanet": "RetinaNet, torchvision's",
    "faster_rcnn": "Faster R-CNN, torchvision's",
}
BUILTIN = "builtin"  # weights, and the detector that has them, which is not trained here
NAMES = {**TRAINED, BUILTIN: "RetinaNet, the built-in weights"}
SCENES = "scenes"  # data
THEIRS = {"retinanet": theirs.RETINANET, "faster_rcnn": theirs.FASTER_RCNN}
FIGURES = ("ap50", "ap75", "ap_small", "ap_medium", "ap_large")
TIMED = 16  # images


def main() -> None:
    """Trains the unfinished runs, prints the tables and writes them as JSON."""
    options = _parser().parse_args()
    before = json.loads(options.json.read_text("utf-8"))["groups"] if options.json and options.json.exists() else []
    groups = []
    for steps, seeds in ((options.short, options.seeds), (options.long, 1)):
        if steps:
            groups.append(_compare(steps, seeds, options))
            print(groups[-1]["title"], *map(_format_line, groups[-1]["rows"]), sep="\n")
    if options.json:
        write_text(options.json, json.dumps({"groups": merge_groups(before, groups)}, indent=1) + "\n")


def merge_groups(before: list[dict[str, Any]], groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the results of all lengths, in which later results replace earlier ones of the same title."""
    return list({each["title"]: each for each in (*before, *groups)}.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--data", default=SCENES, help="scenes, or the folder of a COCO or VOC data set")
    parser.add_argument("--detectors", nargs="+", choices=NAMES, default=list(TRAINED))
    parser.add_argument("--short", type=int, default=500, help="steps of the short runs, 0 for none")
    parser.add_argument("--seeds", type=int, default=3, help="number of short runs")
    parser.add_argument("--long", type=int, default=1500, help="steps of the long run, 0 for none")
    parser.add_argument("--images", type=int, default=500, help="maximum number of held-out images")
    parser.add_argument("--set", nargs="*", default=[], metavar="PATH=VALUE", help="further settings")
    parser.add_argument("--json", type=Path, help="write the result as JSON to this file")
    return parser


def describe_options(options: argparse.Namespace) -> str:
    """Returns the options that are not the default, but for those of length, as they are written in a command."""
    data = [] if options.data == SCENES else ["--data", options.data]
    detectors = [] if options.detectors == list(TRAINED) else ["--detectors", *options.detectors]
    return "".join(f" {each}" for each in (*data, *detectors, *(["--set", *options.set] if options.set else ())))


def _overrides(options: argparse.Namespace) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in options.set)


def _compare(steps: int, seeds: int, options: argparse.Namespace) -> dict[str, Any]:
    """Returns the results for one number of training steps."""
    configs = [_config(steps, seed, options) for seed in range(seeds)]
    seeded = {key: configs[:1] if key == BUILTIN else configs for key in options.detectors}
    runs = {key: [_train_and_evaluate(key, config, options) for config in each] for key, each in seeded.items()}
    milliseconds = _measure_milliseconds(configs[0], options)
    count = f"{seeds} seeds" if seeds > 1 else "one seed"
    data = "" if options.data == SCENES else f", {Path(options.data).name}"
    lengths = f"--short {steps} --seeds {seeds} --long 0" if seeds > 1 else f"--short 0 --long {steps}"
    further = f"--images {options.images}{describe_options(options)}"
    return {
        "title": f"{steps:,} steps of {configs[0].training.batch_size}, {count}{data}",
        "command": f"python -m benchmarks.rivals --work DIR {lengths} {further}",
        "settings": {**RECIPE, **_overrides(options)},
        "rows": [_row(key, runs[key], milliseconds[key]) for key in options.detectors],
    }


def _config(steps: int, seed: int, options: argparse.Namespace) -> Config:
    own = {"training.steps": steps, "training.seed": seed, "training.eval_images": options.images}
    return Config.from_flat({**RECIPE, **own, **_overrides(options)})


def _folder(key: str, config: Config, options: argparse.Namespace) -> Path:
    return options.work / f"{key}-{config.training.steps}-{config.training.seed}"


def _train_and_evaluate(key: str, config: Config, options: argparse.Namespace) -> dict[str, Any]:
    """Trains one detector, or continues its run, and returns its COCO metrics on the test split."""
    folder = _folder(key, config, options)
    train = open_data(options.data, "train", config.scenes, TRAINING_SCENES)
    test = open_data(options.data, "test", config.scenes, options.images)
    if key in THEIRS:
        return theirs.train(THEIRS[key], config, train, test, folder)
    finished = folder / "test.json"
    if not finished.exists():
        if key != BUILTIN:
            _train_ours(config, options.data, RunFolder(folder))
        model, class_names, adopted = _load_ours(key, config, folder)
        *_, (metrics, _) = evaluate_dataset(model, class_names, test, adopted)
        assert isinstance(metrics, Metrics)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(finished, json.dumps(metrics.to_dict()))
    return json.loads(finished.read_text("utf-8"))


def _train_ours(config: Config, data: str, run: RunFolder) -> None:
    """Trains our network from random weights, or continues its run."""
    status = run.read_status()
    if not (status and status.state == FINISHED):
        # The validation at the end is not reported, so a few images are enough.
        short = config.replace({"training.eval_images": 16})
        for _ in run_training(short, data, run, resume=run.checkpoint.exists(), workers=1):
            pass


def _load_ours(key: str, config: Config, folder: Path) -> tuple[Any, tuple[str, ...], Config]:
    """Returns our trained network, its class names and its settings."""
    weights = load_weights(BUILTIN if key == BUILTIN else str(RunFolder(folder).weights))
    adopted = adopt(config.replace({"model.heads": "loaded"}), weights)
    return build(adopted, weights), weights.class_names, adopted


def _measure_milliseconds(config: Config, options: argparse.Namespace) -> dict[str, float]:
    """Returns the milliseconds per image of each trained detector in float32, timed in turn."""
    data = open_data(options.data, "test", config.scenes, TIMED)
    images = [data[index].image for index in range(min(TIMED, len(data)))]
    works = {key: _work(key, config, images, options) for key in options.detectors}
    with torch.inference_mode():
        seconds = time_in_turn(works, repeats=7)
    return {key: 1000 * value / len(images) for key, value in seconds.items()}


def _work(key: str, config: Config, images: list[torch.Tensor], options: argparse.Namespace) -> Callable[[], object]:
    folder = _folder(key, config, options)
    if key not in THEIRS:
        model, _, adopted = _load_ours(key, config, folder)
        return lambda: [detect(model, [image], adopted) for image in images]
    data = open_data(options.data, "train", config.scenes, 1)
    network = theirs.MAKERS[THEIRS[key]](config, len(data.class_names)).eval()
    network.load_state_dict(torch.load(folder / theirs.WEIGHTS, weights_only=True))
    return lambda: [network([image.float() / 255]) for image in images]


def _row(key: str, runs: list[dict[str, Any]], milliseconds: float) -> dict[str, Any]:
    ap = [run["ap"] for run in runs]
    means = {figure: fmean(run[figure] or 0.0 for run in runs) for figure in FIGURES}
    spread = {"ap": fmean(ap), "ap_low": min(ap), "ap_high": max(ap)}
    return {"detector": NAMES[key], **spread, **means, "milliseconds": milliseconds}


def _format_line(row: dict[str, Any]) -> str:
    figures = "  ".join(f"{key} {row[key]:.3f}" for key in ("ap", "ap_low", "ap_high", *FIGURES))
    return f"  {row['detector']:28} {figures}  {row['milliseconds']:.0f} ms per image"


if __name__ == "__main__":
    main()
