"""The figures of an evaluation: precision and recall, calibration, what errors cost, average precision by size."""

import math

from core.evaluation.error_types import KINDS
from core.evaluation.precision_recall import RECALLS, interpolate_precision
from core.evaluation.report import Report
from playground.components.figures import ARMS, Figure, bars, colour, lines
from playground.evaluations.query import FIGURES

GREY = "#999999"
SIZES = ("small", "medium", "large")
CURVES_AT_MOST = 8  # classes, those with most objects


def figure(report: Report, which: str) -> Figure:
    """Returns one of `playground.evaluations.query.FIGURES`."""
    return dict(zip(FIGURES, (_precision_recall, _calibration, _errors, _sizes), strict=True))[which](report)


def _largest(report: Report) -> list[str]:
    """Returns the names of the classes with most objects."""
    with_objects = [name for name, each in report.classes.items() if each.objects]
    return sorted(with_objects, key=lambda name: -report.classes[name].objects)[:CURVES_AT_MOST]


def _tints(names: list[str]) -> list[tuple[str, str]]:
    return [(name, ARMS[index % len(ARMS)]) for index, name in enumerate(names)]


def _precision_recall(report: Report) -> Figure:
    curves = [
        (name, tint, RECALLS.tolist(), interpolate_precision(report.classes[name].curve).tolist())
        for name, tint in _tints(_largest(report))
    ]
    if report.best:
        curves.append(("best F1", GREY, [report.best.recall], [report.best.precision]))
    made = lines(curves, title="Precision and recall at IoU 0.5", x="recall", y="precision")
    if report.best:
        made["data"][-1] |= {"mode": "markers", "marker": {"color": GREY, "size": 10, "symbol": "x"}}
    return _to_one(made)


def _calibration(report: Report) -> Figure:
    bins = [each for each in report.calibration.bins if each.count]
    drawn = [
        ("as it should be", GREY, [0.0, 1.0], [0.0, 1.0]),
        ("all classes", colour("before"), [each.score for each in bins], [each.precision for each in bins]),
    ]
    made = lines(drawn, title="Do scores mean what they say?", x="mean score of a tenth", y="share that is right")
    made["data"][0]["line"] |= {"dash": "dot"}
    made["data"][1] |= {"mode": "lines+markers", "text": [f"{each.count:,} detections" for each in bins]}
    return _to_one(made)


def _errors(report: Report) -> Figure:
    cost = [_plain(report.error_types.cost[kind]) for kind in KINDS]
    made = bars(KINDS, [("AP50", colour("suppressed"), cost)], title="What each kind of error costs", y="AP50 if fixed")
    made["layout"]["yaxis"]["type"] = "linear"
    return made


def _sizes(report: Report) -> Figure:
    groups = [
        (name, tint, [_plain(getattr(report.classes[name], f"ap_{size}")) for size in SIZES])
        for name, tint in _tints(_largest(report))
    ]
    made = bars(SIZES, groups, title="AP by size of the object (32², 96² px)", y="AP")
    made["layout"]["yaxis"] |= {"type": "linear", "range": [0, 1]}
    return made


def _to_one(made: Figure) -> Figure:
    for axis in ("xaxis", "yaxis"):
        made["layout"][axis]["range"] = [0, 1.02]
    return made


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
