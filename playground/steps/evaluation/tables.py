"""What an evaluation says in numbers: the COCO figures, the confusion matrix, errors, classes, the worst pictures."""

import math

from markupsafe import Markup

from core.evaluation.calibration import Calibration
from core.evaluation.error_types import BACKGROUND, BOTH, CLASS, DUPLICATE, LOCATION, MISSED
from core.evaluation.precision_recall import Threshold
from core.evaluation.report import BACKGROUND_NAME, Report
from playground.components import html
from playground.evaluations.query import CELL, FIGURES, KIND, EvaluationQuery

WORST_SHOWN = 12
FACTS = (
    ("AP", "ap"), ("AP50", "ap50"), ("AP75", "ap75"), ("AP small", "ap_small"), ("AP medium", "ap_medium"),
    ("AP large", "ap_large"), ("AR, 1 each", "ar1"), ("AR, 10 each", "ar10"), ("AR, 100 each", "ar100"),
    ("AR small", "ar_small"), ("AR medium", "ar_medium"), ("AR large", "ar_large"),
)  # fmt: skip
AVERAGES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")  # of a class
MEANINGS = {
    CLASS: "right place, wrong class",
    LOCATION: "right class, IoU between 0.1 and 0.5",
    BOTH: "wrong class and too far off",
    DUPLICATE: "another box has found the object",
    BACKGROUND: "nothing is there",
    MISSED: "an object that nothing found",
}


def facts(report: Report) -> Markup:
    """Returns the twelve COCO figures."""
    return html.facts([(name, _number(getattr(report.metrics, field))) for name, field in FACTS])


def best(threshold: Threshold | None) -> Markup:
    """Returns the threshold of the best F1, with the way to use it."""
    if threshold is None:
        return html.paragraph("There is no best threshold: nothing was detected, or there is no object.")
    score, precision, recall, f1 = threshold
    said = f"Best threshold by F1: {score:.2f} (F1 {f1:.2f}, precision {precision:.2f}, recall {recall:.2f}). "
    return html.paragraph(html.join([said, html.link("Use it as the score threshold", f"use {score:.4f}")]))


def matrix(report: Report, query: EvaluationQuery) -> Markup:
    """Returns the confusion matrix; each cell that counts something leads to its pictures."""
    names = [*report.classes, BACKGROUND_NAME]
    head = html.join(Markup('<th scope="col"><span>{}</span></th>').format(name) for name in names)
    rows = html.join(_row(row, names, report, query.choice) for row in range(len(names)))
    table = Markup(
        '<table><thead><tr><th scope="col">there / found</th>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(head, rows)
    sliders = html.slider("score from", "score", report.score, 0, 1)
    sliders += html.slider("IoU from", "iou", report.iou, 0.05, 0.95)
    again = html.link("at the best F1", "score best", on=query.score is None)
    controls = Markup('<p class="sliders">{}{}</p>').format(sliders, again)
    return (
        html.heading("What was taken for what") + controls + Markup('<div class="scroll matrix">{}</div>').format(table)
    )


def _row(row: int, names: list[str], report: Report, choice: str) -> Markup:
    counts = report.confusion.counts[row].tolist()
    total = sum(counts)
    cells = html.join(_cell(row, column, count, total, names, choice) for column, count in enumerate(counts))
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(names[row], cells)


def _cell(row: int, column: int, count: int, total: int, names: list[str], choice: str) -> Markup:
    if not count:
        return Markup("<td>·</td>")
    key = f"{CELL} {row} {column}"
    said = f"{count} × {names[row]} found as {names[column]}: show the pictures"
    kind = Markup(' class="right"') if row == column else ""
    link = html.link(f"{count:,}", f"choice {key}", on=choice == key, name=said)
    return Markup('<td{} style="--share:{:.3f}">{}</td>').format(kind, count / total, link)


def figures(query: EvaluationQuery) -> Markup:
    """Returns the choice of a figure, which is drawn below."""
    links = html.join(html.link(each, f"figure {each}", on=each == query.figure) for each in FIGURES)
    return Markup('<p class="tabs">{}</p>').format(links)


def errors(report: Report, query: EvaluationQuery) -> Markup:
    """Returns how many errors of each kind there are, what they cost and where they are."""
    rows = []
    for kind, cost in report.error_types.cost.items():
        count = len(report.error_types.select(kind))
        key = f"{KIND} {kind}"
        shown = html.link(kind, f"choice {key}", on=query.choice == key) if count else kind
        rows.append((shown, f"{count:,}", _number(cost, "+.3f"), MEANINGS[kind]))
    columns = ("kind", "errors", "AP50 if fixed", "what it is")
    return html.table(html.Table("Kinds of errors, at IoU 0.5 and any score", columns, tuple(rows)))


def classes(report: Report) -> Markup:
    """Returns the figures of each class."""
    columns = ("class", "objects", "AP", "AP50", "AP75", "small", "medium", "large", "best score", "calibration error")
    rows = tuple(
        (
            name,
            f"{each.objects:,}",
            *(_number(getattr(each, field)) for field in AVERAGES),
            f"{each.best.score:.2f}" if each.best else "–",
            _number(each.calibration.error, ".2f"),
        )
        for name, each in report.classes.items()
    )
    return html.table(html.Table("Classes", columns, rows))


def calibrated(calibration: Calibration) -> Markup:
    """Returns how far scores are from what they say."""
    return html.paragraph(f"Mean distance of score and precision: {_number(calibration.error, '.3f')}.")


def worst(report: Report, here: int | None) -> Markup:
    """Returns the worst pictures, each to be opened; `here` is the one on show."""
    rows = tuple(
        (
            html.link(each.name, f"open {each.index}", on=each.index == here),
            str(each.right),
            str(each.wrong),
            str(each.missed),
            f"{each.f1:.2f}",
        )
        for each in report.images[:WORST_SHOWN]
    )
    title = f"Worst pictures, at score {report.score:.2f} and IoU {report.iou:.2f}"
    return html.table(html.Table(title, ("picture", "right", "wrong", "missed", "F1"), rows))


def _number(value: float, digits: str = ".3f") -> str:
    return html.number(None if math.isnan(value) else value, digits)
