"""What the command line does to compare, one run after another or as a sweep; as in `core.cli.commands`."""

import contextlib
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from core.cli.common import progress_bar
from core.config import Config, ConfigError
from core.experiments.comparison import Row, parts, result, rows, run_comparison
from core.experiments.presets import PRESETS, Preset
from core.experiments.ray_sweep import Trials, run_sweep
from core.runs.tracking import open_tracker
from core.training.records import StepRecord
from core.training.signals import collect_stop_signals


def compare(config: Config, options: Namespace) -> dict[str, Any]:
    """Trains the arms of a preset into sub-folders of `options.out` and prints what came of each.

    With `options.ray` it is done by Ray, several at a time. A first Ctrl-C or SIGTERM stops with checkpoints.

    Raises:
        ConfigError: A tracker is to be told of what Ray's workers do.
    """
    if options.ray and options.track:
        raise ConfigError("--track does not go with --ray, whose workers train elsewhere: leave one of them out.")
    preset, own = PRESETS[options.preset], config.explicit_values()
    stopped = (_sweep if options.ray else _one_by_one)(preset, own, options)
    results = [result(part) for part in parts(preset, options.out, options.seeds)]
    table = rows(results)
    print(as_text(table, {arm.name: arm.paper for arm in preset.arms}))
    as_dicts = [[each._asdict() for each in group] for group in (table, results)]
    return {"preset": options.preset, "stopped": stopped, "rows": as_dicts[0], "runs": as_dicts[1]}


def _one_by_one(preset: Preset, own: Mapping[str, Any], options: Namespace) -> bool:
    """Returns whether it was stopped."""
    records = run_comparison(preset, options.out, seeds=options.seeds, own=own, workers=options.workers)
    total = sum(preset.config(arm, 0, **own).training.steps for arm in preset.arms) * options.seeds
    with (
        open_tracker(options.track) as told,
        collect_stop_signals() as received,
        progress_bar(total=total, show=True) as bar,
        contextlib.closing(records),
    ):
        for part, record in records:
            told.log(part.folder, record)
            if isinstance(record, StepRecord):
                bar.update()
                bar.set_postfix_str(f"{part.arm.name}, seed {part.seed}, loss {record.classification:.3f}")
            if received:
                return True
    return False


def _sweep(preset: Preset, own: Mapping[str, Any], options: Namespace) -> bool:
    """Returns whether it was stopped."""
    trials = Trials(preset, options.out, seeds=options.seeds, own=own, workers=options.workers)
    with collect_stop_signals() as received, progress_bar(total=len(trials.parts), show=True, unit="run") as bar:
        for part in run_sweep(trials, address=options.ray, stopping=lambda: bool(received)):
            bar.update()
            bar.write(f"{part.arm.name}, seed {part.seed}: {result(part).state}")
    return bool(received)


def as_text(table: Sequence[Row], paper: Mapping[str, float | None]) -> str:
    """Returns a table for a terminal.

    Args:
        table: What came of each arm.
        paper: What the paper has for it, AP in per cent.
    """
    heads = f"{'AP':>19} {'AP50':>6} {'AP75':>6} {'loss':>15} {'foreground':>10} {'images/s':>8} {'AP, paper':>9}"
    lines = [f"{'':42} {heads}"]
    for row in table:
        spread = "–" if row.ap is None else f"{row.ap:.3f} ({_figure(row.ap_low)}–{_figure(row.ap_high)})"
        loss = f"{_figure(row.first_loss, '.2f')} → {_figure(row.last_loss, '.4g')}"
        share = paper.get(row.arm)
        lines.append(
            f"{row.arm:42} {spread:>19} {_figure(row.ap50):>6} {_figure(row.ap75):>6} {loss:>15} "
            f"{_figure(row.foreground, '.1f'):>10} {_figure(row.images_per_second, '.1f'):>8} "
            f"{'–' if share is None else f'{share:.1f}%':>9}"
            + (f"  {row.failed} of {row.runs} diverged" if row.failed else "")
        )
    return "\n".join([*lines, "AP, paper: ResNet-50 (with OHEM beside it ResNet-101) on COCO, full training."])


def _figure(value: float | None, digits: str = ".3f") -> str:
    return "–" if value is None else format(value, digits)
