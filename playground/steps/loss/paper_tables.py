"""The paper's table 1, a to d, beside what was measured here in miniature."""

from markupsafe import Markup

from core.experiments import paper_results
from core.experiments.comparison import Row
from playground.components import html
from playground.steps import comparison
from playground.steps.comparison import ABOUT, per_cent

IN_THE_PAPER, HERE = "AP in the paper", "AP here, in miniature"
MINIATURE = (
    "Here: a ResNet-18 with new heads on a frozen body, 150 steps of 4 scenes of 160 px, AP on 32 scenes, mean (lowest–"
    "highest) of three seeds. In such short runs the order is another in places: hard example mining is ahead of focal "
    "loss, and γ = 1 of γ = 2."
)
ANCHORS = {
    (1, 1): "one anchor per location",
    (3, 3): "nine anchors per location",
}  # the variants that were run, by scales and ratios
OHEM = (("focal loss", paper_results.BESIDE_OHEM), ("OHEM, 128 anchors", paper_results.OHEM))


def tables() -> Markup:
    """Returns table 1, opened on demand; "–" stands for what was not measured here."""
    alpha = [((f"{alpha:g}",), ap, f"α = {alpha:g}") for alpha, ap in paper_results.ALPHA.items()]
    gamma = [
        ((f"{gamma:g}", f"{each.alpha:g}"), each.ap, f"γ = {gamma:g}") for gamma, each in paper_results.GAMMA.items()
    ]
    anchors = [((str(s), str(r)), ap, ANCHORS.get((s, r), "")) for (s, r), ap in paper_results.ANCHORS.items()]
    ohem = [((name,), ap, name) for name, ap in OHEM]
    parts = (
        _table("1a: α-balanced cross-entropy (γ = 0)", "alpha", ("α",), alpha),
        _table("1b: focal loss, the best α for each γ", "gamma", ("γ", "α"), gamma),
        _table("1c: anchors a place", "anchors", ("scales", "ratios"), anchors),
        _table("1d: hard example mining, the best of its settings", "ohem", ("loss",), ohem),
    )
    note = f"Without the prior π = 0.01, cross-entropy diverged; with it, it reached {per_cent(paper_results.PRIOR)}."
    texts = (f"In the paper: {ABOUT}", MINIATURE, note)
    return html.details("Table 1 of the paper, and here", html.join([*map(html.paragraph, texts), *parts]))


def _table(title: str, key: str, names: tuple[str, ...], rows: list[tuple[tuple[str, ...], float, str]]) -> Markup:
    """Returns one of the tables.

    Args:
        title: Heading.
        key: The preset that repeats it here.
        names: Of the columns that tell rows apart.
        rows: (what tells it apart, AP in the paper, name of the arm that is the like of it here).
    """
    here = {row.variant: row for row in comparison.kept_rows(key)}
    cells = tuple((*told, per_cent(ap), _spread(here.get(arm))) for told, ap, arm in rows)
    return html.table(html.Table(title, (*names, IN_THE_PAPER, HERE), cells))


def _spread(row: Row | None) -> str:
    if row is None or row.ap is None:
        return "–"
    mean, low, high = (f"{100 * value:.1f}" for value in (row.ap, row.ap_low, row.ap_high))
    return mean if low == high else f"{mean} ({low}–{high})"
