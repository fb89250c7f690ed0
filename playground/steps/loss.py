"""Focal loss: what one example pays by how sure the network is, and who pays what in this picture."""

import numpy as np
import torch

from core.hyperparameters import Loss
from core.losses import classification_loss, total_loss
from core.matching import BACKGROUND
from playground import readout
from playground.figures import colour, lines
from playground.inspector import inspect
from playground.situation import Situation
from playground.step import Focus, Look, Step, level_heat, section, truth_layer
from playground.steps.concentration import concentration

EASY = 0.5  # a background anchor none of whose scores reaches this is easy: it is classified rightly


def look(situation: Situation, focus: Focus) -> Look:
    """Shows what the anchors of each place pay, the totals, and the curve of the loss."""
    grid, losses = situation.grid, situation.losses
    start = sum(grid.counts[: focus.level])
    paid = losses.classification[start : start + grid.counts[focus.level]]
    places = paid.view(*grid.grids[focus.level], grid.per_place).sum(dim=2)  # [rows, columns]
    heat = level_heat(
        situation, focus.level, (places / places.max().clamp(min=1e-9)).numpy(), key="loss", label="classification loss"
    )
    layers = (truth_layer(situation),)
    below, held = concentration(situation)
    seen = inspect(situation, focus)
    text = _totals(situation) + seen.text + _shares(situation) + held
    return Look((*layers, *seen.layers), heat, text, curves(situation.config.loss), below)


def _totals(situation: Situation) -> str:
    losses = total_loss([situation.losses], situation.config.loss)
    pairs = [
        ("total", f"{losses.total.item():.3f}"),
        ("classification", f"{losses.classification.item():.3f}"),
        ("box", f"{losses.box.item():.3f}"),
        ("foreground anchors", readout.count(int(situation.losses.foreground))),
    ]
    return readout.facts(pairs)


def _shares(situation: Situation) -> str:
    match, losses = situation.match, situation.losses
    background = match.label == BACKGROUND
    highest = situation.prediction.outputs.logits[0].max(dim=1).values.sigmoid()
    groups = (
        ("foreground", match.foreground),
        ("hard background", background & (highest >= EASY)),
        ("easy background", background & (highest < EASY)),
    )
    whole = losses.classification.sum().clamp(min=1e-12)
    rows = tuple(
        (
            name,
            readout.count(int((where & losses.used).sum())),
            readout.percent((losses.classification[where].sum() / whole).item()),
        )
        for name, where in groups
    )
    return readout.table(readout.Table("Who pays the classification loss", ("anchors", "number", "share"), rows))


def curves(loss: Loss) -> dict:
    """Returns the loss of one score against p_t, the probability given to the truth, beside cross-entropy."""
    p_t = np.linspace(0.01, 0.99, 99)
    logit = torch.tensor(np.log(p_t / (1 - p_t)))
    foreground = classification_loss(logit, torch.ones_like(logit), loss).tolist()
    background = classification_loss(-logit, torch.zeros_like(logit), loss).tolist()
    plain = (-np.log(p_t)).tolist()
    groups = [
        ("cross-entropy", "#999999", p_t.tolist(), plain),
        ("foreground, these settings", colour("foreground"), p_t.tolist(), foreground),
        ("background, these settings", colour("background"), p_t.tolist(), background),
    ]
    return lines(groups, title="What one score pays", x="p_t, probability of the truth", y="loss")


def _headline(situation: Situation) -> str:
    return f"{total_loss([situation.losses], situation.config.loss).total.item():.2f}"


STEP = Step(
    "loss",
    "Focal loss",
    "Nearly all of the anchors show nothing, and each pays a little: together they drown the few that matter. Focal "
    "loss turns the easy ones down by (1−p_t)^γ. The colours show who pays in this picture.",
    section("loss"),
    _headline,
    look,
    uses_level=True,
)
