"""Who steers: each group's share of the gradient on the heads' last convolutions, beside its share of the loss."""

from typing import NamedTuple

import torch
from markupsafe import Markup
from torch import Tensor

from core.errors import UserError
from core.io.text import count_noun
from core.retinanet.anchors import LEVELS
from core.steering.kinds import EASY_BACKGROUND, FOREGROUND, KINDS
from core.steering.ledger import Groups, Ledger
from playground.canvas.view import TRUTH, Heat
from playground.components import html
from playground.components.figures import Figure, colour, paired_bars
from playground.inspector.reasons import name_object
from playground.pipeline.pipeline import Pipeline
from playground.steps.loss.shares import GROUP_COLOURS
from playground.steps.loss.spread import DECADES, scale_decades, spread
from playground.support.wording import name_knobs

STEERS = "who steers"  # one of the figures of the loss step
PAYS = "pays"
MAX_OBJECTS = 8  # rows of the table, those that steer most; the others share a row
ABOUT = (
    "Training follows the gradient, not the loss: each anchor adds an arrow to it, and arrows that agree add up, while "
    "others cancel. An anchor steers by as much as its arrow goes the way of all together; a negative share pulls back."
)
OF_WHAT = (
    "The arrow of an anchor is that on the last convolution of a subnet, which all locations share: the slope of the "
    "loss by its scores times the 3×3 features around it. That is the gradient on this convolution's weight alone, "
    "without its bias. On all weights of the class subnet together, easy background was measured to steer even more "
    "while γ is below 2, and about as much from there on."
)


class Steering(NamedTuple):
    """The gradient ledger in the loss step: HTML, figure and map; only the text if it cannot be computed."""

    text: Markup
    figure: Figure | None = None
    heat: Heat | None = None


def build_steering(pipeline: Pipeline) -> Steering:
    """Returns who steers the training on the picture."""
    try:
        classes, boxes = pipeline.class_ledger, pipeline.box_ledger
        paid = pipeline.losses.classification
    except UserError as error:
        return Steering(html.paragraph(name_knobs(error)))
    shares = _share_by_cell(pipeline, paid)
    text = html.paragraph(ABOUT) + html.details("Which arrows", html.paragraph(OF_WHAT))
    text += _kinds_table(classes, shares) + _explain_directions(classes.kinds)
    text += _levels_table(classes, boxes, shares) + _explain_heads(pipeline, classes, boxes)
    text += _objects_table(pipeline, classes, boxes)
    return Steering(text, _build_figure(classes, shares), _draw_map(pipeline, classes))


def _share_by_cell(pipeline: Pipeline, paid: Tensor) -> Tensor:
    """Returns the share of each kind on each level in a quantity of anchors, [levels, kinds]."""
    sums = [(pipeline.kinds * paid)[:, pipeline.grid.level == level].sum(dim=1) for level in range(len(LEVELS))]
    return torch.stack(sums) / paid.sum().clamp(min=1e-12)


def _build_figure(classes: Ledger, shares: Tensor) -> Figure:
    """Returns what each kind pays, and steers, of the classification loss: of all levels together and of each."""
    steered = classes.cells.pulls.view(shares.shape)
    groups = []
    for index, kind in enumerate(KINDS):
        paid, pulled = (torch.cat([each.sum(dim=0, keepdim=True), each])[:, index] for each in (shares, steered))
        groups.append((kind, colour(GROUP_COLOURS[kind]), list(zip(paid.tolist(), pulled.tolist(), strict=True))))
    return paired_bars(
        ("all", *LEVELS), (PAYS, "steers"), groups, title="Who pays, and who steers the class subnet", y="share"
    )


def _kinds_table(classes: Ledger, shares: Tensor) -> Markup:
    """Returns a row for each kind of anchor."""
    groups, whole = classes.kinds, shares.sum(dim=0)
    rows = [
        (
            kind,
            html.percent(whole[index].item()),
            html.percent(groups.norm_shares[index].item()),
            html.signed_percent(groups.pulls[index].item()),
            html.number(groups.agreements[index].item(), ".2f"),
        )
        for index, kind in enumerate(KINDS)
    ]
    columns = ("anchors", PAYS, "norm", "steers", "agrees")
    explanation = html.paragraph(
        "Norm: its share of the arrows' lengths. Agrees: the cosine of its arrow with all together, from 1, the same "
        "way, to −1, the opposite."
    )
    return html.table(html.Table("Who steers the class subnet", columns, tuple(rows))) + explanation


