"""Comparisons of short runs: their curves, and the results of each variant so far."""

from markupsafe import Markup

from core.experiments.comparison import read_result, summarise_variants
from core.experiments.presets import Preset
from core.runs.folder import DIVERGED, FAILED
from playground.canvas.view import GREY
from playground.components import html
from playground.components.figures import PALETTE, Figure, Line, Mark, mark, show_points
from playground.components.step_figures import comparison
from playground.runs.curves import average_points, describe_divergence, keep_points, name_last_step
from playground.runs.progress import RunProgress, RunRecords
from playground.runs.reader import hide_paths
from playground.runs.service import RUNS
from playground.steps.comparison.table import make_table


def find_results(run: str, preset: str) -> tuple[str, ...]:
    """Returns the parts of the page that show results of a comparison, none if the run does not belong to it.

    Args:
        run: The run on show, "" for none.
        preset: Key of the preset that is compared.
    """
    if not (preset and RUNS.has(run) and RUNS.about(run).preset == preset):
        return ()
    return ("figure", "readout") if RUNS.read_progress(run).records else ("readout",)  # curves come with the first step


def figure(progress: RunProgress) -> Figure:
    """Returns the curves of a comparison."""
    losses: list[Line] = []
    precision: list[Line] = []
    broken: list[Line] = []  # the box losses that diverged first
    marks = []
    for curve, tint in zip(progress.records, (*PALETTE, GREY), strict=False):
        name, divergence = curve.run.variant.name, curve.divergence
        losses.append((name, tint, *_points(curve, "classification")))
        if divergence:
            ended = losses[-1]
            if divergence.broken == ("box",):
                ended = f"{name}: box loss", tint, *_points(curve, "box")
                broken.append(ended)
            _, _, steps, values = ended
            marks.append(Mark(f"{name}: {name_last_step(divergence, steps[-1])}", tint, steps[-1], values[-1]))
        at = [record["step"] for record in curve.evaluations]
        precision.append((f"{name}: AP", tint, at, [record["metrics"]["ap"] for record in curve.evaluations]))
    diverged = {curve.run.variant.name for curve in progress.records if curve.divergence}
    return mark(show_points(comparison(losses, precision, broken), diverged | {each[0] for each in broken}), marks)


def _points(curve: RunRecords, loss: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Returns the steps and the losses of a run; those of a run that diverged are not averaged."""
    thin = keep_points if curve.divergence else average_points
    return thin([(record["step"], record[loss]) for record in curve.steps])


def status(progress: RunProgress, preset: Preset) -> Markup:
    """Returns the description of a comparison and its results so far.

    Args:
        progress: Of the comparison.
        preset: Of the comparison.
    """
    text = html.paragraph(f"{preset.title}: {progress.state}. {progress.status.message}".strip())
    text += html.said(f"{preset.title}: {progress.state}.")
    text += html.paragraph(preset.description)
    results = [read_result(curve.run) for curve in progress.records]
    broken = (
        f"{each.variant}: {hide_paths(each.message, curve.run.folder).partition(';')[0]}. {_explain(curve)}".strip()
        for each, curve in zip(results, progress.records, strict=True)
        if each.state in (DIVERGED, FAILED)
    )
    return (
        text
        + make_table("This comparison so far", summarise_variants(results), preset)
        + html.join(map(html.paragraph, broken))
    )


def _explain(records: RunRecords) -> str:
    return describe_divergence(records.divergence) if records.divergence else ""
