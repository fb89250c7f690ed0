"""The command `train`."""

import math
from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from typing import Any

from tqdm import tqdm

from core.cli.common import is_main_process, print_left_out, print_reading, progress_bar, tell
from core.config import Config, format_value, knobs
from core.data.left_out import OTHER_SIZE, UNREADABLE
from core.evaluation.dataset_predictions import count_images
from core.experiments.recipes import MIN_HELD_OUT, RECIPES, list_overridden
from core.io.text import count_noun
from core.runs.folder import RunFolder
from core.runs.metrics import record_to_dict
from core.runs.overfitting import describe_overfitting
from core.runs.splits import OpenedData
from core.runs.tracking import open_tracker
from core.runs.train import Listeners, run_training
from core.training.distributed import is_true_anywhere, make_accelerator
from core.training.records import EvaluationProgress, EvaluationRecord, Record, StepRecord
from core.training.signals import collect_stop_signals


def train(config: Config, options: Namespace) -> dict[str, Any]:
    """Trains a detector in the folder `options.out`; the first Ctrl-C or SIGTERM stops it with a checkpoint."""
    accelerator = make_accelerator()
    if options.recipe:
        _print_recipe(options.recipe, config)
    result: dict[str, Any] = {"run": str(options.out), "stopped": False}
    folder = RunFolder(options.out)
    records = run_training(
        config,
        options.data,
        folder,
        resume=options.resume,
        workers=options.workers,
        accelerator=accelerator,
        format=options.format,
        strict=options.strict,
        recipe=options.recipe,
        listeners=Listeners(partial(_print_data, config), tell),
    )
    with (
        open_tracker(options.track) as tracker,
        collect_stop_signals() as received,
        progress_bar(total=config.training.steps, show=accelerator.is_main_process) as bar,
    ):
        for record in records:
            if accelerator.is_main_process:
                _update_bar(bar, record)
            tracker.log(folder, record)
            if not isinstance(record, EvaluationProgress):
                result["evaluation" if isinstance(record, EvaluationRecord) else "step"] = record_to_dict(record)
            # A signal reaches the processes at different steps, but all of them have to stop at the same one.
            if is_true_anywhere(accelerator, bool(received)):
                result["stopped"] = True
                records.close()
                break
    if accelerator.is_main_process:
        result |= _print_damage(folder)
        if (status := folder.read_status()) and status.message:
            print(status.message)
        if overfits := describe_overfitting(*folder.read_records(), Config.from_file(folder.config).training):
            print(overfits)
    return result


def _print_recipe(name: str, config: Config) -> None:
    """Prints the settings of a recipe, and which of them are replaced."""
    if not is_main_process():
        return
    recipe, replaced = RECIPES[name], list_overridden(name, config)
    print(f"Recipe {name}, {recipe.title}: {_list_settings(recipe.changes)}.")
    if replaced:
        print(f"Your settings instead: {_list_settings(replaced)}.")


def _list_settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {format_value(value)}" for path, value in values.items())


def _print_data(config: Config, data: OpenedData) -> None:
    """Prints how the data was read, what was left out, and how many validation pictures evaluations use."""
    print_reading(data.reading, data.splits.train.left_out)
    if not data.reading or not is_main_process():
        return
    count, total = count_images(data.splits.validation, config), len(data.splits.validation)
    if count < total:
        print(f"Evaluations use the first {count:,} of {total:,} validation pictures; --images 0 uses all.")
    if knobs()["training.early_stopping"].acts(config) and config.training.early_stopping and count < MIN_HELD_OUT:
        print(
            f"The held-out loss of {count_noun(count, 'picture')} is too noisy to stop a run by: "
            "--training.early_stopping 0 lets it go to its end."
        )


def _print_damage(folder: RunFolder) -> dict[str, Any]:
    """Prints the pictures left out during training; returns the reading and the left-out counts for the result."""
    about = folder.read_about()
    if about.left_out.counts.keys() & {UNREADABLE, OTHER_SIZE}:
        print_left_out(about.left_out)
    return {"reading": about.reading, "left_out": about.left_out.to_dict()}


def _update_bar(bar: tqdm, record: Record) -> None:
    if isinstance(record, StepRecord):
        bar.update(record.step - bar.n)
        bar.set_postfix(
            loss=f"{record.classification:.3f}+{record.box:.3f}", images=f"{record.images_per_second:.1f}/s"
        )
    elif isinstance(record, EvaluationRecord):
        rare = f"AP of rare classes {record.rare_ap:.3f}, " if math.isfinite(record.rare_ap) else ""
        bar.write(
            f"step {record.step}: AP {record.metrics.ap:.3f}, AP50 {record.metrics.ap50:.3f}, {rare}"
            f"held-out loss {record.losses.classification:.3f}+{record.losses.box:.3f}"
        )
