"""Figures in which the pinned settings, A, are drawn beside the present ones."""

from itertools import accumulate
from typing import Any

from playground.components.figures import Figure

REFERENCE = "reference"  # `meta` of curves that are themselves there for comparison, and are not drawn for A
FAINT = 0.5


def compare(present: Figure, pinned: Figure | None) -> Figure:
    """Returns a figure with what differs under the pinned settings: curves dashed, bars hatched, points open.

    Args:
        present: The figure of the present settings.
        pinned: That of the pinned ones; None if there is none.
    """
    if pinned is None or pinned["layout"]["title"] != present["layout"]["title"]:
        return present
    if present["layout"].get("barmode") == "relative":
        return {**present, "data": [*present["data"], *_set_beside(present["data"], pinned["data"])]}
    stacked = present["layout"].get("barmode") == "stack"
    traces = _outline(pinned["data"]) if stacked else [_mark(each) for each in pinned["data"]]
    ours = _outline(present["data"]) if stacked else [_mark(each) for each in present["data"]]
    differing = [trace for trace in traces if trace.get("meta") != REFERENCE and trace not in ours]
    return {**present, "data": [*present["data"], *differing]}


def _set_beside(present: list[dict[str, Any]], pinned: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the paired bars of A as further ones beside those of the present settings; none if they are the same."""
    if pinned == present:
        return []
    return [_mark(each) | {"x": [each["x"][0], [f"A {name}" for name in each["x"][1]]]} for each in pinned]


def _mark(trace: dict[str, Any]) -> dict[str, Any]:
    """Returns a curve, bars or points of A in the style that tells them from those of the present settings."""
    name, style = f"A: {trace['name']}", dict(trace.get("marker", {}))
    if trace["type"] == "bar":
        return {**trace, "name": name, "marker": {**style, "opacity": FAINT, "pattern": {"shape": "/"}}}
    if trace["mode"] == "lines":
        return {**trace, "name": name, "line": {**trace["line"], "dash": "dash", "width": 1.5}}
    return {**trace, "name": name, "marker": {**style, "symbol": "circle-open"}}


def _outline(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the upper edges of stacked bars as dashed steps."""
    heights = accumulate(
        (each["y"] for each in bars), lambda below, own: [a + b for a, b in zip(below, own, strict=True)]
    )
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"A: {each['name']}",
            "x": each["x"],
            "y": list(top),
            "line": {"color": each["marker"]["color"], "dash": "dash", "width": 2, "shape": "hvh"},
        }
        for each, top in zip(bars, heights, strict=True)
    ]
