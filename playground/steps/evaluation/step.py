"""The evaluation step: how good the network is on many pictures, and what kinds of errors it makes."""

import math
from collections.abc import Hashable
from pathlib import Path

from markupsafe import Markup

from core.errors import UserError
from core.evaluation.report import Report
from core.io.text import count_noun
from playground.albums.service import ALBUMS
from playground.canvas.view import Layer
from playground.components import html
from playground.components.figures import Figure
from playground.data.albums import shown_album
from playground.data.browse import count_pictures
from playground.data.datasets import DATA
from playground.data.image_ref import SCENES, ImageRef, is_from_data_set
from playground.data.sources import name_source
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.keys import evaluated_split, evaluation_key
from playground.evaluations.query import ALONG, LABEL, MAKING, SLICES, EvaluationQuery
from playground.evaluations.results import Selection, compute_report, select_pictures
from playground.evaluations.status import STOPPED, WAITING, JobStatus
from playground.inspector.rescues import read_search
from playground.pipeline.networks import name_weights
from playground.pipeline.pipeline import Pipeline
from playground.runs.privacy import find_lineage, find_runs
from playground.runs.reader import read_about
from playground.runs.seen import count_seen
from playground.steps import weights
from playground.steps.evaluation import tables
from playground.steps.evaluation.advice import advise_on
from playground.steps.evaluation.along import build_along_figure, build_along_view
from playground.steps.evaluation.figures import figure
from playground.steps.evaluation.labels import label_layers, label_table
from playground.steps.evaluation.layers import build_layers
from playground.steps.evaluation.making import build_making_view
from playground.steps.evaluation.rescues import search_part
from playground.steps.evaluation.slices import slices_figure, slices_text
from playground.steps.precision.counted import choose, of_evaluation
from playground.steps.precision.view import counted_figure
from playground.steps.step import Focus, LevelCell, Levels, Step, StepText, StepView, truth_layer
from playground.support.wording import name_knobs

SPLIT_ANEW = (
    "The data set has been split anew since these weights were trained: they may have been trained on some of these "
    "pictures, and the results would be too good."
)
SEEN = "in training, so the results are too good: only pictures that they have not seen can tell how good they are."
MAX_EXAMPLES = 8  # of pictures that were left out
LEVELS = (("AP", "ap"), ("AP50", "ap50"), ("AP75", "ap75"), ("small", "ap_small"), ("medium", "ap_medium"),
          ("large", "ap_large"))  # fmt: skip


def job_status(pipeline: Pipeline) -> JobStatus | None:
    """Returns the status of the evaluation of these settings, None if there is none; raises as `evaluation_key`."""
    return EVALUATIONS.read_status(_key(pipeline))


def _key(pipeline: Pipeline) -> Hashable:
    pipeline.network  # noqa: B018 (raises PostponedError while a knob is dragged, if it is not cached)
    return evaluation_key(pipeline.config, pipeline.image_ref, pipeline.visitor)


def selected_pictures(pipeline: Pipeline, query: EvaluationQuery) -> Selection | None:
    """Returns the selected pictures, None if the settings have not been evaluated; raises as `evaluation_key`."""
    status = job_status(pipeline)
    return select_pictures(status.result, query) if status and status.result else None


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the status of the evaluation, or its metrics and the picture with right, wrong and missed detections."""
    status = job_status(pipeline)
    text = _status_text(pipeline, status) + weights.differences(pipeline.config)
    text += html.said(f"The evaluation: {status.state}.") if status else Markup()
    query = focus.evaluation_query
    if query.figure == ALONG:
        return build_along_view(pipeline, focus, text)
    if status is None or status.result is None:
        text += html.paragraph(html.link("Measure AP along a dial of the scenes", f"figure {ALONG}"))
        return StepView((truth_layer(pipeline),), build_text=lambda: StepText(text))
    result = status.result
    if query.figure == MAKING:
        return build_making_view(pipeline, result, focus, text)
    report = compute_report(result, query)
    current = _current_index(pipeline, status)
    layers: tuple[Layer, ...] = (truth_layer(pipeline),)
    if current is not None:
        layers = build_layers(pipeline, current, result, report, query)

    def build_text() -> StepText:
        metrics = tables.facts(report) + tables.best(report.best) + tables.matrix(report, query)
        more = tables.calibration_error(report.calibration) if query.figure == "calibration" else Markup()
        more += (
            tables.errors(report, query) + tables.advice(advise_on(result, pipeline.config)) + tables.classes(report)
        )
        more += search_part(read_search(pipeline)) + tables.worst(report, current)
        more += label_table(result, query, evaluated_split(pipeline.image_ref), current)
        shown = tables.figures(query)
        if query.figure == SLICES:
            return StepText(text + metrics + shown + slices_text(pipeline, focus), slices_figure(pipeline, focus), more)
        return StepText(text + metrics + shown, figure(report, query.figure), more)

    return StepView(layers, build_text=build_text)


def suspected_layers(pipeline: Pipeline, query: EvaluationQuery) -> tuple[Layer, ...]:
    """Returns the suspected labels of the picture as a layer, if the visitor browses them; for the step of drawing."""
    if query.choice.split(" ")[0] != LABEL:
        return ()
    try:
        status = job_status(pipeline)
    except UserError:  # the step Evaluation says why
        return ()
    index = _current_index(pipeline, status) if status else None
    if status is None or status.result is None or index is None:
        return ()
    return label_layers(pipeline, index, status.result, query)


def build_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the chosen figure, None if these settings have not been evaluated; raises as `evaluation_key`."""
    status, query = job_status(pipeline), focus.evaluation_query
    if query.figure == ALONG:
        return build_along_figure(pipeline, focus)
    if query.figure == SLICES:
        return slices_figure(pipeline, focus._replace(weights=()))
    if status is None or status.result is None:
        return None
    if query.figure == MAKING:
        return counted_figure(choose(of_evaluation(status.result), focus.dials))
    return figure(compute_report(status.result, query), query.figure)


