"""The comparison with a framework: a figure of the detections that each convention changes, and what else it does."""

from markupsafe import Markup, escape

from core.config import Config, format_value, knobs
from core.conventions.comparison import Comparison, Outcome
from core.conventions.convention import FRAMEWORKS
from core.conventions.words import COLUMNS, SAME, describe_difference, name_within, summarise
from playground.components import html
from playground.components.dials import CHOICE, Dial
from playground.components.figures import Figure, bars, colour
from playground.inspector.detection import DRAWN_FROM
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import Dials
from playground.steps.frameworks.compared import compare_with, has_known_objects
from playground.steps.step import StepText
from playground.support.wording import name_knobs, name_value

METHOD = (
    "Weights, sizes of anchors, thresholds and NMS are those here; the framework's conventions alone take the place of "
    f"ours, each by itself and all together. Detections from {DRAWN_FROM:g} are drawn, and all are counted. Weights "
    "converted with care, as by reordering the outputs of the heads, differ by less. A click on a setting applies it "
    "here."
)
NO_OBJECTS = "The network knows no objects of this picture, so that their assignment and the losses are not compared."
WHOLE = "The comparison is about the whole picture as it is, without its tiles and other views."
TOLD = "What is not computed"


def framework_dials(dials: Dials) -> tuple[Dial, ...]:
    """Returns the dial that chooses the framework."""
    choices = tuple((name, key) for key, name in FRAMEWORKS.items())
    return (Dial("framework", "Framework", CHOICE, dials.framework, choices=choices),)


def framework_text(pipeline: Pipeline, dials: Dials, chooser: Dial) -> StepText:
    """Returns the content beside the picture; raises as `compare_with`."""
    comparison = compare_with(pipeline, dials.framework)
    known = has_known_objects(pipeline)
    text = (
        (html.paragraph(WHOLE) if pipeline.is_tiled or len(pipeline.views) > 1 else Markup())
        + html.paragraph(name_knobs(summarise(comparison)))
        + _table(comparison, pipeline.config, known=known)
        + (Markup() if known else html.paragraph(NO_OBJECTS))
    )
    text += html.paragraph(METHOD) + _tell(comparison) + _name_sources(comparison)
    return StepText(text, framework_figure(pipeline, dials), dials=(chooser, *framework_dials(dials)))


def framework_figure(pipeline: Pipeline, dials: Dials) -> Figure:
    """Returns how many detections each convention by itself changes; raises as `compare_with`."""
    comparison = compare_with(pipeline, dials.framework)
    acting = [(each, each.difference.detections) for each in comparison.outcomes if each.difference]
    acting = [(each, found) for each, found in acting if found.total]
    found = [*(of_one for _, of_one in acting), comparison.difference.detections]
    groups = [
        ("lost", colour("suppressed"), [len(each.lost) for each in found]),
        ("new", colour("before"), [len(each.new) for each in found]),
        ("changed", colour("beyond_cap"), [int(each.changed.sum()) for each in found]),
    ]
    names = [*(each.convention.title for each, _ in acting), "all together"]
    return bars(names, groups, title=f"Detections that differ in {FRAMEWORKS[dials.framework]}", y="number")


def _table(comparison: Comparison, config: Config, *, known: bool) -> Markup:
    """Returns what differs, by convention and together; without known objects nothing is said of their assignment."""
    changes = {
        each.convention.key: _join(describe_difference(each.difference), known=known)
        for each in comparison.outcomes
        if each.difference
    }
    together = _join(describe_difference(comparison.difference), known=known)
    rows: list[tuple[str, str]] = [("all together", together or "nothing")]
    rows += [
        (_name(each) + _offer(config, each), changes[each.convention.key])
        for each in comparison.outcomes
        if changes.get(each.convention.key)
    ]
    name = FRAMEWORKS[comparison.framework]
    table = html.table(html.Table(f"What {name} does differently", ("there", "what that changes"), tuple(rows)))
    same = [name_within(each) for each in comparison.outcomes if not each.told and not changes.get(each.convention.key)]
    return table + (html.paragraph(f"Without effect here: {', '.join(same)}.") if same else Markup())


def _name(outcome: Outcome) -> Markup:
    return escape(f"{outcome.convention.title}: {outcome.practice.text}. ")


def _offer(config: Config, outcome: Outcome) -> Markup:
    """Returns links that set the hyperparameters that differ from the framework's."""
    values = config.to_flat()
    changes = [(path, value) for path, value in outcome.practice.settings.items() if values[path] != value]
    return html.join(_link(path, value) for path, value in changes)


def _link(path: str, value: object) -> Markup:
    text = f"{knobs()[path].label}: {name_value(knobs()[path], value)}"
    return html.link(text, f"set {path} {format_value(value)}", name=f"Apply: {text}")


def _join(cells: tuple[str, ...], *, known: bool) -> str:
    """Returns the cells that say something, with their names; "" if none does."""
    named = zip(COLUMNS, cells, strict=True)
    shown = [f"{name}: {cell}" for name, cell in named if cell != SAME and (known or name not in COLUMNS[1:3])]
    return "; ".join(shown)


def _tell(comparison: Comparison) -> Markup:
    rows = tuple((_name(each), name_knobs(each.told)) for each in comparison.outcomes if each.told)
    return html.details(TOLD, html.table(html.Table("", ("there", "why"), rows)))


def _name_sources(comparison: Comparison) -> Markup:
    rows = tuple((each.convention.title, each.practice.source) for each in comparison.outcomes)
    return html.details("Where its code says so", html.table(html.Table("", ("convention", "file"), rows)))
