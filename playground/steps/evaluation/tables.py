"""The tables of an evaluation: COCO metrics, confusion matrix, kinds of errors, classes, worst pictures."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from core.evaluation.calibration import Calibration
from core.evaluation.error_types import BACKGROUND, BOTH, CLASS, DUPLICATE, KINDS, LOCATION, MISSED
from core.evaluation.precision_recall import Threshold
from core.evaluation.report import BACKGROUND_NAME, Report
from core.io.text import count_noun
from core.rescue.advice import Advice
from playground.components import html
from playground.evaluations.query import CELL, FIGURES, KIND, EvaluationQuery
from playground.support.wording import name_knobs

WORST_SHOWN = 12
FACTS = (
    ("AP", "ap"), ("AP50", "ap50"), ("AP75", "ap75"), ("AP small", "ap_small"), ("AP medium", "ap_medium"),
    ("AP large", "ap_large"), ("AR, 1 each", "ar1"), ("AR, 10 each", "ar10"), ("AR, 100 each", "ar100"),
    ("AR small", "ar_small"), ("AR medium", "ar_medium"), ("AR large", "ar_large"),
)  # fmt: skip
AVERAGES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")  # fields of a class
ERROR_NAMES = {kind: kind for kind in KINDS} | {LOCATION: "localisation", BOTH: "class + localisation"}
MEANINGS = {
    CLASS: "well localised, wrong class",
    LOCATION: "badly placed: right class, IoU between 0.1 and 0.5",
    BOTH: "badly placed, wrong class: IoU between 0.1 and 0.5",
    DUPLICATE: "another box has already found the object",
    BACKGROUND: "false alarm: no object with an IoU of 0.1 or more",
    MISSED: "an object that no box found",
}


def facts(report: Report) -> Markup:
    """Returns the twelve COCO metrics."""
    return html.facts([(name, number(getattr(report.metrics, field))) for name, field in FACTS])


def best(threshold: Threshold | None) -> Markup:
    """Returns the score threshold with the best F1, and a link that sets it."""
    if threshold is None:
        return html.paragraph("There is no best threshold: nothing was detected, or there is no object.")
    score, precision, recall, f1 = threshold
    sentence = f"Best threshold by F1: {score:.2f} (F1 {f1:.2f}, precision {precision:.2f}, recall {recall:.2f}). "
    return html.paragraph(html.join([sentence, html.link("Use it as the score threshold", f"use {score:.4f}")]))


def matrix(report: Report, query: EvaluationQuery) -> Markup:
    """Returns the confusion matrix; each cell that is not zero is a link to its pictures."""
    names = [*report.classes, BACKGROUND_NAME]
    head = html.join(Markup('<th scope="col"><span>{}</span></th>').format(name) for name in names)
    rows = html.join(_row(row, names, report, query.choice) for row in range(len(names)))
    table = Markup(
        '<table><thead><tr><th scope="col">true / predicted</th>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(head, rows)
    sliders = html.slider("minimum score", "score", report.score, 0, 1)
    sliders += html.slider("minimum IoU", "iou", report.iou, 0.05, 0.95)
    again = html.link("at best F1", "score best", on=query.score is None)
    controls = Markup('<p class="sliders">{}{}</p>').format(sliders, again)
    return html.heading("Confusion matrix") + controls + html.scroll(table, "Confusion matrix", "matrix")


def _row(row: int, names: list[str], report: Report, choice: str) -> Markup:
    counts = report.confusion.counts[row].tolist()
    total = sum(counts)
    cells = html.join(_cell(row, column, count, total, names, choice) for column, count in enumerate(counts))
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(names[row], cells)


def _cell(row: int, column: int, count: int, total: int, names: list[str], choice: str) -> Markup:
    if not count:
        return Markup("<td>·</td>")
    key = f"{CELL} {row} {column}"
    label = f"{count} × {names[row]} predicted as {names[column]}: show the pictures"
    kind = Markup(' class="right"') if row == column else ""
    link = html.link(f"{count:,}", f"choice {key}", on=choice == key, name=label)
    return Markup('<td{} style="--share:{:.3f}">{}</td>').format(kind, count / total, link)


def figures(query: EvaluationQuery) -> Markup:
    """Returns the links that choose the figure."""
    return html.tabs("Figure", [html.link(each, f"figure {each}", on=each == query.figure) for each in FIGURES])


def errors(report: Report, query: EvaluationQuery) -> Markup:
    """Returns the number and the cost of the errors of each kind, with links to their pictures."""
    rows = []
    for kind, cost in report.error_types.cost.items():
        name, count = ERROR_NAMES[kind], len(report.error_types.select(kind))
        key = f"{KIND} {kind}"
        cell = html.link(name, f"choice {key}", on=query.choice == key) if count else name
        rows.append((cell, f"{count:,}", number(cost, "+.3f"), MEANINGS[kind]))
    columns = ("kind", "errors", "AP50 if fixed", "meaning")
    return html.table(html.Table("Kinds of errors, at IoU 0.5 and any score", columns, tuple(rows)))


def advice(rows: Sequence[Advice]) -> Markup:
    """Returns what to try next against each kind of error, with the numbers that speak for it; nothing without any."""
    if not rows:
        return Markup()
    item = Markup("<p><strong>{}</strong>, {}. {} <em>Try next:</em> {}</p>")
    items = html.join(
        item.format(ERROR_NAMES[each.kind], count_noun(each.errors, "error"), each.evidence, name_knobs(each.remedy))
        for each in rows
    )
    return html.heading("What to try next, the costliest first") + items


def classes(report: Report) -> Markup:
    """Returns the metrics of each class."""
    columns = ("class", "objects", "AP", "AP50", "AP75", "small", "medium", "large", "best score", "calibration error")
    rows = tuple(
        (
            name,
            f"{each.objects:,}",
            *(number(getattr(each, field)) for field in AVERAGES),
            f"{each.best.score:.2f}" if each.best else "–",
            number(each.calibration.error, ".2f"),
        )
        for name, each in report.classes.items()
    )
    return html.table(html.Table("Classes", columns, rows))


def calibration_error(calibration: Calibration) -> Markup:
    """Returns the expected calibration error in a sentence."""
    return html.paragraph(f"Mean difference between score and precision: {number(calibration.error, '.3f')}.")


def worst(report: Report, current: int | None) -> Markup:
    """Returns the worst pictures with links that open them; `current` is the index of the one on the page."""
    rows = tuple(
        (
            html.link(each.name, f"open {each.index}", on=each.index == current),
            str(each.right),
            str(each.wrong),
            str(each.missed),
            f"{each.f1:.2f}",
        )
        for each in report.images[:WORST_SHOWN]
    )
    title = f"Worst pictures, at score {report.score:.2f} and IoU {report.iou:.2f}"
    return html.table(html.Table(title, ("picture", "right", "wrong", "missed", "F1"), rows))


def number(value: float, digits: str = ".3f") -> str:
    """Formats a number, "–" for NaN."""
    return html.number(None if math.isnan(value) else value, digits)
