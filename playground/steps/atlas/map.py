"""The map of the stability atlas: the places over two axes, with the other axes as in the visitor's settings."""

from collections.abc import Sequence
from itertools import groupby
from statistics import fmean
from typing import Any, NamedTuple

from markupsafe import Markup

from core.config import knobs
from core.experiments.atlas import ALPHA, AXES, GAMMA, IDLE, KIND, PRIOR, RATE, Place, reduce_place, to_key, to_settings
from core.experiments.atlas_file import Atlas
from core.experiments.atlas_outcome import DIVERGES, LEARNS, STALLS, Run, classify_all
from playground.components import html
from playground.steps.dials import ATLAS_AXES
from playground.support import wording

ACROSS, DOWN, RUN = "across", "down", "atlas"  # dials
NAMES = dict(zip(ATLAS_AXES, AXES, strict=True))  # the paths of the axes
LABELS = {KIND: "loss", GAMMA: "γ", ALPHA: "α", PRIOR: "π", RATE: "learning rate"}
SIGNS = {LEARNS: "✓", STALLS: "–", DIVERGES: "✕"}
HERE = "●"


class Row(NamedTuple):
    """A row of the map: its heading, and its places with the number of columns of each."""

    heading: str
    cells: tuple[tuple[Place, int], ...]


def list_rows(middle: Sequence[Any], across: str, down: str) -> tuple[Row, ...]:
    """Returns the rows of the map. Neighbours that are one place are one cell, and equal rows are one row.

    Args:
        middle: A value of each axis, for those that the map does not show.
        across: Path of the horizontal axis.
        down: Path of the vertical axis.
    """
    rows = [(value, _list_cells(middle, across, {down: value})) for value in AXES[down]]
    return tuple(
        Row(", ".join(name_value(down, value) for value, _ in same), cells)
        for cells, same in ((cells, list(group)) for cells, group in groupby(rows, key=lambda row: row[1]))
    )


def _list_cells(middle: Sequence[Any], across: str, fixed: dict[str, Any]) -> tuple[tuple[Place, int], ...]:
    values = dict(zip(AXES, middle, strict=True)) | fixed
    places = [reduce_place(tuple((values | {across: value})[path] for path in AXES)) for value in AXES[across]]
    return tuple((place, len(list(same))) for place, same in groupby(places))


def build_map(atlas: Atlas, rows: Sequence[Row], across: str, down: str, here: Place | None, chosen: Place) -> Markup:
    """Returns the map as a table with a button per place.

    Args:
        atlas: The measured runs.
        rows: Its rows.
        across: Path of the horizontal axis.
        down: Path of the vertical axis.
        here: The place of the visitor's settings, None if none is near.
        chosen: The place whose run is shown.
    """
    head = html.join(Markup('<th scope="col">{}</th>').format(name_value(across, value)) for value in AXES[across])
    body = html.join(
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            row.heading, html.join(_cell(atlas, place, width, here, chosen) for place, width in row.cells)
        )
        for row in rows
    )
    corner = f"{LABELS[down]} ↓ {LABELS[across]} →"
    inner = Markup('<table><thead><tr><th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table>').format(
        corner, head, body
    )
    return html.scroll(inner, f"Outcome by {LABELS[down]} and {LABELS[across]}", "atlas")


def _cell(atlas: Atlas, place: Place, width: int, here: Place | None, chosen: Place) -> Markup:
    runs = atlas.runs[place]
    outcome = classify_all(runs)
    is_here = place == here
    name = f"{describe(place)}: {outcome}{describe_score(runs)}{', your settings' if is_here else ''}"
    text = f"{SIGNS[outcome]} {HERE if is_here else ''}".strip()
    button = html.link(text, f"dial {RUN} {to_key(place)}", on=place == chosen, name=name)
    span = Markup(' colspan="{}"').format(width) if width > 1 else Markup()
    return Markup('<td class="{}"{}>{}</td>').format(outcome, span, button)


def describe_score(runs: Sequence[Run]) -> str:
    """Returns the mean AP50 of the runs that have one, as a part of a sentence; "" if none has."""
    scores = [run.ap50 for run in runs if run.ap50 is not None]
    return f", AP50 {fmean(scores):.2f}" if scores else ""


def describe(place: Place) -> str:
    """Returns a place in words: "focal, γ 2, α 0.25, π 0.01, learning rate 0.1"."""
    values = [
        name_value(path, value) if path == KIND else f"{LABELS[path]} {name_value(path, value)}"
        for path, value in to_settings(place).items()
    ]
    return ", ".join(values)


def name_value(path: str, value: Any) -> str:
    """Returns a value of a hyperparameter in words."""
    if value is IDLE:
        return "–"
    text = wording.name_value(knobs()[path], value)
    return text.removesuffix(".0") if isinstance(value, float) else text
