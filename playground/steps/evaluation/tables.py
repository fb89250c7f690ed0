"""What an evaluation says in numbers: the COCO figures, the confusion matrix, errors, classes, the worst pictures."""

import math
from html import escape

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


def facts(report: Report) -> str:
    """Returns the twelve COCO figures."""
    return html.facts([(name, _number(getattr(report.metrics, field))) for name, field in FACTS])


def best(threshold: Threshold | None) -> str:
    """Returns the threshold of the best F1, with the way to use it."""
    if threshold is None:
        return html.paragraph("There is no best threshold: nothing was detected, or there is no object.")
    score, precision, recall, f1 = threshold
    said = f"Best threshold by F1: {score:.2f} (F1 {f1:.2f}, precision {precision:.2f}, recall {recall:.2f}). "
    return f"<p>{escape(said)}{html.link('Use it as the score threshold', f'use {score:.4f}')}</p>"


def matrix(report: Report, query: EvaluationQuery) -> str:
    """Returns the confusion matrix; each cell that counts something leads to its pictures."""
    names = [*report.classes, BACKGROUND_NAME]
    head = "".join(f'<th scope="col"><span>{escape(name)}</span></th>' for name in names)
    rows = "".join(_row(row, names, report, query.choice) for row in range(len(names)))
    table = f'<table><thead><tr><th scope="col">there / found</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    sliders = html.slider("score from", "score", report.score, 0, 1)
    sliders += html.slider("IoU from", "iou", report.iou, 0.05, 0.95)
    again = html.link("at the best F1", "score best", on=query.score is None)
    controls = f'<p class="sliders">{sliders}{again}</p>'
    return f'<h3>What was taken for what</h3>{controls}<div class="scroll matrix">{table}</div>'


def _row(row: int, names: list[str], report: Report, choice: str) -> str:
    counts = report.confusion.counts[row].tolist()
    total = sum(counts)
    cells = "".join(_cell(row, column, count, total, names, choice) for column, count in enumerate(counts))
    return f'<tr><th scope="row">{escape(names[row])}</th>{cells}</tr>'


def _cell(row: int, column: int, count: int, total: int, names: list[str], choice: str) -> str:
    if not count:
        return "<td>·</td>"
    key = f"{CELL} {row} {column}"
    said = f"{count} × {names[row]} found as {names[column]}: show the pictures"
    kind = ' class="right"' if row == column else ""
    link = html.link(f"{count:,}", f"choice {key}", on=choice == key, name=said)
    return f'<td{kind} style="--share:{count / total:.3f}">{link}</td>'


def figures(query: EvaluationQuery) -> str:
    """Returns the choice of a figure, which is drawn below."""
    links = "".join(html.link(each, f"figure {each}", on=each == query.figure) for each in FIGURES)
    return f'<p class="tabs">{links}</p>'


def errors(report: Report, query: EvaluationQuery) -> str:
    """Returns how many errors of each kind there are, what they cost and where they are."""
    rows = []
    for kind, cost in report.error_types.cost.items():
        count = len(report.error_types.of(kind))
        key = f"{KIND} {kind}"
        shown = html.link(kind, f"choice {key}", on=query.choice == key) if count else escape(kind)
        rows.append((shown, f"{count:,}", _number(cost, "+.3f"), escape(MEANINGS[kind])))
    return _table("Kinds of errors, at IoU 0.5 and any score", ("kind", "errors", "AP50 if fixed", "what it is"), rows)


def classes(report: Report) -> str:
    """Returns the figures of each class."""
    columns = ("class", "objects", "AP", "AP50", "AP75", "small", "medium", "large", "best score", "calibration error")
    rows = [
        (
            escape(name),
            f"{each.objects:,}",
            *(_number(getattr(each, field)) for field in AVERAGES),
            f"{each.best.score:.2f}" if each.best else "–",
            _number(each.calibration.error, ".2f"),
        )
        for name, each in report.classes.items()
    ]
    return _table("Classes", columns, rows)


def calibrated(calibration: Calibration) -> str:
    """Returns how far scores are from what they say."""
    return html.paragraph(f"Mean distance of score and precision: {_number(calibration.error, '.3f')}.")


def worst(report: Report, here: int | None) -> str:
    """Returns the worst pictures, each to be opened; `here` is the one on show."""
    rows = [
        (
            html.link(each.name, f"open {each.index}", on=each.index == here),
            str(each.right),
            str(each.wrong),
            str(each.missed),
            f"{each.f1:.2f}",
        )
        for each in report.pictures[:WORST_SHOWN]
    ]
    title = f"Worst pictures, at score {report.score:.2f} and IoU {report.iou:.2f}"
    return _table(title, ("picture", "right", "wrong", "missed", "F1"), rows)


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Returns a table whose cells are HTML made here."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows)
    return (
        f'<h3>{escape(title)}</h3><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(value: float, digits: str = ".3f") -> str:
    return html.number(None if math.isnan(value) else value, digits)
