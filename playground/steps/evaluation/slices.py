"""Average precision by the objects' size, elongation, number and position, for one or several weights in one figure."""

import math
from collections.abc import Hashable, Sequence

from markupsafe import Markup

from core.config import Config
from core.evaluation.slices.measure import Slice
from core.evaluation.slices.quantities import QUANTITIES
from core.io.text import count_noun, join_names
from playground.components import html
from playground.components.figures import PALETTE, Figure, bars
from playground.evaluations.keys import evaluation_key
from playground.evaluations.query import EvaluationQuery
from playground.evaluations.results import EvaluationResult, compute_report
from playground.evaluations.status import JobStatus
from playground.pipeline.pipeline import Pipeline
from playground.steps.evaluation.against import FAIR, Compared, choose_weights, describe_compared, list_compared
from playground.steps.evaluation.figures import nan_to_none
from playground.steps.step import Focus

UNITS = dict(zip(QUANTITIES, (" px", " : 1", "", " from border"), strict=True))
ABOUT = (
    "Each group of bars divides the same objects into about equal parts. “From border” is how far an object's centre "
    "is from the nearest border of the picture: 0 there, 1 half of the picture's shorter side away, in the middle. "
    f"{FAIR}"
)
LACKING = (
    "No bars for {}: either the objects hardly differ, or the value is unknown for some pictures, as in evaluations "
    "stored by an earlier version; those can be evaluated again."
)
OTHER_PICTURES = "of other pictures, since it was stopped or some could not be used: not drawn"


def list_sliced(pipeline: Pipeline, focus: Focus) -> tuple[Compared, ...]:
    """Returns the present weights and the others, with their evaluations; raises as `evaluation_key`."""

    def find_key(config: Config) -> Hashable:
        return evaluation_key(config, pipeline.image_ref, pipeline.visitor)

    return list_compared(pipeline, focus, find_key)


def slices_text(pipeline: Pipeline, focus: Focus) -> Markup:
    """Returns what the bars are, and the weights that the figure shows."""
    compared = list_sliced(pipeline, focus)
    own = compared[0].status

    def describe(status: JobStatus) -> str:
        if status.result is None:
            return status.state
        pictures = f"{status.state}, {count_noun(status.done, 'picture')}"
        return pictures if own and _are_alike(own, status) else f"{pictures} {OTHER_PICTURES}"

    lacking = _name_lacking(_slices_of(own.result, focus.evaluation_query)) if own and own.result else ()
    return (
        html.paragraph(ABOUT)
        + (html.paragraph(LACKING.format(join_names(lacking))) if lacking else Markup())
        + (describe_compared(compared, "Evaluate", describe) if len(compared) > 1 else Markup())
        + choose_weights(pipeline, focus)
    )


def _name_lacking(slices: Sequence[Slice]) -> tuple[str, ...]:
    """Returns the quantities that have no slices, without their units."""
    drawn = {each.quantity for each in slices}
    return tuple(quantity.partition(",")[0] for quantity in QUANTITIES if quantity not in drawn)


def slices_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the bars of all weights that have been evaluated on the same pictures; None if the present ones lack."""
    compared = list_sliced(pipeline, focus)
    own = compared[0].status
    if own is None or own.result is None:
        return None
    query = focus.evaluation_query
    shown = [(each, each.status) for each in compared if each.status and _are_alike(own, each.status)]
    found = [(each, _slices_of(status.result, query)) for each, status in shown if status.result]
    if len(found) == 1:
        return draw_averages(found[0][1])
    return _draw(found[0][1], [(each.name, each.tint, [one.ap for one in slices]) for each, slices in found])


def _are_alike(one: JobStatus, other: JobStatus) -> bool:
    """True if two evaluations are of the same pictures."""
    if one.result is None or other.result is None:
        return False
    kept = [[(name, not each.problem) for name, each in zip(result.names, result.images, strict=True)]
            for result in (one.result, other.result)]  # fmt: skip
    return kept[0] == kept[1]


def _slices_of(result: EvaluationResult, query: EvaluationQuery) -> tuple[Slice, ...]:
    return compute_report(result, query).slices


def draw_averages(slices: Sequence[Slice]) -> Figure:
    """Returns bars of AP and AP50 in slices."""
    groups = [("AP", PALETTE[0], [one.ap for one in slices]), ("AP50", PALETTE[1], [one.ap50 for one in slices])]
    return _draw(slices, groups)


def _draw(slices: Sequence[Slice], groups: Sequence[tuple[str, str, Sequence[float]]]) -> Figure:
    """Returns the bars of slices; `groups` have a name, a colour and the height of the bar in each slice."""
    heights = [(name, tint, [nan_to_none(each) for each in values]) for name, tint, values in groups]
    title = "AP by the objects' size, elongation, number and position"
    made = bars(name_slices(slices), heights, title=title, y="AP", most=1)
    for trace in made["data"]:
        trace["hovertext"] = [count_noun(each.objects, "object") for each in slices]
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
