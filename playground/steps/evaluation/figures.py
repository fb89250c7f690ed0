"""The figures of an evaluation: precision and recall, calibration, cost of errors, AP by size and by slices."""

import math
from collections.abc import Sequence

from core.evaluation.error_types import KINDS
from core.evaluation.precision_recall import RECALLS, interpolate_precision
from core.evaluation.report import Report
from core.evaluation.slices import QUANTITIES, Slice
from core.io.text import count_noun
from playground.components.figures import PALETTE, Figure, bars, colour, lines
from playground.evaluations.query import OF_REPORT
from playground.steps.evaluation.tables import ERROR_NAMES

GREY = "#999999"
UNITS = dict(zip(QUANTITIES, (" px", " : 1", ""), strict=True))
SIZES = ("small", "medium", "large")
MAX_CURVES = 8  # those of the classes with most objects


def figure(report: Report, which: str) -> Figure:
    """Returns one of `playground.evaluations.query.OF_REPORT`."""
    builders = (_precision_recall, _calibration, _errors, _sizes, _slices)
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
    cost = [_nan_to_none(report.error_types.cost[kind]) for kind in KINDS]
    names = [ERROR_NAMES[kind] for kind in KINDS]
    made = bars(names, [("AP50", colour("suppressed"), cost)], title="Cost of each kind of error", y="AP50 if fixed")
    made["layout"]["yaxis"]["type"] = "linear"
    return made


def _sizes(report: Report) -> Figure:
    groups = [
        (name, tint, [_nan_to_none(getattr(report.classes[name], f"ap_{size}")) for size in SIZES])
        for name, tint in _tints(_largest(report))
    ]
    made = bars(SIZES, groups, title="AP by size of the object (32², 96² px)", y="AP")
    made["layout"]["yaxis"] |= {"type": "linear", "range": [0, 1]}
    return made


def _slices(report: Report) -> Figure:
    names = name_slices(report.slices)
    groups = [
        (name, tint, [_nan_to_none(getattr(each, field)) for each in report.slices])
        for name, field, tint in (("AP", "ap", PALETTE[0]), ("AP50", "ap50", PALETTE[1]))
    ]
    title = "AP by the objects' size, elongation and number in the picture"
    made = bars(names, groups, title=title, y="AP")
    made["layout"]["yaxis"] |= {"type": "linear", "range": [0, 1]}
    for trace in made["data"]:
        trace["hovertext"] = [count_noun(each.objects, "object") for each in report.slices]
    return made


def name_slices(slices: Sequence[Slice]) -> list[str]:
    """Returns the bounds of slices in words, such as "34–58 px", with as many digits as tell them apart."""
    names: list[str] = []
    for digits in (3, 6, 17):  # bars of one name would cover each other
        names = [_name_slice(each, digits) for each in slices]
        if len(set(names)) == len(names):
            break
    return names


def _name_slice(each: Slice, digits: int) -> str:
    low, high, unit = f"{each.low:.{digits}g}", each.high, UNITS[each.quantity]
    if not unit:  # whole numbers below the upper bound
        most = "" if high == each.low + 1 else " or more" if math.isinf(high) else f"–{high - 1:.0f}"
        return f"{each.low:.0f}{most} in picture"
    return f"≥ {low}{unit}" if math.isinf(high) else f"{low}–{high:.{digits}g}{unit}"


def _limit_axes(made: Figure) -> Figure:
    for axis in ("xaxis", "yaxis"):
        made["layout"][axis]["range"] = [0, 1.02]
    return made


def _nan_to_none(value: float) -> float | None:
    return None if math.isnan(value) else value
