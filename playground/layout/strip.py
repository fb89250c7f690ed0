"""The strip of steps: the page's navigation, with live numbers of each step and of each pyramid level.

Choosing a cell fires `select` with {"step", "map", "level"}; null leaves a field unchanged. When the server has
forgotten the page, or an answer to an earlier choice has come late, `select` tells it {"step", "story"}, and with
"keep_notice" that the message on show is to stay. The strip also keeps the page's address up to date: going back or
forward in the browser's history fires `edit` with {"query": …}.
"""

import itertools
import json
from typing import Any, NamedTuple

import gradio as gr

from playground.steps.step import Levels, StripItem
from playground.support.scripts import read_scripts

SCRIPT = read_scripts("layout/in_order.js", "layout/address.js", "layout/strip.js")


_answers = itertools.count()


class StripCell(NamedTuple):
    """An item of the strip with its live number."""

    step: str
    part: StripItem
    headline: str


def strip() -> gr.HTML:
    """Builds the component, empty; `value` returns its values."""
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
    """Returns the component's value. Every value is different, so that the browser notices every answer.

    Args:
        cells: The first row: items of all steps, in order.
        levels: The second row: the chosen step's numbers of each level.
        step: Key of the chosen step.
        level: Pyramid level whose maps are drawn.
        map_: Maps that the network step draws.
        query: The permalink, which becomes the page's address.
        state: Token, settings and browser fields of the state, for `live.js`; and its `PageState.choices`, now and
            when the event began.
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
