"""The paper's table 1, a to d, beside the results of short runs here."""

from collections.abc import Sequence

from markupsafe import Markup

from core.experiments import paper_results
from core.experiments.comparison import Row
from playground.components import html
from playground.steps.comparison.measured import read_measured_rows
from playground.steps.comparison.table import ABOUT, IN_THE_PAPER, ORDER, SHORT_RUNS, format_ap

HERE = "AP here, short runs"
SETTING_HERE = (
    "Here: a ResNet-18 with new heads on a frozen backbone, 150 steps of 4 scenes of 160 px, AP on 32 scenes, mean "
    "(lowest–highest) of three seeds. Their order is not the paper's: hard example mining is ahead of focal loss, and "
    "γ = 0 and γ = 1 are ahead of γ = 2."
)
# The variants that were run, by number of scales and of ratios.
ANCHORS = {(1, 1): "one anchor per location", (3, 3): "nine anchors per location"}
OHEM = (("focal loss", paper_results.BESIDE_OHEM), ("OHEM, 128 anchors", paper_results.OHEM))


def tables() -> Markup:
    """Returns table 1 in a closed section; "–" marks rows that were not measured here."""
    alpha = [((f"{alpha:g}",), ap, f"α = {alpha:g}") for alpha, ap in paper_results.ALPHA.items()]
    gamma = [
        ((f"{gamma:g}", f"{each.alpha:g}"), each.ap, f"γ = {gamma:g}") for gamma, each in paper_results.GAMMA.items()
    ]
    anchors = [((str(s), str(r)), ap, ANCHORS.get((s, r), "")) for (s, r), ap in paper_results.ANCHORS.items()]
    ohem = [((name,), ap, name) for name, ap in OHEM]
    parts = (
        _table("1a: α-balanced cross-entropy (γ = 0)", "alpha", ("α",), alpha),
        _table("1b: focal loss, the best α for each γ", "gamma", ("γ", "α"), gamma),
        _table("1c: anchors per location", "anchors", ("scales", "ratios"), anchors),
        _table("1d: hard example mining, the best of its settings", "ohem", ("loss",), ohem),
    )
    note = f"Without the prior π = 0.01, cross-entropy diverged; with it, it reached {format_ap(paper_results.PRIOR)}."
    texts = (f"In the paper: {ABOUT}", SETTING_HERE, f"{SHORT_RUNS} {ORDER}", note)
    return html.details("Table 1 of the paper, and here", html.join([*map(html.paragraph, texts), *parts]))


def _table(title: str, key: str, names: tuple[str, ...], rows: Sequence[tuple[tuple[str, ...], float, str]]) -> Markup:
    """Returns one of the tables.

    Args:
        title: Heading.
        key: The preset that repeats the table here.
        names: Names of the columns that identify a row.
        rows: (identifying cells, AP in the paper, name of the corresponding variant here).
    """
    here = {row.variant: row for row in read_measured_rows(key)}
    cells = tuple((*cells, format_ap(ap), _spread(here.get(variant))) for cells, ap, variant in rows)
    return html.table(html.Table(title, (*names, IN_THE_PAPER, HERE), cells))


def _spread(row: Row | None) -> str:
    if row is None or row.ap is None or row.ap_low is None or row.ap_high is None:
        return "–"
    mean, low, high = (f"{100 * value:.1f}" for value in (row.ap, row.ap_low, row.ap_high))
    return mean if low == high else f"{mean} ({low}–{high})"
