"""Measures the recipe for few pictures: AP50 by the number of training pictures, and by the seconds of a run.

`python -m benchmarks.few_pictures --data DIR --work DIR`; repeat the command to resume it. Each run is a process of
`core train --recipe few-pictures`, on training pictures that `convert --pictures` draws with the seed of the run. Its
seconds are those of the whole process, from its start to its saved weights. These weights are evaluated once, on all
pictures of the split `--split`.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from core.config import Config
from core.data.sources import open_data
from core.data.writers.convert import convert_data_set
from core.evaluation.coco_metrics import Metrics
from core.evaluation.dataset_predictions import evaluate_dataset
from core.experiments.recipes import FEW_PICTURES, RECIPES
from core.io.atomic import write_text
from core.runs.folder import RunFolder
from core.weights.sources import adopt, build, weights_for

PICTURES = 20  # of the runs that differ in seconds
RESULT = "result.json"  # in the folder of a run


class Result(NamedTuple):
    """What one run has reached.

    Attributes:
        steps: Number of steps.
        seconds: Seconds of the process, from its start to its end.
        cpu_seconds: Its processor time, of all cores together.
        step_seconds: Median seconds of a step.
        ap: AP of the weights that it kept.
        ap50: Their AP50.
        ending: How it ended, see `Trainer.ending`.
    """

    steps: int
    seconds: float
    cpu_seconds: float
    step_seconds: float
    ap: float
    ap50: float
    ending: str


def main() -> None:
    """Trains the runs that are missing, and prints a row for each number of pictures and of seconds."""
    options = _parse()
    results: dict[str, list[Result]] = {}
    own = RECIPES[FEW_PICTURES].changes["training.steps"]
    plan = {f"{count} pictures": [(count, own, seed) for seed in range(options.seeds)] for count in options.pictures}
    for title, runs in plan.items():
        results[title] = [_run(options, *each) for each in runs]
        _print_row(title, results[title])
    budgets = {f"{steps} steps": steps for steps in options.steps}
    if options.seconds and not options.steps:
        budgets = dict(_choose_steps(_run(options, PICTURES, own, 0), options.seconds))
    for title, steps in budgets.items():
        results[title] = [_run(options, PICTURES, steps, seed) for seed in range(options.seeds)]
        _print_row(title, results[title])
    if options.json:
        table = {title: [each._asdict() for each in runs] for title, runs in results.items()}
        write_text(options.json, json.dumps({"split": options.split, "rows": table}, indent=1) + "\n")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of a data set with splits")
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--split", default="test", help="the split that AP50 is measured on: val, or test (default)")
    parser.add_argument("--pictures", type=_numbers, default=(5, 10, 20, 40), help="numbers of training pictures")
    parser.add_argument("--seconds", type=_numbers, default=(15, 30, 60, 120), help=f"of runs on {PICTURES} pictures")
    parser.add_argument("--steps", type=_numbers, default=(), help="use these numbers of steps instead of --seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--weights", default="builtin")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _choose_steps(reference: Result, budgets: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Yields budgets in seconds, as titles, with the number of steps that fit; prints the times they follow from."""
    fixed = reference.seconds - reference.steps * reference.step_seconds
    print(f"A step takes {reference.step_seconds:.2f} s, all else {fixed:.1f} s.", flush=True)
    for seconds in budgets:
        if (steps := int((seconds - fixed) / reference.step_seconds)) > 0:
            yield f"{seconds} s", steps
        else:
            print(f"{seconds} s: no time for a step")


def _run(options: argparse.Namespace, pictures: int, steps: int, seed: int) -> Result:
    """Trains and evaluates one run, unless that has been done."""
    data = options.work / f"{pictures}-pictures-seed-{seed}"
    if not data.exists():
        options.work.mkdir(parents=True, exist_ok=True)
        convert_data_set(options.data, "coco", data, pictures=pictures, seed=seed)
    folder = RunFolder(options.work / f"{Path(options.weights).stem}-{pictures}-pictures-{steps}-steps-seed-{seed}")
    stored = folder.path / RESULT
    if not stored.exists():
        write_text(stored, json.dumps(_train(options, data, folder, steps, seed)._asdict()) + "\n")
    return Result(**json.loads(stored.read_text("utf-8")))


def _train(options: argparse.Namespace, data: Path, folder: RunFolder, steps: int, seed: int) -> Result:
    command = [sys.executable, "-m", "core", "train", "--data", str(data), "--out", str(folder.path)]
    command += ["--recipe", FEW_PICTURES, "--weights", options.weights]
    command += ["--steps", str(steps), "--training.seed", str(seed)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    metrics = _evaluate(options, data, folder)
    records, status = folder.read_records()[0], folder.read_status()
    batch = Config.from_file(folder.config).training.batch_size
    return Result(
        steps=len(records),
        seconds=seconds,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        step_seconds=median(batch / record["images_per_second"] for record in records),
        ap=metrics.ap,
        ap50=metrics.ap50,
        ending=status.message if status else "",
    )


def _evaluate(options: argparse.Namespace, data: Path, folder: RunFolder) -> Metrics:
    """Evaluates the weights of a run on all pictures of the split."""
    changes = {"model.weights": str(folder.weights), "training.eval_images": 0}
    config = Config.from_flat(changes)
    weights = weights_for(config)
    config = adopt(config, weights)
    split = open_data(str(data), options.split, config.scenes, 1)
    *_, (metrics, _) = evaluate_dataset(build(config, weights), weights.class_names, split, config)
    assert isinstance(metrics, Metrics)
    return metrics


def _print_row(title: str, results: Sequence[Result]) -> None:
    ap50 = [result.ap50 for result in results]
    spread = f" ({min(ap50):.3f}–{max(ap50):.3f})" if len(ap50) > 1 else ""
    seconds, cpu = (
        fmean(each) for each in zip(*((result.seconds, result.cpu_seconds) for result in results), strict=True)
    )
    steps = ", ".join(str(result.steps) for result in results)
    print(
        f"{title:12} AP50 {fmean(ap50):.3f}{spread}, AP {fmean(result.ap for result in results):.3f}; "
        f"{steps} steps, {seconds:.0f} s, {cpu:.0f} CPU s",
        flush=True,
    )


if __name__ == "__main__":
    main()
