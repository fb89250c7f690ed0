"""The command `compare`: trains the variants of a preset, one after another or as a sweep with Ray."""

import contextlib
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from core.cli.common import progress_bar
from core.config import Config, ConfigError
from core.experiments.comparison import Row, plan_runs, read_result, run_comparison, summarise_variants
from core.experiments.presets import PRESETS, Preset
from core.experiments.ray_sweep import Trials, run_sweep
from core.runs.tracking import open_tracker
from core.training.records import StepRecord
from core.training.signals import collect_stop_signals


def compare(config: Config, options: Namespace) -> dict[str, Any]:
    """Trains the variants of a preset in sub-folders of `options.out` and prints their results.

    With `options.ray` Ray trains several at a time. The first Ctrl-C or SIGTERM stops the runs with checkpoints.

    Raises:
        ConfigError: Both `options.ray` and `options.track` are given.
    """
    if options.ray and options.track:
        raise ConfigError("--track cannot be combined with --ray, whose workers train elsewhere: omit one of them.")
    preset, overrides = PRESETS[options.preset], config.explicit_values()
    stopped = (_sweep if options.ray else _train_in_turn)(preset, overrides, options)
    results = [read_result(run) for run in plan_runs(preset, options.out, options.seeds)]
    table = summarise_variants(results)
    print(format_table(table, {variant.name: variant.paper for variant in preset.variants}))
    return {
        "preset": options.preset,
        "stopped": stopped,
        "rows": [row.to_dict() for row in table],
        "runs": [result.to_dict() for result in results],
    }


def _train_in_turn(preset: Preset, overrides: Mapping[str, Any], options: Namespace) -> bool:
    """Trains the variants one after another; returns True if the comparison was stopped."""
    records = run_comparison(preset, options.out, seeds=options.seeds, overrides=overrides, workers=options.workers)
    total = sum(preset.config(variant, 0, **overrides).training.steps for variant in preset.variants) * options.seeds
    with (
        open_tracker(options.track) as tracker,
        collect_stop_signals() as received,
        progress_bar(total=total, show=True) as bar,
        contextlib.closing(records),
    ):
        for run, record in records:
            tracker.log(run.folder, record)
            if isinstance(record, StepRecord):
                bar.update()
                bar.set_postfix_str(f"{run.variant.name}, seed {run.seed}, loss {record.classification:.3f}")
            if received:
                return True
    return False


def _sweep(preset: Preset, overrides: Mapping[str, Any], options: Namespace) -> bool:
    """Trains the variants with Ray; returns True if the sweep was stopped."""
    trials = Trials(preset, options.out, seeds=options.seeds, overrides=overrides, workers=options.workers)
    with (
        collect_stop_signals() as received,
        progress_bar(total=len(trials.runs), show=True, unit="run") as bar,
    ):
        for run in run_sweep(trials, address=options.ray, stopping=lambda: bool(received)):
            bar.update()
            bar.write(f"{run.variant.name}, seed {run.seed}: {read_result(run).state}")
    return bool(received)


def format_table(table: Sequence[Row], paper: Mapping[str, float | None]) -> str:
    """Formats the results of a comparison as a table for a terminal.

    Args:
        table: Results of each variant.
        paper: AP in per cent of each variant in the paper, by name.
    """
    heads = f"{'AP':>19} {'AP50':>6} {'AP75':>6} {'loss':>15} {'foreground':>10} {'images/s':>8} {'AP, paper':>9}"
    lines = [f"{'':42} {heads}"]
    for row in table:
        spread = "–" if row.ap is None else f"{row.ap:.3f} ({_number(row.ap_low)}–{_number(row.ap_high)})"
        loss = f"{_number(row.first_loss, '.2f')} → {_number(row.last_loss, '.4g')}"
        paper_ap = paper.get(row.variant)
        lines.append(
            f"{row.variant:42} {spread:>19} {_number(row.ap50):>6} {_number(row.ap75):>6} {loss:>15} "
            f"{_number(row.foreground, '.1f'):>10} {_number(row.images_per_second, '.1f'):>8} "
            f"{'–' if paper_ap is None else f'{paper_ap:.1f}%':>9}"
            + (f"  {row.failed} of {row.runs} diverged" if row.failed else "")
        )
    note = "AP, paper: ResNet-50 on COCO, full training schedule (ResNet-101 in the comparison with OHEM)."
    return "\n".join([*lines, note])


def _number(value: float | None, digits: str = ".3f") -> str:
    return "–" if value is None else format(value, digits)
