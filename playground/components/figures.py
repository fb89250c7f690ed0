"""Builders of Plotly figures, as dictionaries for plotly.js. The page adds the colours of its theme."""

import json
import math
from collections.abc import Collection, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from playground.canvas.view import COLOURS

# Wong's palette, which colour-blind people can tell apart.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")

Figure = dict[str, Any]
Line = tuple[str, str, Sequence[float], Sequence[float]]  # name, colour, x values, y values


class Mark(NamedTuple):
    """A point that is marked in a figure, with its name in the legend."""

    name: str
    colour: str
    x: float
    y: float


def to_json(figure: Figure) -> str:
    """Returns a figure as JSON, where numbers that are not finite are gaps: browsers do not read them."""
    try:
        return json.dumps(figure, allow_nan=False)
    except ValueError:
        return json.dumps(_leave_gaps(figure), allow_nan=False)


def _leave_gaps(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _leave_gaps(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_leave_gaps(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def lines(curves: Sequence[Line], *, title: str, x: str, y: str) -> Figure:
    """Returns a figure of curves.

    Args:
        curves: The curves.
        title: Heading.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
    """
    data = [scatter(curve, "lines", line={"color": curve[1], "width": 2}) for curve in curves]
    return layout_figure(data, title=title, x=x, y=y)


def points(groups: Sequence[Line], marks: Sequence[tuple[str, float]], *, title: str, x: str, y: str) -> Figure:
    """Returns a scatter plot with a logarithmic horizontal axis and horizontal lines, each (name, height)."""
    data = [scatter(group, "markers", marker={"color": group[1], "size": 9}) for group in groups]
    figure = layout_figure(data, title=title, x=x, y=y)
    figure["layout"]["xaxis"] |= logarithmic_axis([x for _, _, xs, _ in groups for x in xs])
    figure["layout"]["yaxis"]["range"] = [0, 1.02]
    for name, height in marks:
        figure["layout"]["shapes"].append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": height,
                "y1": height,
                "line": {"dash": "dot", "width": 1},
            }
        )
        figure["layout"]["annotations"].append(
            {
                "xref": "paper",
                "x": 1,
                "y": height,
                "text": plain(name),
                "showarrow": False,
                "xanchor": "right",
                "yanchor": "bottom",
            }
        )
    return figure


def histogram(
    groups: Sequence[tuple[str, str, np.ndarray]], *, bins: np.ndarray, title: str, x: str, y: str, log_y: bool = False
) -> Figure:
    """Returns a stacked histogram, counted here rather than in the browser.

    Args:
        groups: (name, colour, values [n]) each.
        bins: Edges of the bins.
        title: Heading.
        x: Name of the horizontal axis.
        y: Name of the vertical axis.
        log_y: True for a logarithmic vertical axis.
    """
    middle = ((bins[:-1] + bins[1:]) / 2).tolist()
    data = [
        {
            "type": "bar",
            "name": plain(name),
            "marker": {"color": tint},
            "x": middle,
            "y": np.histogram(values, bins)[0].tolist(),
        }
        for name, tint, values in groups
    ]
    figure = layout_figure(data, title=title, x=x, y=y)
    figure["layout"] |= {"barmode": "stack", "bargap": 0.05}
    if log_y:
        figure["layout"]["yaxis"] |= logarithmic_axis([y for trace in data for y in trace["y"]])
    return figure


def bars(
    names: Sequence[str],
    groups: Sequence[tuple[str, str, Sequence[float | None]]],
    *,
    title: str,
    y: str,
    most: float | None = None,
) -> Figure:
    """Returns a grouped bar chart.

    Args:
        names: Of the groups on the horizontal axis.
        groups: (name, colour, heights) of the bars; None draws no bar.
        title: Heading.
        y: Name of the vertical axis.
        most: Upper end of the vertical axis, which begins at 0; None for a logarithmic one.
    """
    data = [
        {"type": "bar", "name": plain(name), "marker": {"color": tint}, "x": [*map(plain, names)], "y": list(heights)}
        for name, tint, heights in groups
    ]
    figure = layout_figure(data, title=title, x="", y=y)
    figure["layout"] |= {"barmode": "group"}
    heights = [height for _, _, heights in groups for height in heights]
    figure["layout"]["yaxis"] |= logarithmic_axis(heights) if most is None else {"range": [0, most]}
    return figure


def paired_bars(
    names: Sequence[str],
    pair: tuple[str, str],
    groups: Sequence[tuple[str, str, Sequence[tuple[float, float]]]],
    *,
    title: str,
    y: str,
) -> Figure:
    """Returns two bars for each name, divided into groups; what is negative goes down from 0.

    Args:
        names: On the horizontal axis.
        pair: What the first and the second bar of each name are.
        groups: (name, colour, heights of both bars for each of the names).
        title: Heading.
        y: Name of the vertical axis.
    """
    across = [[plain(name) for name in names for _ in pair], [each for _ in names for each in pair]]
    data = [
        {
            "type": "bar",
            "name": plain(name),
            "marker": {"color": tint},
            "x": across,
            "y": [y for both in heights for y in both],
        }
        for name, tint, heights in groups
    ]
    figure = layout_figure(data, title=title, x="", y=y)
    figure["layout"] |= {"barmode": "relative", "bargap": 0.1}
    return figure


def mark(figure: Figure, marks: Sequence[Mark]) -> Figure:
    """Marks points of the left axis, such as the last step of a run before it diverged; returns the figure."""
    for name, tint, x, y in marks:
        style = {"color": tint, "size": 13, "symbol": "x", "line": {"color": "#000000", "width": 1}}
        figure["data"].append(scatter((name, tint, [x], [y]), "markers", marker=style, showlegend=True))
    return figure


def show_points(figure: Figure, names: Collection[str]) -> Figure:
    """Shows every point of the curves with one of the names; returns the figure."""
    shown = {plain(name) for name in names}
    for trace in figure["data"]:
        if trace["name"] in shown:
            trace |= {"mode": "lines+markers", "marker": {"color": trace["line"]["color"], "size": 5}}
    return figure


def set_logarithmic(figure: Figure, values: Sequence[float]) -> None:
    """Makes the horizontal axis of a figure logarithmic for values above 0."""
    figure["layout"]["xaxis"] |= logarithmic_axis(values)


def logarithmic_axis(values: Sequence[float | None]) -> dict[str, Any]:
    """Returns a logarithmic axis for values, with complete tick labels; Plotly writes "5" for both 0.5 and 50."""
    exponents = [math.log10(value) for value in values if value is not None and 0 < value < math.inf]
    low, high = math.floor(min(exponents, default=0)), math.ceil(max(exponents, default=0))
    if high - low > 3:  # every power of ten, or fewer if there are many
        return {"type": "log", "dtick": math.ceil((high - low) / 6)}
    return {"type": "log", "tickvals": [digit * 10.0**power for power in range(low, high + 1) for digit in (1, 2, 5)]}


def scatter(curve: Line, mode: str, **style: Any) -> Figure:
    """Returns a curve, drawn in one of plotly.js's modes of scatter plots."""
    name, _, xs, ys = curve
    return {"type": "scatter", "mode": mode, "name": plain(name), "x": list(xs), "y": list(ys), **style}


def plain(text: str) -> str:
    """Returns a text as plotly.js draws it unchanged: it reads tags in names, those of classes and runs too."""
    return escape(text, quote=False)


def colour(role: str) -> str:
    """Returns the colour of a role, as on the picture."""
    return COLOURS[role]


def layout_figure(data: list[Figure], *, title: str, x: str, y: str) -> Figure:
    """Returns a figure of traces; tags in the names of its axes are drawn as such. The page shows its title as text."""
    layout = {
        "title": {"text": title, "font": {"size": 14}},
        "xaxis": {"title": {"text": x, "standoff": 6}},
        "yaxis": {"title": {"text": y}},
        "shapes": [],
        "annotations": [],
        "margin": {"l": 52, "r": 12, "t": 36, "b": 110},
        "legend": {"orientation": "h", "yref": "container", "y": 0.01, "yanchor": "bottom"},
        "height": 360,
    }
    return {"data": data, "layout": layout}
