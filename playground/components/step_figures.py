"""Figures of losses and AP over the steps of training runs."""

from collections.abc import Sequence

from playground.components.figures import Figure, Line, layout_figure, logarithmic_axis, scatter


def training(losses: Sequence[Line], precision: Sequence[Line], held_out: Sequence[Line] = ()) -> Figure:
    """Returns the losses of a run (left axis, logarithmic) and its average precision (right axis) over its steps.

    Args:
        losses: The losses of the training pictures.
        precision: The average precision of the held-out pictures.
        held_out: Their losses, drawn dashed; curves without values are left out.
    """
    data = [scatter(curve, "lines", line={"color": curve[1]}) for curve in losses]
    shown = [curve for curve in held_out if any(y is not None for y in curve[3])]
    data += [scatter(curve, "lines+markers", line={"color": curve[1], "dash": "dash"}) for curve in shown]
    for curve in precision:
        data.append(scatter(curve, "lines+markers", line={"color": curve[1], "dash": "dot"}, yaxis="y2"))
    figure = layout_figure(data, title="Training run", x="step", y="loss")
    figure["layout"]["yaxis"] |= logarithmic_axis([y for _, _, _, ys in (*losses, *shown) for y in ys])
    figure["layout"]["yaxis2"] = {"title": {"text": "AP"}, "overlaying": "y", "side": "right", "range": [0, 1]}
    figure["layout"]["yaxis2"]["tickmode"] = "auto"  # otherwise it would take the ticks of the losses
    figure["layout"]["margin"]["r"] = 44
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


def overlay(losses: Sequence[Line], precision: Sequence[Line], dashes: Sequence[str]) -> Figure:
    """Returns the losses of runs (logarithmic) and below them their AP over the same steps, with a common legend.

    Args:
        losses: One curve per run.
        precision: One curve per run.
        dashes: Line style of each run.
    """
    data = [
        scatter(curve, "lines", line={"color": curve[1], "dash": dash}, legendgroup=str(number))
        for number, (curve, dash) in enumerate(zip(losses, dashes, strict=True))
    ]
    data += [
        scatter(curve, "lines+markers", line={"color": curve[1], "dash": dash}, legendgroup=str(number), yaxis="y2")
        | {"showlegend": False}
        for number, (curve, dash) in enumerate(zip(precision, dashes, strict=True))
    ]
    figure = layout_figure(data, title="Loss and AP of the selected runs", x="step", y="loss")
    layout = figure["layout"]
    layout["yaxis"] |= {**logarithmic_axis([y for _, _, _, ys in losses for y in ys]), "domain": [0.47, 1]}
    layout["yaxis2"] = {"title": {"text": "AP"}, "domain": [0, 0.4], "rangemode": "tozero", "showgrid": True}
    layout["xaxis"] |= {"anchor": "y2"}
    layout["legend"] = {"orientation": "h", "y": -0.2, "yanchor": "top"}
    layout["height"] = 460
    layout["showlegend"] = True
    return figure
