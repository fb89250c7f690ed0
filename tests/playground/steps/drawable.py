"""The check that the browser can draw what a step shows."""

import json

import plotly.graph_objects as go

from playground.canvas.canvas import payload
from playground.canvas.view import View
from playground.pipeline.pipeline import Pipeline
from playground.steps.step import StepText, StepView


def require_drawable(view: StepView, here: Pipeline) -> StepText:
    """Checks the picture with its layers and the figure of a step, if it has one; returns its text."""
    json.loads(payload(View("data:,", here.size[1], here.size[0], view.layers, view.heat)))  # arrays fit together
    text = view.build_text()
    if text.figure:
        go.Figure(text.figure)  # plotly's own check of every name and value
        json.dumps(text.figure, allow_nan=False)
    return text
