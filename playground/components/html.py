"""Builders of the page's HTML: numbers, tables, links and paragraphs.

Every builder returns `Markup`. A plain `str` that is passed to one is text and is escaped; a `Markup` is HTML and is
kept as it is. Adding the two escapes the plain string as well, so text from outside cannot become HTML by accident.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import gradio as gr
from markupsafe import Markup, escape

from core.io.text import typeset_numbers
from playground.support.scripts import read_scripts

HUGE = 1e6  # from here on numbers are written as powers of ten

SCRIPT = read_scripts("components/block.js", "components/html.js")
WIDE, WIDEST = 6, 9  # columns from which a table needs more room, and much more


class Table(NamedTuple):
    """A small table.

    Attributes:
        title: Heading, may be empty.
        columns: Names of the columns.
        rows: Cells: text, or HTML as `Markup`.
        marked: Indices of the rows to highlight.
        boxes: For each row, what of the picture it is about, see `box_of` and `place_of`; or ().
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    boxes: tuple[str, ...] = ()


def box_of(layer: str, index: int) -> str:
    """Returns the name of a box on the picture, for `Table.boxes`: its layer, and its index there."""
    return f"{layer} {index}"


def place_of(box: Sequence[float]) -> str:
    """Returns the name of a box that no layer may show, for `Table.boxes`.

    Args:
        box: x1, y1, x2, y2 in the coordinates of the view.
    """
    return "at " + " ".join(f"{edge:.1f}" for edge in box)


def component(part: str, kind: str) -> gr.HTML:
    """Builds a component of the page that shows the HTML built here.

    It fires `select` with {"choose": …} when a `link` is clicked or a `slider` is moved.

    Args:
        part: Its name among the parts of the page, see `playground.layout.page_update.PageUpdate`.
        kind: Its CSS classes.
    """
    return gr.HTML(
        "",
        part=part,
        html_template=f'<div class="{kind}" data-html></div><p class="said" role="status"></p>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id=f"part-{part}",
    )


def join(pieces: Iterable[str]) -> Markup:
    """Joins pieces of HTML; plain strings among them are escaped."""
    return Markup("").join(pieces)


def paragraph(text: str) -> Markup:
    """Returns a paragraph."""
    return Markup("<p>{}</p>").format(text)


def progress(done: int, total: int, label: str) -> Markup:
    """Returns a bar that shows how much of something is done; `label` names it for screen readers."""
    return Markup('<progress value="{}" max="{}" aria-label="{}"></progress>').format(done, total, label)


def said(text: str) -> Markup:
    """Returns words that are only announced to screen readers, when they have changed."""
    return Markup("<i hidden data-said>{}</i>").format(text)


def heading(text: str) -> Markup:
    """Returns a heading within a step."""
    return Markup("<h3>{}</h3>").format(text)


def facts(pairs: Sequence[tuple[str, str]]) -> Markup:
    """Returns large numbers with their names, each (name, value)."""
    items = join(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in pairs)
    return Markup('<dl class="facts">{}</dl>').format(items)


def small_curves(curves: Sequence[tuple[str, str, Sequence[float]]]) -> Markup:
    """Returns numbers with their names and their history, each (name, latest value, values so far)."""
    items = join(
        Markup("<div><dt>{}</dt><dd>{}</dd>{}</div>").format(name, value, _polyline(values))
        for name, value, values in curves
    )
    return Markup('<dl class="facts curves">{}</dl>').format(items)


def _polyline(values: Sequence[float]) -> Markup:
    """Returns values as a line that fills its box, 100 × 20."""
    low, high = min(values), max(values)
    across, up = 100 / max(len(values) - 1, 1), 18 / (high - low) if high > low else 0.0
    points = " ".join(f"{index * across:.1f},{19 - (value - low) * up:.1f}" for index, value in enumerate(values))
    box = Markup('viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true"')
    return Markup('<svg {}><polyline points="{}"/></svg>').format(box, points)


def table(content: Table) -> Markup:
    """Returns a table with its heading; one without rows says "none"."""
    head = join(Markup('<th scope="col">{}</th>').format(name) for name in content.columns)
    boxes = content.boxes or ("",) * len(content.rows)
    rows = [
        _row(cells, box, index in content.marked)
        for index, (cells, box) in enumerate(zip(content.rows, boxes, strict=True))
    ]
    body = Markup("".join(rows)) or Markup('<tr><td colspan="{}">none</td></tr>').format(len(content.columns))
    size = "widest" if len(content.columns) >= WIDEST else "wide" if len(content.columns) >= WIDE else ""
    inner = Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)
    title = heading(content.title) if content.title else Markup()
    return title + scroll(inner, content.title or ", ".join(filter(None, content.columns)), size)


