"""The file of the stability atlas: the runs of each place, and how they were made."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from core.config import format_value
from core.experiments.atlas import BASE, IDLE, Place, parse_key, to_key, to_settings
from core.experiments.atlas_outcome import Run
from core.io.atomic import write_text
from core.io.paths import ASSETS
from core.io.records import read_json

PATH = ASSETS / "atlas.json"
COMMAND = "python -m core train --data scenes --out DIR"


class Atlas(NamedTuple):
    """The measured runs.

    Attributes:
        command: The command that made the file.
        seconds: Median time of a run on one processor, which may have been at work on other things, too.
        base: The settings that all runs share, by path.
        runs: The runs of each place, those with different seeds; places without runs are not among them.
    """

    command: str
    seconds: float
    base: Mapping[str, Any]
    runs: Mapping[Place, tuple[Run, ...]]


def write_atlas(path: Path, atlas: Atlas) -> None:
    """Writes an atlas, one place a line."""
    head = {"command": atlas.command, "seconds": round(atlas.seconds, 2), "base": dict(atlas.base)}
    lines = [json.dumps([to_key(place), [_to_list(run) for run in runs]]) for place, runs in atlas.runs.items()]
    text = ",\n".join(line.replace(", ", ",") for line in lines)
    write_text(path, f'{json.dumps(head, indent=1)[:-2]},\n "places": [\n{text}\n]}}\n')


def read_atlas(path: Path = PATH) -> Atlas:
    """Reads an atlas.

    Raises:
        OSError, ValueError, KeyError: There is no such file, or it is no atlas.
        ConfigError: It has a place that the grid lacks.
    """
    found = read_json(path)
    runs = {parse_key(key): tuple(_from_list(values) for values in each) for key, each in found["places"]}
    return Atlas(found["command"], found["seconds"], found["base"], runs)


@cache
def shipped_atlas() -> Atlas:
    """Returns the atlas that comes with the project."""
    return read_atlas()


def build_command(place: Place, seed: int, base: Mapping[str, Any] = BASE) -> str:
    """Returns the command that trains the run of a place."""
    settings = {**base, **to_settings(place), "training.seed": seed}
    flags = (f"--{path} {format_value(value)}" for path, value in settings.items() if value is not IDLE)
    return " ".join((COMMAND, *flags))


def _to_list(run: Run) -> list[Any]:
    return [run.seed, run.steps, run.ended, run.ap50, [each for point in run.curve for each in point]]


def _from_list(values: Sequence[Any]) -> Run:
    seed, steps, ended, ap50, numbers = values
    return Run(seed, steps, ended, tuple(zip(numbers[::2], numbers[1::2], strict=True)), ap50)
