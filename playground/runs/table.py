"""The table of runs: what differs in their settings, and what came of them. Pure functions of the runs' folders."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from core.config import Config, ConfigError, format_value, knobs
from core.experiments.comparison import Summary, summarise
from core.runs.folder import RunFolder
from playground.components import html
from playground.runs.curves import Curves, curves_of
from playground.runs.labels import Label
from playground.runs.reader import label_of
from playground.support.cache import Cache

SHORT = 28  # characters of a setting's value
Records = tuple[list[dict[str, Any]], list[dict[str, Any]]]  # of steps, of evaluations
_read = Cache(1024)


class ListedRun(NamedTuple):
    """A run to be told of.

    Attributes:
        name: Its place in the folder of the runs.
        folder: Its files.
        state: Of `core.runs.folder`, or stopping.
        told: The same for people, with its place in the queue.
        message: Why, if it failed.
        arm: What it is in a comparison, "" outside of one.
        owner: Who asked for it, see `playground.support.visitors`.
    """

    name: str
    folder: RunFolder
    state: str
    told: str
    message: str = ""
    arm: str = ""
    owner: str = ""


class Run(NamedTuple):
    """What is known of a run.

    Attributes:
        listed: Which it is.
        label: What people call it.
        config: Its settings, None if they cannot be read.
        summary: What came of it.
        seconds: How long its steps took, without evaluations.
        curves: To be drawn.
    """

    listed: ListedRun
    label: Label
    config: Config | None
    summary: Summary
    seconds: float | None
    curves: Curves

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.label.name or self.listed.arm or self.listed.name


class Column(NamedTuple):
    """A column of the table: a key, a title, what it means, and whether its values are settings."""

    key: str
    title: str
    about: str
    setting: bool = False


class TableCell(NamedTuple):
    """A value: what it is sorted by, None for nothing, and what is read."""

    sort: float | str | None
    text: str


RESULTS = (
    Column("steps", "steps", "Steps done, of those it is to do"),
    Column("ap", "AP", "Average precision at the last evaluation"),
    Column("ap50", "AP50", "The same at IoU 0.5"),
    Column("ap75", "AP75", "The same at IoU 0.75"),
    Column("classification", "class loss", "Classification loss, mean of the last steps"),
    Column("box", "box loss", "Weighted box loss, mean of the last steps"),
    Column("foreground", "foreground", "Foreground anchors a step, mean over all"),
    Column("speed", "images/s", "Pictures a second, mean of the last steps"),
    Column("time", "time", "Minutes and seconds of its steps, without evaluations"),
)


def read_run(listed: ListedRun, records: Callable[[RunFolder], Records]) -> Run:
    """Reads a run's folder, from memory if none of its files has changed.

    Args:
        listed: Which run.
        records: Returns what it has recorded, as `RunFolder.read_records`.
    """
    folder = listed.folder
    key = (folder.path, *map(_stamp, (folder.config, folder.metrics)))
    config, summary, seconds, curves = _read.get(key, lambda: _measured(folder, *records(folder)))
    return Run(listed, label_of(folder), config, summary, seconds, curves)


def _measured(
    folder: RunFolder, steps: list[dict[str, Any]], evaluations: list[dict[str, Any]]
) -> tuple[Config | None, Summary, float | None, Curves]:
    try:
        config = Config.from_file(folder.config)
    except ConfigError:
        config = None
    batch = config.training.batch_size if config else None
    seconds = sum(batch / each["images_per_second"] for each in steps if each["images_per_second"]) if batch else None
    return config, summarise(steps, evaluations), seconds, curves_of(steps, evaluations)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return found.st_mtime_ns, found.st_size, found.st_ino


def differing(configs: Sequence[Config]) -> list[str]:
    """Returns the paths of the settings in which configurations differ, in declared order."""
    flat = [config.to_flat() for config in configs]
    return [path for path in knobs() if len({each[path] for each in flat}) > 1]


def columns_of(runs: Sequence[Run]) -> list[Column]:
    """Returns the columns: first the settings that differ, by their declared names, then the results."""
    paths = differing([run.config for run in runs if run.config])
    return [*(Column(path, knobs()[path].label, path, setting=True) for path in paths), *RESULTS]


def cells_of(run: Run, columns: Sequence[Column]) -> list[TableCell]:
    """Returns what a run has in each column."""
    settings = run.config.to_flat() if run.config else {}
    results = _results(run)
    return [_setting(each.key, settings.get(each.key)) if each.setting else results[each.key] for each in columns]


def _setting(path: str, value: Any) -> TableCell:
    if value is None:
        return TableCell(None, "–")
    text = f"{value:g}" if isinstance(value, float) else format_value(value)
    if isinstance(value, tuple):
        text = ", ".join(f"{each:.3g}" for each in value)
    if knobs()[path].kind == "choice":
        text = text.replace("_", " ")  # as its widget has it
    if len(text) > SHORT:  # a file of weights: its end tells more than its beginning
        text = "…" + text[1 - SHORT :]
    return TableCell(value if isinstance(value, int | float) else text, text)


def _results(run: Run) -> Mapping[str, TableCell]:
    told, metrics = run.summary, run.summary.metrics or {}
    wanted = run.config.training.steps if run.config else None
    return {
        "steps": TableCell(told.step, f"{told.step:,}" + (f" of {wanted:,}" if wanted and told.step != wanted else "")),
        **{name: _number(metrics.get(name), ".3f") for name in ("ap", "ap50", "ap75")},
        "classification": _number(told.last_loss, ".3f"),
        "box": _number(told.last_box, ".3f"),
        "foreground": _number(told.foreground, ".0f"),
        "speed": _number(told.images_per_second, ".1f"),
        "time": _time(run.seconds),
    }


def _number(value: float | None, digits: str) -> TableCell:
    return (
        TableCell(None, "–")
        if value is None or not math.isfinite(value)
        else TableCell(value, html.number(value, digits))
    )


def _time(seconds: float | None) -> TableCell:
    if not seconds:
        return TableCell(None, "–")
    minutes, rest = divmod(round(seconds), 60)
    return TableCell(seconds, f"{minutes}:{rest:02}")
