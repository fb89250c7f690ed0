"""The figures of an evaluation: precision and recall, calibration, cost of errors, AP by size."""

import math

from core.evaluation.error_types import KINDS
from core.evaluation.precision_recall import RECALLS, interpolate_precision
from core.evaluation.report import Report
from playground.canvas.view import GREY
from playground.components.figures import PALETTE, Figure, bars, colour, lines
from playground.evaluations.query import OF_REPORT
from playground.steps.evaluation.tables import ERROR_NAMES

SIZES = ("small", "medium", "large")
MAX_CURVES = 8  # those of the classes with most objects


def figure(report: Report, which: str) -> Figure:
    """Returns one of `playground.evaluations.query.OF_REPORT`."""
    builders = (_precision_recall, _calibration, _errors, _sizes)
    return dict(zip(OF_REPORT, builders, strict=True))[which](report)


def _largest(report: Report) -> list[str]:
    """Returns the names of the classes with most objects, the largest first."""
    with_objects = [name for name, each in report.classes.items() if each.objects]
    return sorted(with_objects, key=lambda name: -report.classes[name].objects)[:MAX_CURVES]


def _tints(names: list[str]) -> list[tuple[str, str]]:
    return [(name, PALETTE[index % len(PALETTE)]) for index, name in enumerate(names)]


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
    return _limit_axes(made)


def _calibration(report: Report) -> Figure:
    bins = [each for each in report.calibration.bins if each.count]
    drawn = [
        ("perfect calibration", GREY, [0.0, 1.0], [0.0, 1.0]),
        ("all classes", colour("before"), [each.score for each in bins], [each.precision for each in bins]),
    ]
    made = lines(drawn, title="Calibration", x="mean score per bin", y="precision")
    made["data"][0]["line"] |= {"dash": "dot"}
    made["data"][1] |= {"mode": "lines+markers", "text": [f"{each.count:,} detections" for each in bins]}
    return _limit_axes(made)


def _errors(report: Report) -> Figure:
    cost = [nan_to_none(report.error_types.cost[kind]) for kind in KINDS]
    names = [ERROR_NAMES[kind] for kind in KINDS]
    most = max((each for each in cost if each is not None), default=0) or 1
    groups = [("AP50", colour("suppressed"), cost)]
    return bars(names, groups, title="Cost of each kind of error", y="AP50 if fixed", most=1.1 * most)


def _sizes(report: Report) -> Figure:
    groups = [
        (name, tint, [nan_to_none(getattr(report.classes[name], f"ap_{size}")) for size in SIZES])
        for name, tint in _tints(_largest(report))
    ]
    return bars(SIZES, groups, title="AP by size of the object (32², 96² px)", y="AP", most=1)


def _limit_axes(made: Figure) -> Figure:
    for axis in ("xaxis", "yaxis"):
        made["layout"][axis]["range"] = [0, 1.02]
    return made


def nan_to_none(value: float) -> float | None:
    """Returns a number, None for NaN, which draws no bar."""
    return None if math.isnan(value) else value
