"""What a step says in words and numbers, as HTML; every text from outside is escaped."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import gradio as gr

HUGE = 1e6  # from here on figures are written as powers of ten

# Set as HTML by the script, not named in the template: there Gradio would run a "${…}" in somebody's file name.
SCRIPT = """
const readout = element.querySelector("[data-html]");
const opened = () => [...readout.querySelectorAll("details")].map((each) => [each.firstChild.textContent, each.open]);
const show = live.part(props.part, (value) => {
  const before = new Map(opened());
  const { choose, set } = readout.contains(document.activeElement) ? document.activeElement.dataset : {};
  readout.innerHTML = value || "";
  for (const each of readout.querySelectorAll("details"))  // what somebody opened stays open
    each.open = before.get(each.firstChild.textContent) ?? each.open;
  for (const each of readout.querySelectorAll("[data-choose], [data-set]"))  // and the keyboard stays where it was
    if ((choose && each.dataset.choose === choose) || (set && each.dataset.set === set)) each.focus();
  readout.dataset.drawn = Number(readout.dataset.drawn || 0) + 1;
}, () => props.value);
readout.addEventListener("click", (event) => {
  const link = event.target.closest("[data-choose]");
  if (link) trigger("select", { choose: link.dataset.choose });
});
readout.addEventListener("input", ({ target }) => {
  if (target.dataset.set) target.nextElementSibling.textContent = target.value;
});
readout.addEventListener("change", ({ target }) => {
  if (target.dataset.set) trigger("select", { choose: `${target.dataset.set} ${target.value}` });
});
watch("value", show);
show();
"""


def component(part: str, kind: str) -> gr.HTML:
    """Builds a part of the page that shows numbers; its value is HTML made here.

    Clicking what `link` made, or moving what `slider` made, fires `select` with {"choose": …}.

    Args:
        part: Its name among the parts of the page, see `playground.server.render.PageUpdate`.
        kind: Its CSS classes.
    """
    return gr.HTML(
        "",
        part=part,
        html_template=f'<div class="{kind}" data-html></div>',
        js_on_load=SCRIPT,
        apply_default_css=False,
        padding=False,
        elem_id=f"part-{part}",
    )


def small_curves(curves: Sequence[tuple[str, str, Sequence[float]]]) -> str:
    """Returns numbers with their names and how they went, each (name, latest value, values so far)."""
    items = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd>{_line(values)}</div>" for name, value, values in curves
    )
    return f'<dl class="facts curves">{items}</dl>'


def _line(values: Sequence[float]) -> str:
    """Returns values as a line that fills its box, 100 × 20."""
    low, high = min(values), max(values)
    across, up = 100 / max(len(values) - 1, 1), 18 / (high - low) if high > low else 0.0
    points = " ".join(f"{index * across:.1f},{19 - (value - low) * up:.1f}" for index, value in enumerate(values))
    box = 'viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true"'
    return f'<svg {box}><polyline points="{points}"/></svg>'


class Table(NamedTuple):
    """A small table.

    Attributes:
        title: Heading, may be empty.
        columns: Names of the columns.
        rows: Cells as text.
        marked: Indices of rows that deserve attention.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Returns big numbers with their names."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{items}</dl>'


def table(content: Table) -> str:
    """Returns a table with its heading."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in content.columns)
    rows = "".join(_row(cells, index in content.marked) for index, cells in enumerate(content.rows))
    body = rows or f'<tr><td colspan="{len(content.columns)}">none</td></tr>'
    title = f"<h3>{escape(content.title)}</h3>" if content.title else ""
    return f'{title}<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(cells: Sequence[str], marked: bool) -> str:
    return f"<tr{' class=marked' * marked}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def bar(shares: Sequence[tuple[str, str, float]]) -> str:
    """Returns shares (name, colour, 0 … 1) as one bar, each as long as its share; nothing where all are 0."""
    if not any(share for _, _, share in shares):
        return ""
    said = ", ".join(f"{escape(name)} {percent(share)}" for name, _, share in shares)
    parts = "".join(f'<i style="flex-grow:{share:.4f};background:{escape(tint)}"></i>' for _, tint, share in shares)
    keys = "".join(f'<span><i style="background:{escape(tint)}"></i>{escape(name)}</span>' for name, tint, _ in shares)
    return f'<div class="bar" role="img" aria-label="{said}">{parts}</div><div class="bar-keys">{keys}</div>'


def paragraph(text: str) -> str:
    """Returns a paragraph."""
    return f"<p>{escape(text)}</p>"


def details(title: str, body: str, *, opened: bool = False) -> str:
    """Returns a part that opens and closes; the body is HTML made here."""
    return f"<details{' open' * opened}><summary>{escape(title)}</summary>{body}</details>"


def link(text: str, choose: str, *, on: bool = False, name: str = "") -> str:
    """Returns a text that can be chosen.

    Args:
        text: What is seen.
        choose: What the page is told.
        on: Whether it is chosen.
        name: For those who do not see where it stands, "" for the text.
    """
    label = f' aria-label="{escape(name)}"' if name else ""
    pressed = str(on).lower()
    return (
        f'<button type="button" data-choose="{escape(choose)}" aria-pressed="{pressed}"{label}>{escape(text)}</button>'
    )


def slider(label: str, name: str, value: float, low: float, high: float) -> str:
    """Returns a slider; moving it tells the page its name and its value, to two digits."""
    attributes = f'min="{low:g}" max="{high:g}" step="0.01" value="{value:.2f}" data-set="{escape(name)}"'
    shown = f"<output>{value:.2f}</output>"
    return f'<label class="slider">{escape(label)} <input type="range" {attributes}> {shown}</label>'


def plain(text: str) -> str:
    """Returns text from outside as HTML that shows it."""
    return escape(text)


def number(value: float | None, digits: str = ".3f") -> str:
    """Returns a number, "–" where there is none; what a run that diverges pays, as a power of ten."""
    if value is None:
        return "–"
    return format(value, ".2e" if abs(value) >= HUGE else digits)


def count(number: float) -> str:
    """Returns a whole number with thousands apart."""
    return f"{number:,.0f}"


def percent(share: float) -> str:
    """Returns a share as per cent, with as many digits as it needs not to look like nothing."""
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{100 * share:.1f}%" if share < 0.1 else f"{100 * share:.0f}%"
