"""The command `find-lr`."""

from argparse import Namespace
from typing import Any

from core.cli.common import print_reading, progress_bar, tell
from core.config import Config
from core.runs.range_test import find_rates
from core.runs.splits import OpenedData
from core.runs.train import Listeners
from core.training.distributed import is_true_anywhere, make_accelerator
from core.training.rate_finder import STEPS, RateCurve, conclude, describe_rates
from core.training.records import StepRecord
from core.training.signals import collect_stop_signals

EVERY = 5  # steps from row to row
WIDTH = 40  # characters of the bar of the first step
LONGEST = 48  # characters; longer bars, of a loss that explodes, are cut


def find_lr(config: Config, options: Namespace) -> dict[str, Any]:
    """Tests learning rates and prints the loss at each with a suggestion; Ctrl-C or SIGTERM ends the test.

    Nothing is saved.
    """
    accelerator = make_accelerator()
    tested = find_rates(
        config,
        options.data,
        accelerator,
        workers=options.workers,
        format=options.format,
        strict=options.strict,
        listeners=Listeners(_print_data, tell),
    )
    records: list[StepRecord] = []
    stopped = False
    with collect_stop_signals() as received, progress_bar(total=STEPS, show=accelerator.is_main_process) as bar:
        for record in tested:
            records.append(record)
            bar.update()
            bar.set_postfix(rate=f"{record.learning_rate:.1e}", loss=f"{record.classification + record.box:.3f}")
            # A signal reaches the processes at different steps, but all of them have to stop at the same one.
            if is_true_anywhere(accelerator, bool(received)):
                stopped = True
                tested.close()
                break
    curve = describe_rates(
        [each.learning_rate for each in records], [each.classification + each.box for each in records]
    )
    if stopped:
        curve = curve._replace(suggestion=None)
    if accelerator.is_main_process:
        print(format_curve(curve))
        print(conclude(curve, "--training.learning_rate", stopped=stopped))
    return {"stopped": stopped, **curve._asdict()}


def _print_data(data: OpenedData) -> None:
    print_reading(data.reading, data.splits.train.left_out)


def format_curve(curve: RateCurve) -> str:
    """Formats the averaged loss as bars, with the logarithm of the rate from row to row."""
    rows = set(range(0, len(curve.rates), EVERY))
    if curve.suggestion is not None:
        rows.add(curve.rates.index(curve.suggestion))
    lines = ["learning rate   loss"]
    for row in sorted(rows):
        length = round(WIDTH * curve.averages[row] / (curve.averages[0] or 1))
        bar = "█" * length if length <= LONGEST else "█" * LONGEST + "…"
        note = "  ← suggestion" if curve.rates[row] == curve.suggestion else ""
        lines.append(f"{curve.rates[row]:13.1e}  {curve.averages[row]:5.3g}  {bar}{note}")
    return "\n".join(lines)
