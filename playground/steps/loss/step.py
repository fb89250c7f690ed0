"""The loss step: the loss of one example by its p_t, and the distribution of this picture's loss over its anchors."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from markupsafe import Markup
from torch import Tensor

from core.retinanet.losses import total_loss
from playground.canvas.view import Heat
from playground.components import html
from playground.components.figures import Figure
from playground.inspector.inspect import inspect
from playground.pipeline.pipeline import Pipeline
from playground.steps import comparison
from playground.steps.levels import loss_levels
from playground.steps.loss import paper_tables
from playground.steps.loss.classes import shares_by_class
from playground.steps.loss.concentration import concentration, concentration_of_picture
from playground.steps.loss.curves import CURVES, curves, example
from playground.steps.loss.initial import TITLE as INITIAL, initial_loss
from playground.steps.loss.shares import (
    ALTERNATIVES,
    OF_SOME_LOSSES,
    alternatives,
    certainty,
    explain_density,
    explain_targets,
    shares,
)
from playground.steps.step import Focus, Step, StepText, StepView, note_tiles, truth_layer
from playground.support.cache import Cache

CERTAINTY, CUMULATIVE = "how sure the network is", "cumulative loss (figure 4)"
OF_PICTURE = "cumulative loss of this picture"
FIGURES = (*CURVES, CERTAINTY, CUMULATIVE, OF_PICTURE)
PAPER_PRESETS = ("alpha", "gamma", "loss", "prior", "ohem", "anchors")  # repeat the paper's tables
_comparisons = Cache()
MOVES = dict.fromkeys(OF_SOME_LOSSES, f"the table “{ALTERNATIVES}”") | {
    "model.prior_probability": f"the table “{INITIAL}”"
}
DECADES = 4  # powers of ten that the colours span


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the loss at each location as a heat map, the totals, and the chosen curve."""
    seen = inspect(pipeline, focus.pick)
    curve = _build_figure(pipeline, focus) if focus.curve in CURVES else None

    def build_text() -> StepText:
        return _build_text(pipeline, focus, seen.text)._replace(figure=curve or _build_figure(pipeline, focus))

    return StepView((truth_layer(pipeline), *seen.layers), _heat(pipeline), build_text, figure=curve)


def _build_text(pipeline: Pipeline, focus: Focus, report: Markup) -> StepText:
    """Returns the content beside the picture but for the figure; `report` is the inspector's."""
    _, table = (concentration if focus.curve == CUMULATIVE else concentration_of_picture)(pipeline)
    loss = pipeline.config.loss
    text = note_tiles(pipeline) + _totals(pipeline) + shares(pipeline) + explain_targets(pipeline)
    text += explain_density(pipeline) + shares_by_class(pipeline)
    more = None
    if slow := _build_slow_tables(pipeline):
        under_each, initial = slow
        more = example(loss, focus.p_t, pipeline.gradient_counts) + under_each + table + initial + paper_tables.tables()
        more += comparison.measured(PAPER_PRESETS)
    if focus.pick:
        text += report
    elif more is not None:
        more = report + more
    return StepText(text, more=more, moves=MOVES)


def _build_figure(pipeline: Pipeline, focus: Focus) -> Figure:
    """Returns the chosen figure."""
    made: dict[str, Callable[[], Figure]] = {
        CERTAINTY: lambda: certainty(pipeline),
        CUMULATIVE: lambda: concentration(pipeline)[0],
        OF_PICTURE: lambda: concentration_of_picture(pipeline)[0],
    }
    return made.get(focus.curve, lambda: _build_curves(pipeline, focus))()


def _build_curves(pipeline: Pipeline, focus: Focus) -> Figure:
    return curves(pipeline.config.loss, focus.curve, p_t=focus.p_t, counts=pipeline.gradient_counts)


def _build_slow_tables(pipeline: Pipeline) -> tuple[Markup, Markup] | None:
    """Returns the tables of this picture under each loss and of its initial loss, None if they are postponed."""
    config = pipeline.config
    key = (pipeline.key_of_loss(config.loss), config.model.prior_probability, config.training.seed)
    if key not in _comparisons and pipeline.must_postpone():
        return None
    return _comparisons.get(key, lambda: (alternatives(pipeline), initial_loss(pipeline)))


def _heat(pipeline: Pipeline) -> Heat:
    """Returns the classification loss of all levels over the padded picture, logarithmic, scaled to a maximum of 1."""
    losses = sum_by_location(pipeline)
    height, width = pipeline.batch.pixels.shape[-2:]
    decades = (losses / losses.max().clamp(min=1e-9)).clamp(min=1e-9).log10()
    values = (1 + decades / DECADES).clamp(min=0).numpy()
    return Heat("loss", f"classification loss, {DECADES} powers of ten", values, (0, 0, width, height))


def sum_by_location(pipeline: Pipeline) -> Tensor:
    """Returns the classification loss at each location of P3, [rows, columns]; that of coarser levels is spread out."""
    grid = pipeline.grid
    total = torch.zeros(grid.grids[0])
    for paid, size in zip(pipeline.losses.classification.split(list(grid.counts)), grid.grids, strict=True):
        cells = paid.view(1, 1, *size, grid.per_location).sum(dim=4)  # [1, 1, rows, columns]
        share = (size[0] * size[1]) / total.numel()
        total += F.interpolate(cells, total.shape, mode="nearest")[0, 0] * share
    return total


def _totals(pipeline: Pipeline) -> Markup:
    losses = total_loss([pipeline.losses], pipeline.config.loss)
    pairs = [
        ("total", f"{losses.total.item():.3f}"),
        ("classification", f"{losses.classification.item():.3f}"),
        ("box", f"{losses.box.item():.3f}"),
    ]
    return html.facts(pairs)


def _headline(pipeline: Pipeline) -> str:
    return f"{total_loss([pipeline.losses], pipeline.config.loss).total.item():.2f}"


STEP = Step(
    "loss",
    "Nearly all anchors are background, and each of them pays a little: together they drown the few that matter. Focal "
    "loss turns the easy ones down by (1−pₜ)<sup>γ</sup>. The colours show where the loss of this picture is.",
    _headline,
    build_view,
    loss_levels,
    has_figure=True,
    build_figure=_build_figure,
    slider="loss.gamma",
)