def scroll(content: str, name: str, kind: str = "") -> Markup:
    """Returns a group that scrolls where there is too little room, also by keyboard.

    No landmark: a page may have two tables with the same columns, and landmarks need names of their own.

    Args:
        content: HTML.
        name: Its accessible name.
        kind: Further CSS classes.
    """
    start = Markup('<div class="{}" role="group" tabindex="0" aria-label="{}">')
    return start.format(f"scroll {kind}".strip(), name) + content + Markup("</div>")


def _row(cells: Sequence[str], box: str, marked: bool) -> str:
    """Returns a row as HTML; not by `Markup.format`, which took a fifth of the time of an answer with 50 rows."""
    classes = " class=marked" if marked else ""
    points = f' data-box="{escape(box)}" tabindex="0"' if box else ""
    return f"<tr{classes}{points}>{''.join([f'<td>{escape(cell)}</td>' for cell in cells])}</tr>"


def bar(shares: Sequence[tuple[str, str, float]]) -> Markup:
    """Returns shares (name, colour, 0 … 1) as one bar divided in proportion; "" if all of them are 0."""
    if not any(share for _, _, share in shares):
        return Markup("")
    description = ", ".join(f"{name} {percent(share)}" for name, _, share in shares)
    segments = join(
        Markup('<i style="flex-grow:{:.4f};background:{}"></i>').format(share, tint) for _, tint, share in shares
    )
    keys = join(Markup('<span><i style="background:{}"></i>{}</span>').format(tint, name) for name, tint, _ in shares)
    return Markup('<div class="bar" role="img" aria-label="{}">{}</div><div class="bar-keys">{}</div>').format(
        description, segments, keys
    )


def details(title: str, body: str, *, opened: bool = False) -> Markup:
    """Returns a section that opens and closes."""
    start = Markup("<details open>") if opened else Markup("<details>")
    return start + Markup("<summary>{}</summary>{}</details>").format(title, body)


def link(text: str, choose: str, *, on: bool = False, name: str = "") -> Markup:
    """Returns a button that looks like a link.

    Args:
        text: Its visible text.
        choose: Sent to the page when it is clicked.
        on: True if it is the current choice.
        name: Its accessible name, "" for the text.
    """
    label = Markup(' aria-label="{}"').format(name) if name else ""
    return Markup('<button type="button" data-choose="{}" aria-pressed="{}"{}>{}</button>').format(
        choose, str(on).lower(), label, text
    )


def tabs(label: str, links: Sequence[Markup]) -> Markup:
    """Returns a row of links of which one is the current choice; `label` is its accessible name."""
    return Markup('<p class="tabs" role="group" aria-label="{}">{}</p>').format(label, join(links))


def dial(text: str, name: str, value: str, *, on: bool = False) -> Markup:
    """Returns a button that looks like a link and sets a dial of `playground.steps.dials`.

    Args:
        text: Its visible text.
        name: Name of the dial.
        value: The value that it gets; "" for its default.
        on: True if the dial has this value.
    """
    return link(text, f"dial {name} {value}", on=on)


def slider(label: str, name: str, value: float, low: float, high: float) -> Markup:
    """Returns a slider; moving it sends its name and its value, rounded to two digits, to the page."""
    return Markup(
        '<label class="slider">{} <input type="range" min="{:g}" max="{:g}" step="0.01" value="{:.2f}" '
        'data-set="{}"> <output>{:.2f}</output></label>'
    ).format(label, low, high, value, name, value)


def number(value: float | None, digits: str = ".3f") -> str:
    """Formats a number: "–" for None, a power of ten where it is huge, as in a diverging run."""
    if value is None:
        return "–"
    return typeset_numbers(format(value, ".2e" if abs(value) >= HUGE else digits))


def count(number: float) -> str:
    """Formats a whole number with thousands separators."""
    return f"{number:,.0f}"


def percent(share: float) -> str:
    """Formats a share as a percentage, with enough digits that a small one does not read as zero."""
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{100 * share:.1f}%" if share < 0.1 else f"{100 * share:.0f}%"


def signed_percent(share: float) -> str:
    """Formats a share that may be negative as a percentage."""
    return percent(share) if share >= 0 else "> −0.1%" if share > -0.001 else f"−{percent(-share)}"
