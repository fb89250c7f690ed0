"""Curves of one score's loss against p_t, the probability of the true class: its value, gradient and weight."""

import math

import numpy as np
import torch
from markupsafe import Markup

from core.config import Loss
from core.io.text import typeset_numbers
from core.retinanet.losses import classification_loss
from playground.components import html
from playground.components.compared import REFERENCE
from playground.components.figures import Figure, colour, lines
from playground.support.scripts import read_scripts

VALUE, GRADIENT, WEIGHT = "loss", "slope by the logit", "weight beside cross-entropy"
LOGARITHMIC = ", logarithmic"  # ends the name of a curve with a logarithmic vertical axis
CURVES = tuple(kind + axis for kind in (VALUE, GRADIENT, WEIGHT) for axis in ("", LOGARITHMIC))
EXAMPLE = "example"  # name of the line at the example's p_t, which `example_drag.js` makes draggable
EXAMPLE_DRAG = read_scripts("steps/loss/example_drag.js")
GREY = "#999999"
SIDES = ("foreground", "background")
TITLES = {
    VALUE: "Loss of one score",
    GRADIENT: "Gradient of one score",
    WEIGHT: "Loss relative to cross-entropy",
}
HEIGHTS = {VALUE: "loss", GRADIENT: "|slope|", WEIGHT: "factor"}
P_T = np.linspace(0.01, 0.99, 99)


def one_score(p_t: torch.Tensor, *, foreground: bool, loss: Loss) -> torch.Tensor:
    """Returns the loss of scores with the probability p_t of the true class; any shape."""
    logit = torch.log(p_t / (1 - p_t))
    targets = torch.full_like(p_t, 1.0 if foreground else 0.0)
    return classification_loss(logit if foreground else -logit, targets, loss)


def slope(p_t: torch.Tensor, *, foreground: bool, loss: Loss) -> torch.Tensor:
    """Returns |dL/dx| of scores with the probability p_t of the true class, where x is the logit; any shape."""
    signed = torch.log(p_t / (1 - p_t)).requires_grad_()
    targets = torch.full_like(p_t, 1.0 if foreground else 0.0)
    values = classification_loss(signed if foreground else -signed, targets, loss)
    return torch.autograd.grad(values.sum(), signed)[0].abs()


def curves(loss: Loss, kind: str = VALUE, *, p_t: float | None = None) -> Figure:
    """Returns one of `CURVES` for foreground and background, with plain and α-balanced cross-entropy for comparison.

    Args:
        loss: The settings.
        kind: The curve.
        p_t: Of the example to mark, None for none.
    """
    kind, logarithmic = kind.removesuffix(LOGARITHMIC), kind.endswith(LOGARITHMIC)
    at = torch.tensor(P_T)
    measure = slope if kind == GRADIENT else one_score
    plain = measure(at, foreground=True, loss=Loss(kind="cross_entropy"))
    whole = plain if kind == WEIGHT else torch.ones_like(at)
    drawn = [("cross-entropy", GREY, P_T.tolist(), (plain / whole).tolist())]
    balanced = Loss(kind="balanced_cross_entropy", alpha=loss.alpha)
    for settings, name in ((loss, "these settings"), (balanced, "α-balanced")):
        for side in SIDES:
            values = measure(at, foreground=side == "foreground", loss=settings) / whole
            drawn.append((f"{side}, {name}", colour(side), P_T.tolist(), values.tolist()))
    figure = lines(drawn, title=TITLES[kind], x="p<sub>t</sub>, probability of the truth", y=HEIGHTS[kind])
    for trace in figure["data"][-len(SIDES) :]:
        trace["line"] |= {"dash": "dot", "width": 1}
    for trace in (figure["data"][0], *figure["data"][-len(SIDES) :]):
        trace["meta"] = REFERENCE
    if logarithmic:
        figure["layout"]["yaxis"] |= {"type": "log", "exponentformat": "power"}
    if p_t is not None:
        line = {"dash": "dot", "width": 2}
        mark = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": p_t, "x1": p_t, "line": line, "name": EXAMPLE}
        figure["layout"]["shapes"].append(mark)
        figure["layout"]["dragmode"] = False  # dragging moves the mark instead
    return figure


def example(loss: Loss, p_t: float) -> Markup:
    """Returns the loss of an example with p_t, compared with cross-entropy."""
    at = torch.tensor([p_t], dtype=torch.float64)
    plain = -math.log(p_t)
    losses = {side: one_score(at, foreground=side == "foreground", loss=loss).item() for side in SIDES}
    weights = [("weight of this example", f"{_format_share(relative_weight(loss, p_t))} of cross-entropy")]
    weights += [(f"as {side}, with α", _format_share(value / plain)) for side, value in losses.items()]
    parts = "; ".join(f"as {side} it pays {_compare(value, plain)}" for side, value in losses.items())
    text = f"An example with pₜ = {p_t:g} pays {plain:.3g} under cross-entropy. With these settings, {parts}. "
    return html.facts(weights) + html.paragraph(html.join([typeset_numbers(text), _explain_loss(loss, p_t)]))


def relative_weight(loss: Loss, p_t: float) -> float:
    """Returns the loss of an example with p_t as a fraction of its cross-entropy, without α."""
    if loss.kind == "focal":
        return (1 - p_t) ** loss.gamma
    if loss.kind == "poly1_focal":
        return (1 - p_t) ** loss.gamma * (1 + loss.poly1_epsilon * (1 - p_t) / -math.log(p_t))
    return float(p_t <= loss.cutoff) if loss.kind == "cutoff" else 1.0


def _format_share(value: float) -> str:
    """Returns a factor in words; up to a half as 1/N."""
    if value == 0:
        return "nothing"
    if value > 0.5:
        return "all" if value == 1 else f"{value:.3g}"
    return f"1/{1 / value:,.0f}" if value <= 0.01 else f"1/{1 / value:.3g}"


def _compare(value: float, plain: float) -> str:
    """Returns a loss and how it compares with plain cross-entropy."""
    if value == 0:
        return "nothing"
    factor = plain / value
    if abs(factor - 1) < 0.005:
        return f"{value:.3g}, the same"
    if factor < 1:
        return f"{value:.3g}, {1 / factor:.3g} times that"
    return f"{value:.3g}, 1/{factor:,.0f} of that" if factor >= 100 else f"{value:.3g}, 1/{factor:.3g} of that"


def _explain_loss(loss: Loss, p_t: float) -> str | Markup:
    """Returns a sentence about the chosen loss that the numbers do not show, "" for none."""
    if loss.kind == "focal":
        left = relative_weight(loss, p_t)
        shown = f"1/{1 / left:,.0f}" if 0 < left < 0.1 else f"{left:.3g}"
        return Markup("Focusing alone weights it by (1−pₜ)<sup>γ</sup> = {}.").format(typeset_numbers(shown))
    if loss.kind == "poly1_focal":
        return Markup("Poly-1 adds ε (1−pₜ)<sup>γ+1</sup> to focal loss, here {}, before α.").format(
            typeset_numbers(f"{loss.poly1_epsilon * (1 - p_t) ** (loss.gamma + 1):.3g}")
        )
    if loss.kind == "ohem":
        return "It only counts if its anchor is among the hardest ones, which OHEM keeps."
    return ""
