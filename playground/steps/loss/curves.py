"""Curves of one score's loss against p_t, the probability of the true class: its value, gradient and weight."""

import math
from typing import NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from core.config import IOU_TARGETS, Config, Loss, knobs
from core.io.text import typeset_numbers
from core.retinanet.losses import classification_loss, find_bins, harmonise
from playground.canvas.view import GREY
from playground.components import html
from playground.components.compared import REFERENCE
from playground.components.figures import Figure, colour, lines
from playground.support.scripts import read_scripts

VALUE, GRADIENT, WEIGHT = "loss", "slope by the logit", "weight beside cross-entropy"
LOGARITHMIC = ", logarithmic"  # ends the name of a curve with a logarithmic vertical axis
CURVES = tuple(kind + axis for kind in (VALUE, GRADIENT, WEIGHT) for axis in ("", LOGARITHMIC))
EXAMPLE = "example"  # name of the line at the example's p_t, which `example_drag.js` makes draggable
EXAMPLE_DRAG = read_scripts("steps/loss/example_drag.js")
TITLES = {
    VALUE: "Loss of one score",
    GRADIENT: "Gradient of one score",
    WEIGHT: "Loss relative to cross-entropy",
}
HEIGHTS = {VALUE: "loss", GRADIENT: "|slope|", WEIGHT: "factor"}
P_T = np.linspace(0.01, 0.99, 99)


CROSS_ENTROPY = Loss(kind="cross_entropy")


class Side(NamedTuple):
    """An example on one side.

    Attributes:
        name: Its name.
        foreground: Whether it is foreground.
        target: What its score has to be if it is foreground.
        dash: Style of its curves.
    """

    name: str
    foreground: bool
    target: float = 1.0
    dash: str = "solid"


FOREGROUND, BACKGROUND = Side("foreground", foreground=True), Side("background", foreground=False)
# Foreground with boxes of several qualities, for losses in which the IoU of the box is the target of the score.
OF_QUALITY = (
    Side("foreground of IoU 1", foreground=True),
    Side("foreground of IoU 0.75", foreground=True, target=0.75, dash="dash"),
    Side("foreground of IoU 0.5", foreground=True, target=0.5, dash="dashdot"),
)


def list_sides(loss: Loss) -> tuple[Side, ...]:
    """Returns the examples of which the curves of a loss are drawn."""
    return (*(OF_QUALITY if loss.kind in IOU_TARGETS else (FOREGROUND,)), BACKGROUND)


def one_score(p_t: Tensor, side: Side, loss: Loss, counts: Tensor | None = None) -> Tensor:
    """Returns the loss of scores with the probability p_t of the true class; any shape.

    Args:
        p_t: The probabilities.
        side: Whether they are foreground, and what they have to be.
        loss: The settings.
        counts: How many scores GHM-C counts in each of its bins, [M]; without them none is weighted.
    """
    return _loss_of(torch.log(p_t / (1 - p_t)), side, loss, counts)


def slope(p_t: Tensor, side: Side, loss: Loss, counts: Tensor | None = None) -> Tensor:
    """Returns |dL/dx|, where x is the logit; the arguments are those of `one_score`."""
    signed = torch.log(p_t / (1 - p_t)).requires_grad_()
    return torch.autograd.grad(_loss_of(signed, side, loss, counts).sum(), signed)[0].abs()


def _loss_of(signed: Tensor, side: Side, loss: Loss, counts: Tensor | None) -> Tensor:
    """Returns the loss of scores by the logit of p_t."""
    targets = torch.full_like(signed, side.target if side.foreground else 0.0)
    logits = signed if side.foreground else -signed
    values = classification_loss(logits, targets, loss)
    if loss.kind != "ghm" or counts is None:
        return values
    return values * harmonise(find_bins(logits, targets, len(counts)), counts)


