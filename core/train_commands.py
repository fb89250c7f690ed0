"""What the command line does to train; functions as in `core.commands`."""

import signal
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from core.command_parts import progress_bar
from core.comparison import as_text, parts, result, rows, run_comparison
from core.config import Config
from core.presets import PRESETS
from core.processes import anywhere, make_accelerator
from core.runs import RunFolder, record_to_dict, run_training
from core.tracking import tracking
from core.training import EvaluationProgress, EvaluationRecord, Record, StepRecord


def train(config: Config, options: Namespace) -> dict[str, Any]:
    """Trains a detector into the folder `options.out`; a first Ctrl-C or SIGTERM stops it with a checkpoint."""
    accelerator = make_accelerator()
    result: dict[str, Any] = {"run": str(options.out), "stopped": False}
    folder = RunFolder(options.out)
    records = run_training(
        config, options.data, folder, resume=options.resume, workers=options.workers, accelerator=accelerator
    )
    with (
        tracking(options.track) as told,
        _stop_signals() as received,
        progress_bar(total=config.training.steps, show=accelerator.is_main_process) as bar,
    ):
        for record in records:
            if accelerator.is_main_process:
                _show(bar, record)
            told.log(folder, record)
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
    with (
        tracking(options.track) as told,
        _stop_signals() as received,
        progress_bar(total=total, show=True) as bar,
    ):
        for part, record in records:
            told.log(part.folder, record)
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


def _show(bar: tqdm, record: Record) -> None:
    if isinstance(record, StepRecord):
        bar.update(record.step - bar.n)
        bar.set_postfix(
            loss=f"{record.classification:.3f}+{record.box:.3f}", images=f"{record.images_per_second:.1f}/s"
        )
    elif isinstance(record, EvaluationRecord):
        bar.write(f"step {record.step}: AP {record.metrics.ap:.3f}, AP50 {record.metrics.ap50:.3f}")
