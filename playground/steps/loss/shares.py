"""The distribution of the picture's classification loss over its anchors, and of the network's confidence."""

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from core.config import IOU_TARGETS, Config, Loss, knobs
from core.retinanet.assigners.match import BACKGROUND, IGNORED
from core.steering.kinds import EASY_BACKGROUND, FOREGROUND, HARD_BACKGROUND, KINDS as ANCHOR_KINDS
from playground.components import html
from playground.components.figures import Figure, colour, histogram
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache
from playground.support.wording import SPELLINGS

GROUP_COLOURS = {FOREGROUND: "foreground", HARD_BACKGROUND: "suppressed", EASY_BACKGROUND: "background"}
KINDS: tuple[str, ...] = knobs()["loss.kind"].choices
CLASS_WEIGHTS = ("class_weights", "class_weights_beta")  # of every loss
ALTERNATIVES = "The same picture under each loss"
_payers = Cache()


class Payer(NamedTuple):
    """A group of anchors.

    Attributes:
        name: Its name.
        number: Of its anchors that the loss uses.
        share: Its share of the classification loss, 0 … 1; 0 if nothing is paid.
    """

    name: str
    number: int
    share: float


def group_anchors(pipeline: Pipeline) -> tuple[tuple[str, Tensor], ...]:
    """Returns foreground, hard background and easy background, each as (name, bool [N])."""

    return tuple(zip(ANCHOR_KINDS, pipeline.kinds, strict=True))


def list_payers(pipeline: Pipeline) -> list[Payer]:
    """Returns the groups of `group_anchors` with what each pays of the classification loss."""

    def compute() -> list[Payer]:
        losses = pipeline.losses
        whole = losses.classification.sum().clamp(min=1e-12)
        return [
            Payer(
                name,
                int((where & losses.used).sum()),
                (torch.where(where, losses.classification, 0.0).sum() / whole).item(),
            )
            for name, where in group_anchors(pipeline)
        ]

    return _payers.get(pipeline.key_of_loss(pipeline.config.loss), compute)


def shares(pipeline: Pipeline) -> Markup:
    """Returns each group's share of the classification loss, as a table of all anchors and as a bar."""
    payers, ignored = list_payers(pipeline), int((pipeline.match.label == IGNORED).sum())
    rows = [(each.name, html.count(each.number), html.percent(each.share)) for each in payers]
    if pipeline.can_ignore:
        rows.append(("ignored", html.count(ignored), "–"))
    bar = html.bar([(each.name, colour(GROUP_COLOURS[each.name]), each.share) for each in payers])
    table = html.Table("Who pays the classification loss", ("anchors", "number", "share"), tuple(rows))
    return html.table(table) + bar


def explain_targets(pipeline: Pipeline) -> Markup:
    """Returns a sentence on the targets of the foreground scores if they are IoUs, "" if they are 1."""
    if pipeline.config.loss.kind not in IOU_TARGETS:
        return Markup()
    ious = pipeline.predicted_ious
    if not len(ious):
        return html.paragraph(
            "The target of a foreground score is the IoU of its predicted box; there is no foreground."
        )
    low, mean, high = (f"{value.item():.2f}" for value in (ious.min(), ious.mean(), ious.max()))
    return html.paragraph(
        f"The target of a foreground score is not 1, but the IoU of the box that its anchor predicts with its object: "
        f"{mean} on average here, from {low} to {high}. No gradient of the classification loss moves the boxes."
    )


def explain_density(pipeline: Pipeline) -> Markup:
    """Returns a sentence on how GHM-C counts the scores of this picture, "" under other losses."""
    counts = pipeline.gradient_counts
    if counts is None:
        return Markup()
    bins, whole, fullest = len(counts), int(counts.sum()), int(counts.max())
    usual = whole / (bins * max(1, fullest))
    return html.paragraph(
        f"GHM-C sorts the {html.count(whole)} scores of this picture by the size of their gradient, |score − target|, "
        f"into {bins} bins. The fullest has {html.count(fullest)}, which weigh {usual:.3g} each; those of a bin with "
        f"one score would weigh {html.count(whole / bins)}. Here this picture is counted alone; in training, the "
        "batches are, and the counts averaged."
    )


def effective_number(losses: Tensor) -> float:
    """Returns the effective number of anchors: as many as would carry the loss if all paid alike, (Σ l)² / Σ l².

    Args:
        losses: [N].

    Returns:
        A number from 1 to N; 0 if there is no loss.
    """
    values = losses.double()
    square = (values * values).sum()
    return (values.sum() ** 2 / square).item() if square > 0 else 0.0


def alternatives(pipeline: Pipeline) -> Markup:
    """Returns a table of all losses: foreground's share and the effective number of anchors under each."""
    rows, chosen = [], pipeline.config.loss
    for kind in KINDS:
        paid = pipeline.compute_losses(restrict_loss(kind, chosen)).classification
        share = paid[pipeline.match.foreground].sum() / paid.sum().clamp(min=1e-12)
        name = format_kind(kind) + (" (chosen)" if kind == chosen.kind else "")
        rows.append((name, html.percent(share.item()), html.count(effective_number(paid))))
    columns = ("loss", "foreground pays", "effective anchors")
    explanation = html.paragraph(
        "Effective anchors: as many anchors as would carry the loss if all of them paid alike."
    )
    return html.table(html.Table(ALTERNATIVES, columns, tuple(rows))) + explanation


def restrict_loss(kind: str, chosen: Loss) -> Loss:
    """Returns a loss with only the settings that it depends on, so that the others do not invalidate its cache."""
    names = (*CLASS_WEIGHTS, *_list_settings(kind))
    return Loss.model_validate({"kind": kind, **{name: getattr(chosen, name) for name in names}})


@cache
def _list_settings(kind: str) -> tuple[str, ...]:
    """Returns the names of the settings that act only with some classification losses, this one among them."""
    config = Config.from_flat({"loss.kind": kind})
    return tuple(knobs()[path].name for path in OF_SOME_LOSSES if knobs()[path].acts(config))


def _find_of_some() -> tuple[str, ...]:
    """Returns the paths of the settings that act only with some classification losses, on a single picture too."""
    own = (path for path in knobs() if path.startswith("loss.") and "loss.kind" in knobs()[path].depends_on)
    return tuple(path for path in own if "single_image" not in knobs()[path].depends_on)


OF_SOME_LOSSES = _find_of_some()


def format_kind(kind: str) -> str:
    """Returns the name of a loss on the page."""
    return SPELLINGS.get(kind, kind.replace("_", "-"))


def certainty(pipeline: Pipeline) -> Figure:
    """Returns a histogram of p_t: for foreground the score of its class, for background 1 − its best score.

    Ignored anchors have no true class; they are counted as if they were background.
    """
    scores = pipeline.prediction.outputs.logits[0].sigmoid()
    match = pipeline.match
    own = scores[match.foreground, pipeline.labels[match.object[match.foreground]]]
    none = 1 - scores.max(dim=1).values
    ignored = [("ignored, if they were background", colour("ignored"), none[match.label == IGNORED].numpy())]
    values = [
        ("background", colour("background"), none[match.label == BACKGROUND].numpy()),
        *(ignored if pipeline.can_ignore else ()),
        ("foreground", colour("foreground"), own.numpy() if len(own) else torch.zeros(0).numpy()),
    ]
    bins = np.linspace(0, 1, 41)
    axes = {"x": "p<sub>t</sub>", "y": "anchors"}
    return histogram(values, bins=bins, title="Confidence of the network in the true class", **axes, log_y=True)