def curves(loss: Loss, kind: str = VALUE, *, p_t: float | None = None, counts: Tensor | None = None) -> Figure:
    """Returns one of `CURVES` for foreground and background, with plain and α-balanced cross-entropy for comparison.

    Args:
        loss: The settings.
        kind: The curve.
        p_t: Of the example to mark, None for none.
        counts: How many scores GHM-C counts in each of its bins, [M].
    """
    kind, logarithmic = kind.removesuffix(LOGARITHMIC), kind.endswith(LOGARITHMIC)
    at = torch.tensor(P_T)
    balanced = Loss(kind="balanced_cross_entropy", alpha=loss.alpha)
    sides, references = list_sides(loss), (FOREGROUND, BACKGROUND)
    drawn = [("cross-entropy", GREY, P_T.tolist(), _measure(at, kind, FOREGROUND, CROSS_ENTROPY))]
    for settings, name, shown in ((loss, "these settings", sides), (balanced, "α-balanced", references)):
        for side in shown:
            tint = colour("foreground" if side.foreground else "background")
            drawn.append((f"{side.name}, {name}", tint, P_T.tolist(), _measure(at, kind, side, settings, counts)))
    figure = lines(drawn, title=TITLES[kind], x="p<sub>t</sub>, probability of the truth", y=HEIGHTS[kind])
    for trace, side in zip(figure["data"][1:], sides, strict=False):
        if side.dash != "solid":
            trace["line"] |= {"dash": side.dash}
    for trace in figure["data"][-len(references) :]:
        trace["line"] |= {"dash": "dot", "width": 1}
    for trace in (figure["data"][0], *figure["data"][-len(references) :]):
        trace["meta"] = REFERENCE
    if logarithmic:
        figure["layout"]["yaxis"] |= {"type": "log", "exponentformat": "power"}
    if p_t is not None:
        line = {"dash": "dot", "width": 2}
        mark = {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": p_t, "x1": p_t, "line": line, "name": EXAMPLE}
        figure["layout"]["shapes"].append(mark)
        figure["layout"]["dragmode"] = False  # dragging moves the mark instead
    return figure


def _measure(at: Tensor, kind: str, side: Side, loss: Loss, counts: Tensor | None = None) -> list[float]:
    """Returns the heights of a curve; a weight is that beside cross-entropy with the same target."""
    values = (slope if kind == GRADIENT else one_score)(at, side, loss, counts)
    return (values / one_score(at, side, CROSS_ENTROPY) if kind == WEIGHT else values).tolist()


def example(loss: Loss, p_t: float, counts: Tensor | None = None) -> Markup:
    """Returns the loss of an example with p_t, compared with cross-entropy; `counts` are those of `curves`."""
    at = torch.tensor([p_t], dtype=torch.float64)
    plain = -math.log(p_t)
    sides = [side for side in list_sides(loss) if side.target == 1]
    losses = {side.name: one_score(at, side, loss, counts).item() for side in sides}
    alike = losses[BACKGROUND.name] / plain if loss.kind == "ghm" else relative_weight(loss, p_t)
    weights = [] if alike is None else [("weight of this example", f"{_format_share(alike)} of cross-entropy")]
    with_alpha = ", with α" if knobs()["loss.alpha"].acts(Config(loss=loss)) else ""
    weights += [(f"as {name}{with_alpha}", _format_share(value / plain)) for name, value in losses.items()]
    parts = "; ".join(f"as {name} it pays {_compare(value, plain)}" for name, value in losses.items())
    text = f"An example with pₜ = {p_t:g} pays {plain:.3g} under cross-entropy. With these settings, {parts}. "
    return html.facts(weights) + html.paragraph(html.join([typeset_numbers(text), _explain_loss(loss, p_t)]))


def relative_weight(loss: Loss, p_t: float) -> float | None:
    """Returns the loss of an example with p_t as a fraction of its cross-entropy, without α; targets are 1 and 0.

    None if it differs between foreground and background.
    """
    match loss.kind:
        case "focal":
            return (1 - p_t) ** loss.gamma
        case "poly1_focal":
            return (1 - p_t) ** loss.gamma * (1 + loss.poly1_epsilon * (1 - p_t) / -math.log(p_t))
        case "quality_focal":
            return (1 - p_t) ** loss.quality_beta
        case "varifocal":
            return None
        case "cutoff":
            return float(p_t <= loss.cutoff)
    return 1.0


def _format_share(value: float) -> str:
    """Returns a factor in words; up to a half as 1/N."""
    if value == 0:
        return "nothing"
    if value >= 1000:
        return f"{value:,.0f}"
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
        left = (1 - p_t) ** loss.gamma
        shown = f"1/{1 / left:,.0f}" if 0 < left < 0.1 else f"{left:.3g}"
        return Markup("Focusing alone weights it by (1−pₜ)<sup>γ</sup> = {}.").format(typeset_numbers(shown))
    if loss.kind == "poly1_focal":
        return Markup("Poly-1 adds ε (1−pₜ)<sup>γ+1</sup> to focal loss, here {}, before α.").format(
            typeset_numbers(f"{loss.poly1_epsilon * (1 - p_t) ** (loss.gamma + 1):.3g}")
        )
    if loss.kind in IOU_TARGETS:
        return _explain_targets(loss, p_t)
    if loss.kind == "ghm":
        return "GHM-C weights it by how few scores of this picture have a gradient of its size."
    if loss.kind == "ohem":
        return "It only counts if its anchor is among the hardest ones, which OHEM keeps."
    return ""


def _explain_targets(loss: Loss, p_t: float) -> str:
    """Returns a sentence on what an example pays whose box does not fit."""
    side = OF_QUALITY[1]
    paid = one_score(torch.tensor([p_t], dtype=torch.float64), side, loss).item()
    way = "down" if p_t > side.target else "up"
    pushed = "stays, since it is right" if p_t == side.target else f"is pushed {way}, to {side.target:g}"
    return (
        "The target of foreground is not 1, but the IoU of the predicted box with its object: "
        f"with a box of IoU {side.target:g} it pays {paid:.3g}, and its score {pushed}."
    )
