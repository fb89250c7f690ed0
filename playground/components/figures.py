"""Builders of Plotly figures, as dictionaries for plotly.js. The page adds the colours of its theme."""

import json
import math
from collections.abc import Collection, Sequence
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
    data = [_scatter(curve, "lines", line={"color": curve[1], "width": 2}) for curve in curves]
    return _figure(data, title=title, x=x, y=y)


def points(groups: Sequence[Line], marks: Sequence[tuple[str, float]], *, title: str, x: str, y: str) -> Figure:
    """Returns a scatter plot with a logarithmic horizontal axis and horizontal lines, each (name, height)."""
    data = [_scatter(group, "markers", marker={"color": group[1], "size": 9}) for group in groups]
    figure = _figure(data, title=title, x=x, y=y)
    figure["layout"]["xaxis"] |= _logarithmic([x for _, _, xs, _ in groups for x in xs])
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
                "text": name,
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
            "name": name,
            "marker": {"color": tint},
            "x": middle,
            "y": np.histogram(values, bins)[0].tolist(),
        }
        for name, tint, values in groups
    ]
    figure = _figure(data, title=title, x=x, y=y)
    figure["layout"] |= {"barmode": "stack", "bargap": 0.05}
    if log_y:
        figure["layout"]["yaxis"] |= _logarithmic([y for trace in data for y in trace["y"]])
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
        {"type": "bar", "name": name, "marker": {"color": tint}, "x": list(names), "y": list(heights)}
        for name, tint, heights in groups
    ]
    figure = _figure(data, title=title, x="", y=y)
    figure["layout"] |= {"barmode": "group"}
    heights = [height for _, _, heights in groups for height in heights]
    figure["layout"]["yaxis"] |= _logarithmic(heights) if most is None else {"range": [0, most]}
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
    across = [[name for name in names for _ in pair], [each for _ in names for each in pair]]
    data = [
        {
            "type": "bar",
            "name": name,
            "marker": {"color": tint},
            "x": across,
            "y": [y for both in heights for y in both],
        }
        for name, tint, heights in groups
    ]
    figure = _figure(data, title=title, x="", y=y)
    figure["layout"] |= {"barmode": "relative", "bargap": 0.1}
    return figure


def comparison(losses: Sequence[Line], precision: Sequence[Line], others: Sequence[Line] = ()) -> Figure:
    """Returns the classification losses of several runs (left axis, logarithmic) and their AP (right axis, dotted).

    Args:
        losses: The classification losses.
        precision: The AP of the same runs, in the same colours; curves without values are left out.
        others: Further losses, drawn dashed.
    """
    figure = training(losses, [curve for curve in precision if len(curve[2])], others)
    figure["layout"]["title"]["text"] = "Classification loss, and AP (dotted)"
    for trace in figure["data"]:
        if "yaxis" in trace:
            trace["showlegend"] = False  # the loss curve has the same colour
    return figure


def mark(figure: Figure, marks: Sequence[Mark]) -> Figure:
    """Marks points of the left axis, such as the last step of a run before it diverged; returns the figure."""
    for name, tint, x, y in marks:
        style = {"color": tint, "size": 13, "symbol": "x", "line": {"color": "#000000", "width": 1}}
        figure["data"].append(_scatter((name, tint, [x], [y]), "markers", marker=style, showlegend=True))
    return figure


def show_points(figure: Figure, names: Collection[str]) -> Figure:
    """Shows every point of the curves with one of the names; returns the figure."""
    for trace in figure["data"]:
        if trace["name"] in names:
            trace |= {"mode": "lines+markers", "marker": {"color": trace["line"]["color"], "size": 5}}
    return figure


def set_logarithmic(figure: Figure, values: Sequence[float]) -> None:
    """Makes the horizontal axis of a figure logarithmic for values above 0."""
    figure["layout"]["xaxis"] |= _logarithmic(values)


def overlay(losses: Sequence[Line], precision: Sequence[Line], dashes: Sequence[str]) -> Figure:
    """Returns the losses of runs (logarithmic) and below them their AP over the same steps, with a common legend.

    Args:
        losses: One curve per run.
        precision: One curve per run.
        dashes: Line style of each run.
    """
    data = [
        _scatter(curve, "lines", line={"color": curve[1], "dash": dash}, legendgroup=str(number))
        for number, (curve, dash) in enumerate(zip(losses, dashes, strict=True))
    ]
    data += [
        _scatter(curve, "lines+markers", line={"color": curve[1], "dash": dash}, legendgroup=str(number), yaxis="y2")
        | {"showlegend": False}
        for number, (curve, dash) in enumerate(zip(precision, dashes, strict=True))
    ]
    figure = _figure(data, title="Loss and AP of the selected runs", x="step", y="loss")
    layout = figure["layout"]
    layout["yaxis"] |= {**_logarithmic([y for _, _, _, ys in losses for y in ys]), "domain": [0.47, 1]}
    layout["yaxis2"] = {"title": {"text": "AP"}, "domain": [0, 0.4], "rangemode": "tozero", "showgrid": True}
    layout["xaxis"] |= {"anchor": "y2"}
    layout["legend"] = {"orientation": "h", "y": -0.2, "yanchor": "top"}
    layout["height"] = 460
    layout["showlegend"] = True
    return figure


def training(losses: Sequence[Line], precision: Sequence[Line], held_out: Sequence[Line] = ()) -> Figure:
    """Returns the losses of a run (left axis, logarithmic) and its average precision (right axis) over its steps.

    Args:
        losses: The losses of the training pictures.
        precision: The average precision of the held-out pictures.
        held_out: Their losses, drawn dashed; curves without values are left out.
    """
    data = [_scatter(curve, "lines", line={"color": curve[1]}) for curve in losses]
    shown = [curve for curve in held_out if any(y is not None for y in curve[3])]
    data += [_scatter(curve, "lines+markers", line={"color": curve[1], "dash": "dash"}) for curve in shown]
    for curve in precision:
        data.append(_scatter(curve, "lines+markers", line={"color": curve[1], "dash": "dot"}, yaxis="y2"))
    figure = _figure(data, title="Training run", x="step", y="loss")
    figure["layout"]["yaxis"] |= _logarithmic([y for _, _, _, ys in (*losses, *shown) for y in ys])
    figure["layout"]["yaxis2"] = {"title": {"text": "AP"}, "overlaying": "y", "side": "right", "range": [0, 1]}
    figure["layout"]["yaxis2"]["tickmode"] = "auto"  # otherwise it would take the ticks of the losses
    figure["layout"]["margin"]["r"] = 44
    return figure


def _logarithmic(values: Sequence[float | None]) -> dict[str, Any]:
    """Returns a logarithmic axis for values, with complete tick labels; Plotly writes "5" for both 0.5 and 50."""
    exponents = [math.log10(value) for value in values if value is not None and 0 < value < math.inf]
    low, high = math.floor(min(exponents, default=0)), math.ceil(max(exponents, default=0))
    if high - low > 3:  # every power of ten, or fewer if there are many
        return {"type": "log", "dtick": math.ceil((high - low) / 6)}
    return {"type": "log", "tickvals": [digit * 10.0**power for power in range(low, high + 1) for digit in (1, 2, 5)]}


def _scatter(curve: Line, mode: str, **style: Any) -> Figure:
    name, _, xs, ys = curve
    return {"type": "scatter", "mode": mode, "name": name, "x": list(xs), "y": list(ys), **style}


def colour(role: str) -> str:
    """Returns the colour of a role, as on the picture."""
    return COLOURS[role]


def _figure(data: list[Figure], *, title: str, x: str, y: str) -> Figure:
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
