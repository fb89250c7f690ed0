"""The share of the classification loss that the foreground of each class pays, and background, over a run's steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from core.io.text import count_noun
from core.runs.metrics import read_shares
from playground.canvas.view import GREY
from playground.components import html
from playground.components.dials import CHOICE, Dial
from playground.components.figures import PALETTE, Figure, Line, lines
from playground.runs.curves import average_points
from playground.steps.dials import CLASSES, LOSSES, Dials

BACKGROUND, OTHERS = GREY, "#666666"
LATEST = 20  # steps of the table
ABOUT = (
    "What the foreground anchors of each class pay of the classification loss, by the class of their object, and all "
    "background anchors together: the shares of a step add up to 1, and single batches vary a lot. A rare class pays "
    "little because few anchors have it, not because it is learnt."
)


def shares_dials(dials: Dials) -> tuple[Dial, ...]:
    """Returns the dial that chooses the figure of a run."""
    choices = (("losses and AP", LOSSES), ("who pays, by class", CLASSES))
    return (Dial("of_run", "Figure", CHOICE, dials.of_run, choices=choices),)


def has_shares(steps: Sequence[dict[str, Any]], classes: Sequence[str]) -> bool:
    """True if the last of a run's steps tells who paid."""
    return bool(steps) and bool(classes) and read_shares(steps[-1], len(classes)) is not None


def build_shares_figure(steps: Sequence[dict[str, Any]], classes: Sequence[str]) -> Figure:
    """Returns the shares of the classes that pay most, of all others together, and of background.

    Args:
        steps: The records of a run's steps.
        classes: The names of its classes.
    """
    at, shares = _read(steps, classes)
    order = _order(shares)
    shown, others = order[: len(PALETTE)], order[len(PALETTE) :]
    curves = [(classes[label], tint, shares[:, label]) for label, tint in zip(shown, PALETTE, strict=False)]
    if others:
        name = count_noun(len(others), "other class", "other classes")
        curves.append((name, OTHERS, shares[:, others].sum(axis=1)))
    curves.append(("background", BACKGROUND, shares[:, -1]))
    drawn: list[Line] = [
        (name, tint, *average_points(list(zip(at, values.tolist(), strict=True)))) for name, tint, values in curves
    ]
    made = lines(drawn, title="Who pays the classification loss", x="step", y="share")
    made["layout"]["yaxis"] |= {"range": [0, 1.02]}
    return made


def shares_table(steps: Sequence[dict[str, Any]], classes: Sequence[str]) -> Markup:
    """Returns the mean shares of the last steps as a table, with what they are."""
    _, shares = _read(steps[-LATEST:], classes)
    means = shares.mean(axis=0)
    rows = [(classes[label], html.percent(float(means[label]))) for label in _order(shares)]
    rows.append(("background", html.percent(float(means[-1]))))
    title = f"Who paid in the last {len(shares)} steps"
    return html.table(html.Table(title, ("class", "share"), tuple(rows))) + html.paragraph(ABOUT)


def _order(shares: np.ndarray) -> list[int]:
    """Returns the classes of shares [N, K + 1], those that pay most first."""
    order: list[int] = np.argsort(-shares[:, :-1].mean(axis=0), kind="stable").tolist()
    return order


def _read(steps: Sequence[dict[str, Any]], classes: Sequence[str]) -> tuple[list[int], np.ndarray]:
    """Returns the steps of which shares are known, and these, float64 [N, K + 1]."""
    known = [(each["step"], shares) for each in steps if (shares := read_shares(each, len(classes)))]
    return [step for step, _ in known], np.array([shares for _, shares in known]).reshape(-1, len(classes) + 1)
