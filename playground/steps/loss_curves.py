"""Curves of the loss of one score against p_t, the probability it gives to the truth: its value, slope and weight."""

import math

import numpy as np
import torch

from core.hyperparameters import Loss
from core.losses import classification_loss
from playground import readout
from playground.figures import Figure, colour, lines

VALUE, LOG_VALUE, GRADIENT, WEIGHT = "loss", "loss, logarithmic", "slope by the logit", "weight beside cross-entropy"
CURVES = (VALUE, LOG_VALUE, GRADIENT, WEIGHT)
GREY = "#999999"
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
    """Returns one of `CURVES` for foreground and background under the settings, beside plain cross-entropy.

    Args:
        loss: The settings.
        kind: Which curve.
        p_t: Place of a mark, None for none.
    """
    at = torch.tensor(P_T)
    plain = Loss(kind="cross_entropy")
    measure = slope if kind == GRADIENT else one_score
    reference = measure(at, foreground=True, loss=plain)
    groups = [("cross-entropy", GREY, torch.ones_like(at) if kind == WEIGHT else reference)]
    for side in ("foreground", "background"):
        values = measure(at, foreground=side == "foreground", loss=loss)
        groups.append((f"{side}, these settings", colour(side), values / reference if kind == WEIGHT else values))
    drawn = [(name, tint, P_T.tolist(), values.tolist()) for name, tint, values in groups]
    title = {GRADIENT: "How hard one score pulls", WEIGHT: "How much of cross-entropy is left"}
    figure = lines(
        drawn, title=title.get(kind, "What one score pays"), x="p_t, probability of the truth", y=_axis(kind)
    )
    if kind in (LOG_VALUE, WEIGHT):
        figure["layout"]["yaxis"] |= {"type": "log", "exponentformat": "power"}
    if p_t is not None:
        mark = {
            "type": "line",
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "x0": p_t,
            "x1": p_t,
            "line": {"dash": "dot", "width": 1},
        }
        figure["layout"]["shapes"].append(mark)
    return figure


def _axis(kind: str) -> str:
    return {GRADIENT: "|slope|", WEIGHT: "factor"}.get(kind, "loss")


def example(loss: Loss, p_t: float) -> str:
    """Returns in words what an example with p_t pays, and how many times less than under cross-entropy."""
    at = torch.tensor([p_t], dtype=torch.float64)
    plain = -math.log(p_t)
    pays = {
        side: one_score(at, foreground=side == "foreground", loss=loss).item() for side in ("foreground", "background")
    }
    parts = "; ".join(f"as {side} it pays {_pays(value, plain)}" for side, value in pays.items())
    return readout.paragraph(
        f"An example with p_t = {p_t:g} pays {plain:.3g} under cross-entropy. With these settings, {parts}. "
        + _reason(loss, p_t)
    )


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
        weight = (1 - p_t) ** loss.gamma
        shown = f"1/{1 / weight:,.0f}" if 0 < weight < 0.1 else f"{weight:.3g}"
        return f"Focusing alone weighs it by (1−p_t)^γ = {shown}."
    if loss.kind == "ohem":
        return "It pays only if its anchor is among the hardest that are kept."
    return ""
