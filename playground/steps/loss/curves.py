"""Curves of the loss of one score against p_t, the probability it gives to the truth: its value, slope and weight."""

import math
from pathlib import Path

import numpy as np
import torch
from markupsafe import Markup

from core.config import Loss
from core.retinanet.losses import classification_loss
from playground.components import html
from playground.components.figures import Figure, colour, lines

VALUE, GRADIENT, WEIGHT = "loss", "slope by the logit", "weight beside cross-entropy"
LOGARITHMIC = ", logarithmic"  # ends the name of a curve whose height is logarithmic
CURVES = tuple(kind + axis for kind in (VALUE, GRADIENT, WEIGHT) for axis in ("", LOGARITHMIC))
EXAMPLE = "example"  # name of the line that marks one p_t; `example_drag.js` drags it
EXAMPLE_DRAG = (Path(__file__).parent / "example_drag.js").read_text("utf-8")
GREY = "#999999"
SIDES = ("foreground", "background")
TITLES = {
    VALUE: "What one score pays",
    GRADIENT: "How hard one score pulls",
    WEIGHT: "How much of cross-entropy is left",
}
HEIGHTS = {VALUE: "loss", GRADIENT: "|slope|", WEIGHT: "factor"}
P_T = np.linspace(0.01, 0.99, 99)


def one_score(p_t: torch.Tensor, *, foreground: bool, loss: Loss) -> torch.Tensor:
    """Returns the loss of scores that give the truth the probability p_t, any shape."""
    logit = torch.log(p_t / (1 - p_t))
    targets = torch.full_like(p_t, 1.0 if foreground else 0.0)
    return classification_loss(logit if foreground else -logit, targets, loss)


def slope(p_t: torch.Tensor, *, foreground: bool, loss: Loss) -> torch.Tensor:
    """Returns |dL/dx| of scores with probability p_t of the truth, x the logit; by autograd."""
    signed = torch.log(p_t / (1 - p_t)).requires_grad_()
    targets = torch.full_like(p_t, 1.0 if foreground else 0.0)
    values = classification_loss(signed if foreground else -signed, targets, loss)
    return torch.autograd.grad(values.sum(), signed)[0].abs()


def curves(loss: Loss, kind: str = VALUE, *, p_t: float | None = None) -> Figure:
    """Returns one of `CURVES` for foreground and background, beside cross-entropy, plain and balanced by the same α.

    Args:
        loss: The settings.
        kind: Which curve.
        p_t: Place of a mark, None for none.
    """
    kind, logarithmic = kind.removesuffix(LOGARITHMIC), kind.endswith(LOGARITHMIC)
    at = torch.tensor(P_T)
    measure = slope if kind == GRADIENT else one_score
    plain = measure(at, foreground=True, loss=Loss(kind="cross_entropy"))
    whole = plain if kind == WEIGHT else torch.ones_like(at)  # what all values are shares of
    drawn = [("cross-entropy", GREY, P_T.tolist(), (plain / whole).tolist())]
    balanced = Loss(kind="balanced_cross_entropy", alpha=loss.alpha)
    for settings, name in ((loss, "these settings"), (balanced, "α-balanced")):
        for side in SIDES:
            values = measure(at, foreground=side == "foreground", loss=settings) / whole
            drawn.append((f"{side}, {name}", colour(side), P_T.tolist(), values.tolist()))
    figure = lines(drawn, title=TITLES[kind], x="p_t, probability of the truth", y=HEIGHTS[kind])
    for trace in figure["data"][-len(SIDES) :]:
        trace["line"] |= {"dash": "dash", "width": 1}
    if logarithmic:
        figure["layout"]["yaxis"] |= {"type": "log", "exponentformat": "power"}
    if p_t is not None:
        line = {"dash": "dot", "width": 2}
        mark = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": p_t, "x1": p_t, "line": line, "name": EXAMPLE}
        figure["layout"]["shapes"].append(mark)
        figure["layout"]["dragmode"] = False  # a drag moves the mark
    return figure


def example(loss: Loss, p_t: float) -> Markup:
    """Returns what an example with p_t pays, and how many times less than under cross-entropy."""
    at = torch.tensor([p_t], dtype=torch.float64)
    plain = -math.log(p_t)
    pays = {side: one_score(at, foreground=side == "foreground", loss=loss).item() for side in SIDES}
    weights = [("this example weighs", f"{_share(weight(loss, p_t))} of cross-entropy")]
    weights += [(f"as {side}, with α", _share(value / plain)) for side, value in pays.items()]
    parts = "; ".join(f"as {side} it pays {_pays(value, plain)}" for side, value in pays.items())
    text = f"An example with p_t = {p_t:g} pays {plain:.3g} under cross-entropy. With these settings, {parts}. "
    return html.facts(weights) + html.paragraph(text + _reason(loss, p_t))


def weight(loss: Loss, p_t: float) -> float:
    """Returns how much of cross-entropy the kind of loss leaves an example with p_t, whatever α weighs its side."""
    if loss.kind == "focal":
        return (1 - p_t) ** loss.gamma
    return float(p_t <= loss.cutoff) if loss.kind == "cutoff" else 1.0


def _share(value: float) -> str:
    """Returns a factor as people say it: a half and less as 1/N."""
    if value == 0:
        return "nothing"
    if value > 0.5:
        return "all" if value == 1 else f"{value:.3g}"
    return f"1/{1 / value:,.0f}" if value <= 0.01 else f"1/{1 / value:.3g}"


def _pays(value: float, plain: float) -> str:
    if value == 0:
        return "nothing"
    factor = plain / value
    if abs(factor - 1) < 0.005:
        return f"{value:.3g}, the same"
    if factor < 1:
        return f"{value:.3g}, {1 / factor:.3g} times that"
    return f"{value:.3g}, 1/{factor:,.0f} of that" if factor >= 100 else f"{value:.3g}, 1/{factor:.3g} of that"


def _reason(loss: Loss, p_t: float) -> str:
    """Returns what of the chosen loss is not seen in one example's price, or where that comes from."""
    if loss.kind == "focal":
        left = weight(loss, p_t)
        shown = f"1/{1 / left:,.0f}" if 0 < left < 0.1 else f"{left:.3g}"
        return f"Focusing alone weighs it by (1−p_t)^γ = {shown}."
    if loss.kind == "ohem":
        return "It pays only if its anchor is among the hardest that are kept."
    return ""
