"""The rows and columns of the table of runs: the settings that differ, and the results of each run."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from core.config import Config, ConfigError, format_value, knobs
from core.experiments.comparison import Summary, summarise
from core.runs.divergence import Divergence, read_divergence
from core.runs.folder import DIVERGED, RunFolder
from playground.components import html
from playground.runs.curves import Curves, build_curves
from playground.runs.labels import Label
from playground.runs.reader import file_stamp, read_label
from playground.support.cache import Cache
from playground.support.wording import name_choice

MAX_LENGTH = 28  # characters of a setting's value
Records = tuple[list[dict[str, Any]], list[dict[str, Any]]]  # of steps, of evaluations
_results = Cache()


class ListedRun(NamedTuple):
    """A run in the table.

    Attributes:
        name: Path of its folder, relative to the folder of the runs.
        folder: Its files.
        state: One of the states in `core.runs.folder`, or `listing.UNREADABLE`.
        state_text: The state for people, with the position in the queue.
        message: Why it failed or diverged, else "".
        variant: What it is, see `About.title`; "" for most single runs.
        owner: The visitor who started it, see `playground.support.visitors`.
    """

    name: str
    folder: RunFolder
    state: str
    state_text: str
    message: str = ""
    variant: str = ""
    owner: str = ""


class RunResults(NamedTuple):
    """The settings of a run, and the results of its records.

    Attributes:
        config: The settings, None if they cannot be read.
        summary: The results.
        seconds: The duration of its steps, without evaluations; None if it is unknown.
        curves: The curves to draw.
    """

    config: Config | None
    summary: Summary
    seconds: float | None
    curves: Curves


class Run(NamedTuple):
    """A run with its label and its results."""

    listed: ListedRun
    label: Label
    results: RunResults

    @property
    def title(self) -> str:
        """The name to show for the run."""
        return self.label.name or self.listed.variant or self.listed.name


class Column(NamedTuple):
    """A column of the table.

    Attributes:
        key: The path of a setting, or the name of a result.
        title: The heading.
        about: The explanation of the heading.
        setting: True for a setting, False for a result.
    """

    key: str
    title: str
    about: str
    setting: bool = False


class TableCell(NamedTuple):
    """A cell of the table.

    Attributes:
        sort: The value to sort by, None for an empty cell.
        text: The text to show.
    """

    sort: float | str | None
    text: str


EMPTY = TableCell(None, "–")
RESULT_COLUMNS = (
    Column("steps", "steps", "Steps done, of the total number of steps"),
    Column("ap", "AP", "Average precision of the weights that the run keeps"),
    Column("ap50", "AP50", "Average precision at IoU 0.5"),
    Column("ap75", "AP75", "Average precision at IoU 0.75"),
    Column("classification", "class loss", "Classification loss, mean of the last steps"),
    Column("box", "box loss", "Weighted box loss, mean of the last steps"),
    Column("held_out_classification", "held-out class loss", "Classification loss of the held-out pictures"),
    Column("held_out_box", "held-out box loss", "Weighted box loss of the held-out pictures"),
    Column("foreground", "foreground", "Foreground anchors per step, mean of all steps"),
    Column("speed", "images/s", "Images per second, mean of the last steps"),
    Column("time", "time", "Duration of the steps in minutes and seconds, without evaluations"),
)


def read_run(listed: ListedRun, read_records: Callable[[RunFolder], Records]) -> Run:
    """Reads the label and the results of a run; results are computed again only if its files have changed.

    Args:
        listed: The run.
        read_records: Returns the records of a run, as `RunFolder.read_records` does.
    """
    folder = listed.folder
    divergence = read_divergence(listed.message) if listed.state == DIVERGED else None
    key = (folder.path, file_stamp(folder.config), file_stamp(folder.metrics), listed.state == DIVERGED, listed.message)
    results: RunResults = _results.get(key, lambda: _compute_results(folder, *read_records(folder), divergence))
    return Run(listed, read_label(folder), results)


def _compute_results(
    folder: RunFolder, steps: list[dict[str, Any]], evaluations: list[dict[str, Any]], divergence: Divergence | None
) -> RunResults:
    try:
        config = Config.from_file(folder.config)
    except ConfigError:
        config = None
    batch = config.training.batch_size if config else None
    seconds = sum(batch / each["images_per_second"] for each in steps if each["images_per_second"]) if batch else None
    return RunResults(
        config,
        summarise(steps, evaluations, config.training if config else None),
        seconds,
        build_curves(steps, evaluations, divergence),
    )


def find_differences(configs: Sequence[Config]) -> list[str]:
    """Returns the paths of the settings that are not the same in all configurations, in their declared order."""
    flat = [config.to_flat() for config in configs]
    return [path for path in knobs() if len({each[path] for each in flat}) > 1]


def build_columns(runs: Sequence[Run]) -> list[Column]:
    """Returns the columns of the table: the settings that differ, then the results."""
    paths = find_differences([run.results.config for run in runs if run.results.config])
    return [*(Column(path, knobs()[path].label, path, setting=True) for path in paths), *RESULT_COLUMNS]


def build_cells(run: Run, columns: Sequence[Column]) -> list[TableCell]:
    """Returns the cells of a run, one for each column."""
    config = run.results.config
    settings = config.to_flat() if config else {}
    results = _result_cells(run.results)
    return [_setting_cell(each.key, settings.get(each.key)) if each.setting else results[each.key] for each in columns]


def _setting_cell(path: str, value: Any) -> TableCell:
    if value is None:
        return EMPTY
    text = f"{value:g}" if isinstance(value, float) else format_value(value)
    if isinstance(value, tuple):
        text = ", ".join(f"{each:.3g}" for each in value)
    if knobs()[path].kind == "choice":
        text = name_choice(value)
    if len(text) > MAX_LENGTH:  # usually a path, whose end is more specific than its beginning
        text = "…" + text[1 - MAX_LENGTH :]
    return TableCell(value if isinstance(value, int | float) else text, text)


def _result_cells(results: RunResults) -> Mapping[str, TableCell]:
    summary, metrics, held_out = results.summary, results.summary.metrics or {}, results.summary.held_out
    total = results.config.training.steps if results.config else None
    steps = f"{summary.step:,} of {total:,}" if total and summary.step != total else f"{summary.step:,}"
    return {
        "steps": TableCell(summary.step, steps),
        **{name: _number_cell(metrics.get(name), ".3f") for name in ("ap", "ap50", "ap75")},
        "classification": _number_cell(summary.last_loss, ".3f"),
        "box": _number_cell(summary.last_box, ".3f"),
        "held_out_classification": _number_cell(held_out.classification if held_out else None, ".3f"),
        "held_out_box": _number_cell(held_out.box if held_out else None, ".3f"),
        "foreground": _number_cell(summary.foreground, ".0f"),
        "speed": _number_cell(summary.images_per_second, ".1f"),
        "time": _time_cell(results.seconds),
    }


def _number_cell(value: float | None, spec: str) -> TableCell:
    return EMPTY if value is None or not math.isfinite(value) else TableCell(value, html.number(value, spec))


def _time_cell(seconds: float | None) -> TableCell:
    if not seconds or not math.isfinite(seconds):
        return EMPTY
    minutes, rest = divmod(round(seconds), 60)
    return TableCell(seconds, f"{minutes}:{rest:02}")
