"""Evaluation: how good the network is on many pictures, and why it is no better."""

import math
from collections.abc import Hashable
from pathlib import Path

from markupsafe import Markup

from core.config import Config, Knob
from core.evaluation.report import Report
from playground.components import html
from playground.data.browse import count_pictures
from playground.data.image_ref import SCENES, ImageRef
from playground.evaluations.jobs import EVALUATIONS, STOPPED, WAITING, JobStatus, evaluated_split, evaluation_key
from playground.evaluations.query import EvaluationQuery
from playground.evaluations.results import Selection, compute_report, select_pictures
from playground.pipeline.pipeline import Pipeline
from playground.steps.evaluation import tables
from playground.steps.evaluation.figures import figure
from playground.steps.evaluation.layers import layers
from playground.steps.step import Focus, LevelCell, Levels, Step, StepText, StepView, truth_layer
from playground.steps.training import EVAL_IMAGES

LEVELS = (("AP", "ap"), ("AP50", "ap50"), ("AP75", "ap75"), ("small", "ap_small"), ("medium", "ap_medium"),
          ("large", "ap_large"))  # fmt: skip


def job_status(pipeline: Pipeline) -> JobStatus | None:
    """Returns where the evaluation of the settings stands, None if there is none; raises as `evaluation_key`."""
    return EVALUATIONS.read_status(_key(pipeline))


def _key(pipeline: Pipeline) -> Hashable:
    pipeline.network  # noqa: B018 (refused while a knob is held and it is not there yet)
    return evaluation_key(pipeline.config, pipeline.image_ref)


def selected_pictures(pipeline: Pipeline, query: EvaluationQuery) -> Selection | None:
    """Returns the selected pictures, None if the settings have not been evaluated; raises as `evaluation_key`."""
    standing = job_status(pipeline)
    return select_pictures(standing.result, query) if standing and standing.result else None


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows how the evaluation stands, or its figures and the picture with what is right, wrong and missed."""
    standing = job_status(pipeline)
    text = _status(pipeline, standing)
    if standing is None or standing.result is None:
        return StepView((truth_layer(pipeline),), build_text=lambda: StepText(text))
    result, query = standing.result, focus.evaluation_query
    report = compute_report(result, query)
    here = _shown_index(pipeline, standing)
    drawn = layers(pipeline, result, report, query) if here is not None else (truth_layer(pipeline),)

    def build_text() -> StepText:
        found = tables.facts(report) + tables.best(report.best) + tables.matrix(report, query)
        more = tables.calibrated(report.calibration) if query.figure == "calibration" else Markup()
        more += tables.errors(report, query) + tables.classes(report) + tables.worst(report, here)
        return StepText(text + found + tables.figures(query), figure(report, query.figure), more)

    return StepView(drawn, build_text=build_text)


def _shown_index(pipeline: Pipeline, standing: JobStatus) -> int | None:
    """Returns which of the evaluated pictures is on show, None for one that was not evaluated."""
    place = pipeline.image_ref
    return place.index if place and standing.result and place.index < len(standing.result.images) else None


def _status(pipeline: Pipeline, standing: JobStatus | None) -> Markup:
    place = evaluated_split(pipeline.image_ref)
    count = pipeline.config.training.eval_images
    if standing is None:
        return html.paragraph(
            f"Press Evaluate to look at {_pictures(place, pipeline.config, count)} with the weights "
            f"{_name(pipeline.config.model.weights)}. What is evaluated is chosen above the picture."
        )
    if standing.state == WAITING:
        return html.paragraph("This evaluation waits for another to end.") + _bar(standing)
    if standing.active:
        return html.paragraph(f"{standing.done:,} of {standing.total:,} pictures …") + _bar(standing)
    if standing.result is None:
        return html.paragraph(f"The evaluation {standing.state}. {standing.message}".strip())
    text = f"{standing.done:,} pictures of {place.source}, {place.split}."
    if standing.state == STOPPED:
        text = f"Stopped after {standing.done:,} of {standing.total:,} pictures of {place.source}, {place.split}."
    if place.split == "train":
        text += " They may have been trained on: figures on val or test say more."
    if _shown_index(pipeline, standing) is None:
        text += " The picture on show is none of them: choose a cell or a picture below."
    return html.paragraph(f"{text} {standing.message}".strip())


def _name(weights: str) -> str:
    """Returns what weights are called: of a file, its folder's name and its own."""
    return "/".join(Path(weights).parts[-2:])


def _pictures(place: ImageRef, config: Config, count: int) -> str:
    if place.source == SCENES:
        return f"{count:,} held-out scenes with these dials"
    there = count_pictures(place).get(place.split, 0)
    return f"{min(count, there):,} of the {there:,} pictures of {place.source}, {place.split},"


def _bar(standing: JobStatus) -> Markup:
    bar = Markup('<progress value="{}" max="{}" aria-label="Pictures looked at"></progress>')
    return bar.format(standing.done, standing.total)


def _headline(pipeline: Pipeline) -> str:
    standing = job_status(pipeline)
    if standing is None:
        return "not yet"
    if standing.active:
        return f"{standing.done:,} of {standing.total:,}"
    return f"AP {_figure(standing.result.report, 'ap')}" if standing.result else standing.state


def _figure(report: Report, name: str) -> str:
    value = getattr(report.metrics, name)
    return html.number(None if math.isnan(value) else value)


def _levels(pipeline: Pipeline, focus: Focus) -> Levels:
    standing = job_status(pipeline)
    if standing is None or standing.result is None:
        cells = tuple(LevelCell(name, "–") for name, _ in LEVELS)
    else:
        cells = tuple(LevelCell(name, _figure(standing.result.report, field)) for name, field in LEVELS)
    return Levels("average precision", cells)


def _belongs(knob: Knob) -> bool:
    return knob.path == EVAL_IMAGES


STEP = Step(
    "evaluation",
    "Evaluation",
    "How good the network is on many pictures, what goes wrong in them and what that costs. The pictures are those of "
    "the split that is chosen above the picture, or held-out scenes. Detections count from a score of 0.05, or from "
    "the score threshold if that is lower.",
    _belongs,
    _headline,
    build_view,
    _levels,
)
