"""Average precision along a dial of the scenes, for one or several weights in one figure."""

from collections.abc import Hashable, Sequence

from markupsafe import Markup

from core.config import Config
from core.evaluation.slices.along_dial import SCENE_DIALS, Point, dial_knob, find_limits, space_values
from core.io.text import count_noun
from playground.components import html
from playground.components.dials import CHOICE, SLIDER, Dial
from playground.components.figures import Figure, Line, lines
from playground.evaluations.keys import curve_key
from playground.evaluations.status import STOPPED, JobStatus
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import COUNTS, Dials
from playground.steps.evaluation import tables
from playground.steps.evaluation.against import FAIR, Compared, choose_weights, describe_compared, list_compared
from playground.steps.step import Focus, StepText, StepView, truth_layer

ABOUT = (
    "The same held-out scenes are drawn anew with one of their dials at each value; all others, and the seeds, are "
    "those of the Picture step; “Evaluation images” says how many scenes. Where the curve falls, the network has not "
    f"learnt what it needs there. {FAIR}"
)
RARE = (
    "Rare: {}. At one of the values, fewer than a tenth as many of them are expected as of the most frequent class. "
    "Where none is drawn, they have no AP."
)


def choose_values(config: Config, dials: Dials) -> tuple[float, ...]:
    """Returns the values of the dial at which AP is to be measured; none if the lowest is above the highest."""
    least, most = find_limits(config, dials.along)
    low = least if dials.along_low is None else dials.along_low
    high = most if dials.along_high is None else dials.along_high
    return space_values(config, dials.along, low, high, int(dials.along_count))


def list_curves(pipeline: Pipeline, focus: Focus) -> tuple[Compared, ...]:
    """Returns the present weights and the others, with what has been measured along the dial; raises as `curve_key`."""
    values = choose_values(pipeline.config, focus.dials)

    def find_key(config: Config) -> Hashable:
        return curve_key(config, focus.dials.along, values) if values else None

    return list_compared(pipeline, focus, find_key)


def build_along_view(pipeline: Pipeline, focus: Focus, status: Markup) -> StepView:
    """Shows AP along the dial, and what can be measured.

    Args:
        pipeline: The picture on the page under the settings.
        focus: The visitor's choices.
        status: A description of the evaluation of the present settings.
    """

    def build_text() -> StepText:
        curves = list_curves(pipeline, focus)
        text = status + tables.figures(focus.evaluation_query) + html.paragraph(ABOUT)
        text += describe_compared(curves, "Measure", _describe) + choose_weights(pipeline, focus)
        states = (f"{each.name} {each.status.state}" for each in curves if each.status)
        text += html.said(f"Along {_label(focus.dials.along)}: {', '.join(states) or 'not measured'}.")
        figure, dials = _draw(curves, pipeline, focus.dials), along_dials(pipeline.config, focus.dials)
        return StepText(text, figure, _tabulate(curves, focus.dials), dials)

    return StepView((truth_layer(pipeline),), build_text=build_text)


