"""The loss step: the loss of one example by its p_t, and the distribution of this picture's loss over its anchors."""

from collections.abc import Callable

from markupsafe import Markup

from core.config import Config, knobs
from core.retinanet.losses import total_loss
from playground.canvas.view import Heat
from playground.components import html
from playground.components.figures import Figure
from playground.inspector.inspect import inspect
from playground.pipeline.pipeline import Pipeline
from playground.steps.comparison.measured import show_presets
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
from playground.steps.loss.spread import DECADES, scale_decades, spread
from playground.steps.loss.steering import STEERS, Steering, build_steering
from playground.steps.step import Focus, Step, StepText, StepView, note_tiles, truth_layer
from playground.support.cache import Cache

CERTAINTY, CUMULATIVE = "how sure the network is", "cumulative loss (figure 4)"
OF_PICTURE = "cumulative loss of this picture"
FIGURES = (*CURVES, CERTAINTY, CUMULATIVE, OF_PICTURE, STEERS)
PAPER_PRESETS = ("alpha", "gamma", "loss", "prior", "ohem", "anchors")  # repeat the paper's tables
_comparisons = Cache()
MOVES = dict.fromkeys(OF_SOME_LOSSES, f"the table “{ALTERNATIVES}”") | {
    "model.prior_probability": f"the table “{INITIAL}”"
}


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the loss, or who steers, at each location as a heat map, the totals, and the chosen curve."""
    steering = build_steering(pipeline) if focus.curve == STEERS else None
    seen = inspect(pipeline, focus.pick, focus.dials.asked, steering=steering is not None)
    curve = steering.figure if steering else _build_figure(pipeline, focus) if focus.curve in CURVES else None

    def build_text() -> StepText:
        text = _build_text(pipeline, focus, seen.text, steering)
        return text._replace(figure=curve if curve or steering else _build_figure(pipeline, focus))

    heat = seen.heat or (steering.heat if steering and steering.heat else _heat(pipeline))
    return StepView((truth_layer(pipeline), *seen.layers), heat, build_text, figure=curve)


def _build_text(pipeline: Pipeline, focus: Focus, report: Markup, steering: Steering | None) -> StepText:
    """Returns the content beside the picture but for the figure; `report` is the inspector's."""
    _, table = (concentration if focus.curve == CUMULATIVE else concentration_of_picture)(pipeline)
    loss = pipeline.config.loss
    text = note_tiles(pipeline) + _totals(pipeline) + shares(pipeline) + explain_targets(pipeline)
    text += steering.text if steering else Markup()
    text += explain_density(pipeline) + shares_by_class(pipeline)
    more = None
    if slow := _build_slow_tables(pipeline):
        under_each, initial = slow
        more = example(loss, focus.p_t, pipeline.gradient_counts) + under_each + table + initial + paper_tables.tables()
        more += show_presets(PAPER_PRESETS)
    if focus.pick:
        text += report
    elif more is not None:
        more = report + more
    return StepText(text, more=more, moves=_list_moves(pipeline.config))


def _list_moves(config: Config) -> dict[str, str]:
    """Returns what of `MOVES` changes under the settings: hyperparameters that act under one of the losses."""
    under_each = [config.replace({"loss.kind": kind}) for kind in knobs()["loss.kind"].choices]
    return {path: moved for path, moved in MOVES.items() if any(map(knobs()[path].acts, under_each))}


def _build_figure(pipeline: Pipeline, focus: Focus) -> Figure | None:
    """Returns the chosen figure, None if it cannot be computed."""
    made: dict[str, Callable[[], Figure | None]] = {
        CERTAINTY: lambda: certainty(pipeline),
        CUMULATIVE: lambda: concentration(pipeline)[0],
        OF_PICTURE: lambda: concentration_of_picture(pipeline)[0],
        STEERS: lambda: build_steering(pipeline).figure,
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
    height, width = pipeline.batch.pixels.shape[-2:]
    values = scale_decades(spread(pipeline.losses.classification, pipeline.grid)).numpy()
    return Heat("loss", f"classification loss, {DECADES} powers of ten", values, (0, 0, width, height))


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
    "loss turns the easy ones down by (1−pₜ)<sup>γ</sup>. The colours show where the loss of this picture is or, "
    f"under the figure “{STEERS}”, where its gradient comes from.",
    _headline,
    build_view,
    loss_levels,
    has_figure=True,
    build_figure=_build_figure,
    keeps_figure=True,
    slider="loss.gamma",
)
