"""Focal loss: what one example pays by how sure the network is, and who pays what in this picture."""

from core.anchors import LEVELS
from core.losses import total_loss
from playground import readout
from playground.inspector import inspect
from playground.situation import Situation
from playground.step import Focus, Look, Step, level_heat, section, truth_layer
from playground.steps import paper
from playground.steps.concentration import concentration
from playground.steps.levels import loss_levels
from playground.steps.loss_curves import CURVES, curves, example
from playground.steps.who_pays import alternatives, certainty, shares

CERTAINTY = "how sure the network is"
FIGURES = (*CURVES, CERTAINTY)


def look(situation: Situation, focus: Focus) -> Look:
    """Shows what the anchors of each place pay, the totals, and the curve of the loss."""
    grid, losses = situation.grid, situation.losses
    start = sum(grid.counts[: focus.level])
    paid = losses.classification[start : start + grid.counts[focus.level]]
    places = paid.view(*grid.grids[focus.level], grid.per_place).sum(dim=2)  # [rows, columns]
    heat = level_heat(situation, LEVELS[focus.level], places, key="loss", label="classification loss")
    layers = (truth_layer(situation),)
    below, held = concentration(situation)
    seen, loss = inspect(situation, focus), situation.config.loss
    text = _totals(situation) + example(loss, focus.p_t) + seen.text
    text += shares(situation) + alternatives(situation) + held + paper.tables()
    first = certainty(situation) if focus.curve == CERTAINTY else curves(loss, focus.curve, p_t=focus.p_t)
    return Look((*layers, *seen.layers), heat, text, first, below)


def _totals(situation: Situation) -> str:
    losses = total_loss([situation.losses], situation.config.loss)
    pairs = [
        ("total", f"{losses.total.item():.3f}"),
        ("classification", f"{losses.classification.item():.3f}"),
        ("box", f"{losses.box.item():.3f}"),
        ("foreground anchors", readout.count(int(situation.losses.foreground))),
    ]
    return readout.facts(pairs)


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
    loss_levels,
    uses_level=True,
)
