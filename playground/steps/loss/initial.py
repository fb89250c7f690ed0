"""The picture's classification loss at the first step of training, with and without the prior π."""

import math

from markupsafe import Markup

from core.analysis.initial_logits import NO_PRIOR
from core.config import Loss
from core.io.text import count_noun
from core.retinanet.assigners.match import IGNORED
from playground.components import html
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss.shares import format_kind, restrict_loss

TITLE = "Initial loss with new heads"
CROSS_ENTROPY = Loss(kind="cross_entropy")


def initial_loss(pipeline: Pipeline) -> Markup:
    """Returns a table of the initial loss by prior and loss, and why it is so large under cross-entropy."""
    prior = pipeline.config.model.prior_probability
    loss = restrict_loss(pipeline.config.loss.kind, pipeline.config.loss)
    columns = {format_kind(loss.kind): loss, format_kind(CROSS_ENTROPY.kind): CROSS_ENTROPY}
    names = {f"π = {prior:g}": prior, f"none, π = {NO_PRIOR:g}": NO_PRIOR}
    if prior == NO_PRIOR:
        del names[f"π = {prior:g}"]
    rows = tuple(
        (name, *(f"{pipeline.compute_initial_loss(each, start):,.2f}" for each in columns.values()))
        for name, start in names.items()
    )
    return html.table(html.Table(TITLE, ("prior", *columns), rows)) + _explain(pipeline)


def _explain(pipeline: Pipeline) -> Markup:
    match = pipeline.match_initially(NO_PRIOR)
    foreground = max(1, int(match.foreground.sum()))
    scores = pipeline.network.model.num_classes * int((match.label != IGNORED).sum())
    return html.paragraph(
        f"Without π, every score begins near 0.5 and pays ln 2 = {math.log(2):.2f} under cross-entropy: "
        f"{html.count(scores)} scores pay {html.count(scores * math.log(2))}, and that is divided by only "
        f"{count_noun(foreground, 'foreground anchor')}. With π, nearly all of them begin almost right."
    )