def _explain_directions(kinds: Groups) -> Markup:
    """Returns a sentence on whether foreground and easy background agree, "" if one of them has no gradient."""
    first, second = KINDS.index(FOREGROUND), KINDS.index(EASY_BACKGROUND)
    if not bool(kinds.norms[[first, second]].all()):
        return Markup()
    cosine = kinds.cosines[first, second].item()
    shown = html.number(cosine, ".2f")
    ways = "pull apart" if cosine < -0.05 else "pull the same way" if cosine > 0.05 else "hardly touch each other"
    return html.paragraph(f"Foreground and easy background {ways}: the cosine between their arrows is {shown}.")


def _levels_table(classes: Ledger, boxes: Ledger, shares: Tensor) -> Markup:
    """Returns a row for each pyramid level."""
    rows = [
        (LEVELS[level], html.percent(paid), html.signed_percent(of_class), html.signed_percent(of_box))
        for level, (paid, of_class, of_box) in enumerate(
            zip(shares.sum(dim=1).tolist(), classes.levels.pulls.tolist(), boxes.levels.pulls.tolist(), strict=True)
        )
    ]
    columns = ("level", PAYS, "steers class subnet", "steers box subnet")
    return html.table(html.Table("Who steers, by level", columns, tuple(rows)))


def _explain_heads(pipeline: Pipeline, classes: Ledger, boxes: Ledger) -> Markup:
    """Returns the lengths of both gradients, and what the normaliser does to them."""
    foreground = max(1, int(pipeline.match.foreground.sum()))
    facts = [("class subnet, length", f"{classes.length:.3g}"), ("box subnet, length", f"{boxes.length:.3g}")]
    subject = (
        "The class loss of GHM-C is not divided; its weights are those of this picture. In the box loss the normaliser"
        if pipeline.config.loss.kind == "ghm"
        else "The normaliser"
    )
    return html.facts(facts) + html.paragraph(
        f"{subject} divides every arrow of this picture alike, here by "
        f"{count_noun(foreground, 'foreground anchor')}: it sets how far a step goes, not who steers it. Between the "
        "pictures of a batch it does steer: “image” gives each picture a divisor of its own, so "
        "that each anchor of a picture with little foreground counts for more."
    )


def _objects_table(pipeline: Pipeline, classes: Ledger, boxes: Ledger) -> Markup:
    """Returns a row for each object by its foreground anchors, "" without objects."""
    if not len(classes.object_pulls):
        return Markup()
    order = classes.object_pulls.argsort(descending=True, stable=True).tolist()
    rows = [
        (
            name_object(pipeline, number),
            html.count(int((pipeline.match.foreground & (pipeline.match.object == number)).sum())),
            html.signed_percent(classes.object_pulls[number].item()),
            html.signed_percent(boxes.object_pulls[number].item()),
        )
        for number in order[:MAX_OBJECTS]
    ]
    if rest := order[MAX_OBJECTS:]:
        pulled, moved = (html.signed_percent(each.object_pulls[rest].sum().item()) for each in (classes, boxes))
        rows.append((count_noun(len(rest), "other object"), "–", pulled, moved))
    columns = ("object", "foreground", "steers class subnet", "steers box subnet")
    named = (*(html.box_of(TRUTH, number) for number in order[:MAX_OBJECTS]), *([""] if rest else []))
    return html.table(html.Table("Who steers, by object", columns, tuple(rows), boxes=named))


def _draw_map(pipeline: Pipeline, classes: Ledger) -> Heat:
    """Returns the share of each location in the class subnet's gradient; where it pulls back, there is no colour."""
    height, width = pipeline.batch.pixels.shape[-2:]
    values = scale_decades(spread(classes.pulls, pipeline.grid).clamp(min=0)).numpy()
    return Heat("steers", f"steers the class subnet, {DECADES} powers of ten", values, (0, 0, width, height))
