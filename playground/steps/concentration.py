"""How few anchors hold how much of the loss: the paper's figure 4, of this picture and this detector."""

import numpy as np
from torch import Tensor

from core.cumulative import GAMMAS, Sides, cumulative, hardest_share
from core.hyperparameters import Loss
from playground import readout
from playground.cache import Cache
from playground.figures import ARMS, Figure, lines
from playground.situation import Situation

POINTS = 101  # of a curve
_concentrations = Cache(8)  # they do not depend on the chosen α and γ
SHARES = ((0.2, "20%"), (0.01, "1%"))  # of the hardest anchors


def concentration(situation: Situation) -> tuple[Figure, str]:
    """Returns the cumulative normalised losses for the paper's values of γ, and what the hardest anchors hold."""
    key, sides = situation.sides
    return _concentrations.get(key, lambda: _concentration(sides))


def _concentration(sides: Sides) -> tuple[Figure, str]:
    curves, rows = [], []
    for gamma, tint in zip(GAMMAS, ARMS, strict=False):
        both = dict(zip(("foreground", "background"), sides.losses(Loss(gamma=gamma)), strict=True))
        held_by = {side: cumulative(losses) for side, losses in both.items()}
        curves += [(f"{side}, γ = {gamma:g}", tint, *_points(held)) for side, held in held_by.items()]
        held = [_held(running, share) for running in held_by.values() for share, _ in SHARES]
        rows.append((f"{gamma:g}", *held))
    figure = lines(curves, title="Cumulative loss (paper, figure 4)", x="share of anchors, easiest first", y="of loss")
    for trace in figure["data"]:
        trace["line"]["dash"] = "dot" if trace["name"].startswith("foreground") else "solid"
    columns = ("γ", *(f"{side} {name}" for side in ("fg", "bg") for _, name in SHARES))
    return figure, readout.table(readout.Table("Loss held by the hardest anchors", columns, tuple(rows)))


def _points(running: Tensor) -> tuple[list[float], list[float]]:
    """Returns a curve of few points: share of anchors and share of loss; none without anchors."""
    held = running.numpy()
    count = len(held)
    if count == 0:
        return [], []
    # Denser at the end, where a large γ bends the curve.
    at = np.unique(np.round(count * (1 - np.linspace(1, 0, POINTS) ** 3)).astype(int))
    return (at / count).tolist(), np.concatenate([[0.0], held])[at].tolist()


def _held(running: Tensor, share: float) -> str:
    return readout.percent(hardest_share(running, share)) if len(running) else "–"
