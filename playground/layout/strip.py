"""The strip of steps: navigation with live numbers, and the chosen step's numbers on each level.

Choosing a cell fires `select` with {"step", "map", "level"}, null for what stays. The strip also keeps the page's
address: going back or forward in the browser's history fires `edit` with {"query": …}.
"""

import itertools
import json
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from playground.steps.step import Levels, StripItem

SCRIPT = (Path(__file__).parent / "strip.js").read_text("utf-8")


_answers = itertools.count()


class StripCell(NamedTuple):
    """A part of a step with its live number."""

    step: str
    part: StripItem
    headline: str


def strip() -> gr.HTML:
    """Builds the component, empty; its value is made by `value`."""
    return gr.HTML(
        "",
        part="strip",
        html_template='<nav class="strip" aria-label="Steps of the pipeline"></nav>'
        '<div class="levels" role="group" aria-label="Levels"></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
    )


def value(
    cells: list[StripCell], levels: Levels, *, step: str, level: int, map_: str, query: str, state: dict[str, Any]
) -> str:
    """Returns the component's value, each time another one, so that the browser notices every answer.

    Args:
        cells: The first row, in order.
        levels: The second row.
        step: Key of the chosen step.
        level: The level whose maps are on show.
        map_: Which maps the network step draws.
        query: Settings as a URL query; the page's address follows them.
        state: What was asked, for `live.js`.
    """
    return json.dumps(
        {
            "cells": [{**cell.part._asdict(), "headline": cell.headline, "step": cell.step} for cell in cells],
            "about": levels.about,
            "levels": [each._asdict() for each in levels.cells],
            "step": step,
            "level": level,
            "map": map_,
            "query": query,
            "answer": next(_answers),
            **state,
        },
        allow_nan=False,
    )
