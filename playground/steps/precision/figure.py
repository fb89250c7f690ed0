"""The precision–recall curve up to a detection, with its envelope and the area below it."""

import numpy as np

from core.evaluation.counting import IGNORED, RIGHT, Counting
from core.evaluation.precision_recall import RECALLS, interpolate_precision
from playground.canvas.view import GREY
from playground.components.figures import Figure, colour, lines

MAX_POINTS = 2000  # of the curve; more than the figure has pixels
TITLE = "Precision and recall, one detection at a time"
RIGHT_COLOUR, WRONG_COLOUR = colour("foreground"), colour("suppressed")


def curve_figure(counting: Counting, count: int) -> Figure:
    """Returns the figure of the first `count` detections."""
    curve = counting.curve(count)
    counted = [each for each in counting.detections[:count] if each.outcome != IGNORED]
    rows = _thin(len(counted))
    recall, precision = curve.recall[rows].tolist(), curve.precision[rows].tolist()
    if not counting.positives:  # recall is undefined
        recall, precision, rows = [], [], rows[:0]
    envelope = interpolate_precision(curve)
    made = lines(
        [
            ("best precision from this recall on; its area is AP", GREY, RECALLS.tolist(), envelope.tolist()),
            ("curve", GREY, recall, precision),
            ("detection counted last", GREY, recall[-1:], precision[-1:]),
        ],
        title=TITLE,
        x="recall",
        y="precision",
    )
    area, line, last = made["data"]
    area["line"] |= {"width": 1, "dash": "dot", "shape": "vh"}
    area |= {"fill": "tozeroy", "fillcolor": "rgba(86, 180, 233, 0.25)"}
    tints = [RIGHT_COLOUR if counted[row].outcome == RIGHT else WRONG_COLOUR for row in rows.tolist()]
    line |= {"mode": "lines+markers", "marker": {"color": tints, "size": 7}, "name": "each detection"}
    line["line"]["width"] = 1
    ring = {"color": "rgba(0,0,0,0)", "size": 16, "line": {"color": tints[-1] if tints else GREY, "width": 3}}
    last |= {"mode": "markers", "marker": ring}
    for axis in ("xaxis", "yaxis"):
        made["layout"][axis]["range"] = [-0.02, 1.04]
    return made


def _thin(count: int) -> np.ndarray:
    """Returns the rows of the curve that are drawn, always with the last one."""
    if count <= MAX_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MAX_POINTS).round().astype(np.int64))