def _current_index(pipeline: Pipeline, status: JobStatus) -> int | None:
    """Returns the index of the page's picture among the evaluated ones, None if it was not evaluated."""
    split = pipeline.image_ref
    return split.index if split and status.result and split.index < len(status.result.images) else None


def _status_text(pipeline: Pipeline, status: JobStatus | None) -> Markup:
    split = evaluated_split(pipeline.image_ref)
    count = pipeline.config.training.eval_images
    if status is None:
        return html.paragraph(
            f"Press Evaluate to run the network (weights: {name_weights(pipeline.config.model.weights)}) on "
            f"{_pictures(split, pipeline, count)}. Choose what is evaluated above the picture."
        )
    if status.state == WAITING:
        return html.paragraph("This evaluation waits for another evaluation or search to end.") + _bar(status)
    if status.active:
        return html.paragraph(f"{status.done:,} of {count_noun(status.total, 'picture')} …") + _bar(status)
    if status.result is None:
        return html.paragraph(f"The evaluation {status.state}. {name_knobs(status.message)}".strip())
    name = name_source(split, pipeline.visitor)
    text = f"{count_noun(status.done, 'picture')} of {name}, {split.split}."
    if status.state == STOPPED:
        text = f"Stopped after {status.done:,} of {count_noun(status.total, 'picture')} of {name}, {split.split}."
    if count := count_seen_in(pipeline, split, status.done):
        text += f" These weights have seen {count:,} of them {SEEN}"
    elif split.split == "train":
        text += " The network may have been trained on them: results on val or test are more meaningful."
    elif was_split_otherwise(pipeline.config.model.weights, split):
        text += f" {SPLIT_ANEW}"
    if _current_index(pipeline, status) is None:
        text += " This picture is not one of them: choose a cell or a picture below."
    return html.paragraph(f"{text} {name_knobs(status.message)}".strip()) + _left_out(status.result.left_out)


def was_split_otherwise(weights: str, split: ImageRef) -> bool:
    """True for weights that were trained on other pictures of the data set than it has for training now."""
    if not is_from_data_set(split) or "train" not in DATA.library.get(split.source).splits:
        return False
    folder, now = str(DATA.library.get(split.source).folder), DATA.open_split(split.source, "train").digest
    runs = (each for run in find_runs(Path(weights)) for each in find_lineage(run))
    known = (about.pictures for about in map(read_about, runs) if about.source == folder)
    return any(pictures and pictures != now for pictures in known)


def count_seen_in(pipeline: Pipeline, split: ImageRef, count: int) -> int:
    """Returns how many of the first pictures of an album's split the weights on show were trained on."""
    album = shown_album(split, pipeline.visitor)
    if album is None:
        return 0
    return count_seen(pipeline.config.model.weights, ALBUMS.find_files(album, split.split)[:count])


def _left_out(problems: tuple[str, ...]) -> Markup:
    """Returns the pictures that could not be evaluated, folded; nothing if there are none."""
    if not problems:
        return Markup()
    items = html.join(Markup("<li>{}</li>").format(each) for each in problems[:MAX_EXAMPLES])
    title = f"{len(problems):,} of them could not be used and were left out"
    return html.details(title, Markup("<ul>{}</ul>").format(items))


def _pictures(split: ImageRef, pipeline: Pipeline, count: int) -> str:
    if split.source == SCENES:
        return f"{count_noun(count, 'held-out scene')} generated with the settings of the Picture step"
    total = count_pictures(split, pipeline.visitor).get(split.split, 0)
    name = name_source(split, pipeline.visitor)
    return f"{min(count or total, total):,} of {count_noun(total, 'picture')} of {name}, {split.split}"


def _bar(status: JobStatus) -> Markup:
    return html.progress(status.done, status.total, "Evaluated pictures")


def _headline(pipeline: Pipeline) -> str:
    status = job_status(pipeline)
    if status is None:
        return "not yet"
    if status.active:
        return f"{status.done:,} of {status.total:,}"
    return f"AP {_format_metric(status.result.report, 'ap')}" if status.result else status.state


def _format_metric(report: Report, name: str) -> str:
    value = getattr(report.metrics, name)
    return html.number(None if math.isnan(value) else value)


def _levels(pipeline: Pipeline, focus: Focus) -> Levels:
    status = job_status(pipeline)
    if status is None or status.result is None:
        cells = tuple(LevelCell(name, "–") for name, _ in LEVELS)
    else:
        cells = tuple(LevelCell(name, _format_metric(status.result.report, field)) for name, field in LEVELS)
    return Levels("average precision", cells)


STEP = Step(
    "evaluation",
    "How good the network is on many pictures, which errors it makes and what they cost. The pictures are those of the "
    "split that is chosen above the picture, or held-out scenes. Detections count from a score of 0.05, or from the "
    "score threshold if that is lower.",
    _headline,
    build_view,
    _levels,
    has_figure=True,
    build_figure=build_figure,
    without_pinned="The figure shows nothing of A, which has not been evaluated: press Back to A, then Evaluate.",
)
