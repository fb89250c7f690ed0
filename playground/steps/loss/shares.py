"""Who pays the classification loss of this picture: shares, how sure the network is, and how many anchors matter."""

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from core.config import Loss
from core.retinanet.matching import BACKGROUND, IGNORED
from playground.components import html
from playground.components.figures import Figure, colour, histogram
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache

EASY = 0.5  # a background anchor none of whose scores reaches this is easy: it is classified rightly
GROUP_COLOURS = {"foreground": "foreground", "hard background": "suppressed", "easy background": "background"}
MATTERS = {  # the settings each kind of classification loss looks at
    "cross_entropy": (),
    "balanced_cross_entropy": ("alpha",),
    "focal": ("alpha", "gamma"),
    "cutoff": ("alpha", "cutoff"),
    "ohem": ("ohem_anchors", "ohem_nms_threshold", "ohem_one_to_three"),
}


_groups = Cache(16)


def groups_of(pipeline: Pipeline) -> tuple[tuple[str, Tensor], ...]:
    """Returns (name, bool [N]) of foreground, hard background and easy background."""

    def compute() -> tuple[tuple[str, Tensor], ...]:
        match = pipeline.match
        background = match.label == BACKGROUND
        easy = pipeline.prediction.outputs.logits[0].amax(dim=1).sigmoid() < EASY
        return (
            ("foreground", match.foreground),
            ("hard background", background & ~easy),
            ("easy background", background & easy),
        )

    return _groups.get(pipeline.logits_key, compute)


def shares(pipeline: Pipeline) -> Markup:
    """Returns the share of the loss that each group of anchors pays, as a bar and as a table of all anchors."""
    losses, ignored = pipeline.losses, int((pipeline.match.label == IGNORED).sum())
    whole = losses.classification.sum().clamp(min=1e-12)
    groups = groups_of(pipeline)
    paid = {name: (torch.where(where, losses.classification, 0.0).sum() / whole).item() for name, where in groups}
    rows = [(name, html.count(int((where & losses.used).sum())), html.percent(paid[name])) for name, where in groups]
    rows.append(("ignored", html.count(ignored), "–"))
    bar = html.bar([(name, colour(GROUP_COLOURS[name]), share) for name, share in paid.items()])
    table = html.Table("Who pays the classification loss", ("anchors", "number", "share"), tuple(rows))
    return html.table(table) + bar


def effective_number(losses: Tensor) -> float:
    """Returns how many equal payers would be as concentrated: (Σ l)² / Σ l², 0 without any loss."""
    values = losses.double()
    square = (values * values).sum()
    return (values.sum() ** 2 / square).item() if square > 0 else 0.0


def alternatives(pipeline: Pipeline) -> Markup:
    """Returns a table of the losses one may choose: foreground's share, and how many anchors each is about."""
    rows, chosen = [], pipeline.config.loss
    for kind in MATTERS:
        paid = pipeline.compute_losses(only(kind, chosen)).classification
        share = paid[pipeline.match.foreground].sum() / paid.sum().clamp(min=1e-12)
        name = name_of(kind) + (" (chosen)" if kind == chosen.kind else "")
        rows.append((name, html.percent(share.item()), html.count(effective_number(paid))))
    columns = ("loss", "foreground pays", "effective anchors")
    return html.table(html.Table("The same picture under each loss", columns, tuple(rows)))


def only(kind: str, chosen: Loss) -> Loss:
    """Returns a loss of some kind with the settings that matter to it, so that the others leave what is cached."""
    return Loss.model_validate({"kind": kind, **{name: getattr(chosen, name) for name in MATTERS[kind]}})


def name_of(kind: str) -> str:
    """Returns a kind of loss as the page writes it."""
    return kind.replace("_", "-")


def certainty(pipeline: Pipeline) -> Figure:
    """Returns how many anchors have which p_t: of foreground the score of its class, of background 1 − the best.

    Ignored anchors have no truth; they are counted by the p_t that they would have as background.
    """
    scores = pipeline.prediction.outputs.logits[0].sigmoid()
    match = pipeline.match
    own = scores[match.foreground, pipeline.labels[match.object[match.foreground]]]
    none = 1 - scores.max(dim=1).values
    values = [
        ("background", colour("background"), none[match.label == BACKGROUND].numpy()),
        ("ignored, if they were background", colour("ignored"), none[match.label == IGNORED].numpy()),
        ("foreground", colour("foreground"), own.numpy() if len(own) else torch.zeros(0).numpy()),
    ]
    bins = np.linspace(0, 1, 41)
    return histogram(values, bins=bins, title="How sure the network is", x="p_t", y="anchors", log_y=True)
