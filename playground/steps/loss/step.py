"""Focal loss: what one example pays by how sure the network is, and who pays what in this picture."""

import torch
import torch.nn.functional as F
from markupsafe import Markup
from torch import Tensor

from core.retinanet.losses import total_loss
from playground.canvas.view import Heat
from playground.components import html
from playground.inspector.inspect import inspect
from playground.pipeline.pipeline import Pipeline
from playground.steps import comparison
from playground.steps.levels import loss_levels
from playground.steps.loss import paper_tables
from playground.steps.loss.concentration import SCENES, concentration, concentration_of_scenes
from playground.steps.loss.curves import CURVES, curves, example
from playground.steps.loss.initial import first_loss
from playground.steps.loss.shares import alternatives, certainty, shares
from playground.steps.step import Focus, Step, StepText, StepView, is_in_section, truth_layer
from playground.support.cache import Cache

CERTAINTY, CUMULATIVE = "how sure the network is", "cumulative loss (figure 4)"
OF_SCENES = f"cumulative loss of {SCENES} scenes"
FIGURES = (*CURVES, CERTAINTY, CUMULATIVE, OF_SCENES)
LIKE_THE_PAPERS = (
    "alpha",
    "gamma",
    "loss",
    "prior",
    "ohem",
    "anchors",
)  # presets that repeat the paper's tables in miniature
_comparisons = Cache(16)
DECADES = 4  # of the colours: what pays a ten-thousandth of the highest is dark


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows what the anchors of each place pay, the totals, and the curve of the loss."""
    seen = inspect(pipeline, focus.pick)

    def build_text() -> StepText:
        return _told(pipeline, focus, seen.text)

    return StepView((truth_layer(pipeline), *seen.layers), _heat(pipeline), build_text)


def _told(pipeline: Pipeline, focus: Focus, seen: Markup) -> StepText:
    """Returns the words; `seen` is what the inspector tells."""
    cumulative, held = (concentration_of_scenes if focus.curve == OF_SCENES else concentration)(pipeline)
    loss = pipeline.config.loss
    text = _totals(pipeline) + shares(pipeline)
    more = None
    if compared := _compared(pipeline):
        under_each, first = compared
        more = example(loss, focus.p_t) + under_each + held + first + paper_tables.tables()
        more += comparison.measured(LIKE_THE_PAPERS)
    if focus.pick:
        text += seen
    elif more is not None:
        more = seen + more
    made = {CERTAINTY: lambda: certainty(pipeline), CUMULATIVE: lambda: cumulative, OF_SCENES: lambda: cumulative}
    figure = made.get(focus.curve, lambda: curves(loss, focus.curve, p_t=focus.p_t))()
    return StepText(text, figure, more)


def _compared(pipeline: Pipeline) -> tuple[Markup, Markup] | None:
    """Returns the tables of this picture under each loss and at the first step, None while what takes long waits."""
    key = (pipeline.logits_key, pipeline.config.loss, pipeline.config.model.prior_probability)
    if key not in _comparisons and pipeline.must_postpone():
        return None
    return _comparisons.get(key, lambda: (alternatives(pipeline), first_loss(pipeline)))


def _heat(pipeline: Pipeline) -> Heat:
    """Returns the classification loss of all levels over the padded picture on a logarithmic scale, its highest 1."""
    paid = places(pipeline)
    height, width = pipeline.batch.pixels.shape[-2:]
    decades = (paid / paid.max().clamp(min=1e-9)).clamp(min=1e-9).log10()
    values = (1 + decades / DECADES).clamp(min=0).numpy()
    return Heat("loss", f"classification loss, {DECADES} powers of ten", values, (0, 0, width, height))


def places(pipeline: Pipeline) -> Tensor:
    """Returns the classification loss at each place of P3, [rows, columns]; that of coarser levels is spread out."""
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
    "Focal loss",
    "Nearly all of the anchors show nothing, and each pays a little: together they drown the few that matter. Focal "
    "loss turns the easy ones down by (1−p_t)^γ. The colours show who pays in this picture.",
    is_in_section("loss"),
    _headline,
    build_view,
    loss_levels,
)
