"""The check that the browser can draw what a step shows."""

import json
import re

import plotly.graph_objects as go

from playground.canvas.canvas import payload
from playground.canvas.view import View
from playground.pipeline.pipeline import Pipeline
from playground.steps.step import StepText, StepView


def require_drawable(view: StepView, here: Pipeline) -> StepText:
    """Checks the picture with its layers, the tables and the figure of a step, if it has one; returns its text."""
    json.loads(payload(View("data:,", here.size[1], here.size[0], view.layers, view.heat)))  # arrays fit together
    text = view.build_text()
    _require_tables(view, f"{text.readout}{text.more}")
    if text.figure:
        go.Figure(text.figure)  # plotly's own check of every name and value
        json.dumps(text.figure, allow_nan=False)
    return text


def _require_tables(view: StepView, html: str) -> None:
    """Checks that each row that points at a box of a layer points at one that there is, and each column has a name."""
    counts = {layer.key: len(layer.boxes) for layer in view.layers}
    named = [name.split(" ") for name in re.findall(r'data-box="([^"]+)"', html)]
    for layer, index, *_ in named:
        assert layer == "at" or int(index) < counts[layer], f"{layer} {index} is not on the picture"
    assert not re.search(r"<th[^>]*>\s*</th>", html)