def build_along_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the curve of the settings alone, None if it has not been measured."""
    return _draw(list_curves(pipeline, focus._replace(weights=()))[:1], pipeline, focus.dials)


def along_dials(config: Config, dials: Dials) -> tuple[Dial, ...]:
    """Returns the dials that choose the values."""
    low, high = find_limits(config, dials.along)
    step = dial_knob(dials.along).step or 1
    ends = [low if dials.along_low is None else dials.along_low, high if dials.along_high is None else dials.along_high]
    lowest, highest = (f"{min(max(each, low), high):g}" for each in ends)
    choices = tuple((_label(name), name) for name in SCENE_DIALS)
    return (
        Dial("along", "Dial of the scenes", CHOICE, dials.along, choices=choices),
        Dial("along_low", "From", SLIDER, lowest, low, high, step),
        Dial("along_high", "To", SLIDER, highest, low, high, step),
        Dial("along_count", "Values", CHOICE, dials.along_count, choices=tuple((each, each) for each in COUNTS)),
    )


def _label(dial: str) -> str:
    return dial_knob(dial).label


def _describe(status: JobStatus) -> str:
    points = len(status.curve.points) if status.curve else 0
    if status.state == STOPPED:
        return f"stopped after {count_noun(points, 'value')}"
    return f"{count_noun(points, 'value')}, {count_noun(status.done, 'picture')}" if points else status.state


def _points_of(each: Compared) -> tuple[Point, ...]:
    return each.status.curve.points if each.status and each.status.curve else ()


def _draw(curves: Sequence[Compared], pipeline: Pipeline, dials: Dials) -> Figure | None:
    """Returns AP, AP50 and, if there are rare classes, their AP, with the dial's present value; None without points."""
    measured = [(each, points) for each in curves if (points := _points_of(each))]
    if not measured:
        return None
    drawn: list[tuple[Line, str, list[str]]] = []
    for each, points in measured:
        name = f"{each.name}: " if len(curves) > 1 else ""
        counts = [
            f"{count_noun(point.objects, 'object')} in {count_noun(point.pictures, 'picture')}" for point in points
        ]
        values = [point.value for point in points]
        drawn.append(((f"{name}AP", each.tint, values, [point.ap for point in points]), "solid", counts))
        drawn.append(((f"{name}AP50", each.tint, values, [point.ap50 for point in points]), "dot", counts))
        if each.status and each.status.curve and each.status.curve.rare:
            rare = [count_noun(point.rare_objects, "rare object") for point in points]
            drawn.append(
                ((f"{name}AP of rare classes", each.tint, values, [point.rare_ap for point in points]), "dash", rare)
            )
    knob = dial_knob(dials.along)
    x = f"{knob.label}, {knob.unit}" if knob.unit else knob.label
    made = lines([line for line, *_ in drawn], title=f"AP along {knob.label}", x=x, y="AP")
    for trace, (_, dash, text) in zip(made["data"], drawn, strict=True):
        trace |= {"mode": "lines+markers", "text": text, "marker": {"color": trace["line"]["color"], "size": 7}}
        trace["line"] |= {"dash": dash}
    made["layout"]["yaxis"]["range"] = [0, 1.02]
    return _mark_present(made, getattr(pipeline.config.scenes, dials.along))


def _mark_present(made: Figure, value: float) -> Figure:
    """Marks the value that the dial has on the page by a vertical line; returns the figure."""
    line = {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1}
    made["layout"]["shapes"].append({**line, "line": {"dash": "dot", "width": 1}})
    label = {"x": value, "yref": "paper", "y": 0, "text": f"present: {value:g}", "showarrow": False}
    made["layout"]["annotations"].append({**label, "xanchor": "auto", "yanchor": "bottom"})
    return made


def _tabulate(curves: Sequence[Compared], dials: Dials) -> Markup:
    """Returns the points as a table for each of the weights; nothing without any."""
    parts = []
    for each in curves:
        if not (points := _points_of(each)) or not each.status or not each.status.curve:
            continue
        rare = each.status.curve.rare
        more = ("rare objects", "their AP") if rare else ()
        columns = (_label(dials.along).lower(), "pictures", "objects", "AP", "AP50", *more)
        title = f"Along {_label(dials.along)}: {each.name}"
        parts.append(html.table(html.Table(title, columns, tuple(_row(point, rare) for point in points))))
    for rare in {each.status.curve.rare: None for each in curves if each.status and each.status.curve}:
        parts.append(html.paragraph(RARE.format(", ".join(rare))) if rare else Markup())  # the same for all weights
    return html.join(parts)


def _row(point: Point, rare: tuple[str, ...]) -> tuple[str, ...]:
    counts = html.count(point.pictures), html.count(point.objects)
    of_rare = (html.count(point.rare_objects), tables.number(point.rare_ap)) if rare else ()
    return (f"{point.value:g}", *counts, tables.number(point.ap), tables.number(point.ap50), *of_rare)
