"""Suspected errors of the labels: their table, and the boxes on the picture."""

import torch
from markupsafe import Markup

from core.evaluation.label_errors import LABEL_ERRORS, MISPLACED, MISSING, WRONG_CLASS, LabelError
from core.evaluation.report import Report
from core.retinanet.boxes import rescale
from playground.canvas.view import Layer
from playground.components import html
from playground.data.image_ref import SCENES, ImageRef, is_from_album
from playground.evaluations.query import LABEL, EvaluationQuery
from playground.evaluations.results import EvaluationResult, select_label_errors
from playground.pipeline.pipeline import Pipeline

SHOWN = 20
ABOUT = "Detections contradict these labels; the likelier a label is wrong, the lower its quality (ObjectLab). "
OF_SCENES = "Scenes are labelled exactly, so here it is the network that is wrong: try it on pictures of your own."
OF_ALBUM = "Correct opens the picture where you draw: what you change is saved. Then evaluate again."
OF_DATA_SET = (
    "Correct opens the picture where you draw, for you alone: correct the files of the data set with your tool."
)


def label_table(result: EvaluationResult, query: EvaluationQuery, split: ImageRef, current: int | None) -> Markup:
    """Returns the likeliest errors of the labels, with links that open their pictures and the box editor.

    Args:
        result: The evaluation.
        query: The visitor's selection.
        split: What was evaluated.
        current: Index of the picture on the page among the evaluated ones, None if it is none of them.
    """
    report = result.report
    errors = select_label_errors(report, query.choice)
    rows = tuple(_row(each, result, current) for each in errors[:SHOWN])
    columns = ("picture", "suspicion", "score", "quality", "box editor")
    which = f"the likeliest {SHOWN} of {len(errors):,}" if len(errors) > SHOWN else f"{len(errors):,}"
    table = html.table(html.Table(f"Suspected errors of the labels: {which}", columns, rows))
    if not report.label_errors:
        return table
    where = OF_SCENES if split.source == SCENES else OF_ALBUM if is_from_album(split) else OF_DATA_SET
    return table + _kinds(report, query) + html.paragraph(ABOUT + where)


def _kinds(report: Report, query: EvaluationQuery) -> Markup:
    """Returns the links that choose the pictures of one kind, or of all kinds."""
    counts = {kind: sum(each.kind == kind for each in report.label_errors) for kind in LABEL_ERRORS}
    links = [html.link("all", LABEL, on=query.choice == LABEL)]
    links += [
        html.link(f"{kind}: {count:,}", f"{LABEL} {kind}", on=query.choice == f"{LABEL} {kind}")
        for kind, count in counts.items()
        if count
    ]
    return html.tabs("Kind of error", links)


def _row(error: LabelError, result: EvaluationResult, current: int | None) -> tuple[str, ...]:
    name = result.names[error.image]
    return (
        html.link(name, f"label {error.image}", on=error.image == current),
        _describe(error, result),
        f"{error.score:.2f}",
        f"{error.quality:.2f}",
        html.link("Correct", f"correct {error.image}", name=f"Correct {name}"),
    )


def _describe(error: LabelError, result: EvaluationResult) -> str:
    found = result.class_names[error.label]
    if error.kind == WRONG_CLASS:
        labelled = result.class_names[int(result.images[error.image].truth.labels[error.object])]
        return f"{labelled}: rather {found}"
    return f"{found}: {error.kind}"


def label_layers(pipeline: Pipeline, index: int, result: EvaluationResult, query: EvaluationQuery) -> tuple[Layer, ...]:
    """Returns the suspected labels of a picture, and of misplaced ones where the detector sees the object, as a layer.

    Args:
        pipeline: The picture under the settings.
        index: Its index among the evaluated pictures.
        result: The evaluation.
        query: The visitor's selection.
    """
    boxes, captions = [], []
    for each in select_label_errors(result.report, query.choice):
        if each.image != index:
            continue
        if each.object >= 0:
            boxes.append(result.images[index].truth.boxes[each.object].tolist())
            captions.append(f"{_describe(each, result)}?")
        if each.kind in (MISSING, MISPLACED):
            boxes.append(list(each.box))
            captions.append(f"{result.class_names[each.label]} {each.score:.2f}")
    if not boxes:
        return ()
    across, down = pipeline.picture.scale
    shown = rescale(torch.tensor(boxes, dtype=torch.float32), across, down) / pipeline.batch.factors[0]
    return (Layer("asked", "suspected labels", "before", shown.numpy(), width=3.5, captions=tuple(captions)),)
