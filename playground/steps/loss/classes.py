"""Who pays the classification loss by class, and the weights of classes."""

from typing import NamedTuple

from markupsafe import Markup

from core.io.text import count_noun
from playground.components import html
from playground.pipeline.pipeline import Pipeline

MAX_ROWS = 8  # classes, those that pay most; the others share a row
EQUATIONS = {
    "inverse_frequency": "1 / n for n objects",
    "effective_number": "(1 − β) / (1 − β<sup>n</sup>) for n objects, one over their effective number",
}


class ClassPayer(NamedTuple):
    """A class of this picture's objects.

    Attributes:
        name: Its name.
        objects: Number of its objects.
        anchors: Number of foreground anchors that the loss uses.
        weight: Its weight in the loss.
        share: Its share of the classification loss, 0 … 1.
    """

    name: str
    objects: int
    anchors: int
    weight: float
    share: float


def list_class_payers(pipeline: Pipeline) -> list[ClassPayer]:
    """Returns the classes of the picture's objects with what their foreground anchors pay, the largest share first."""
    losses, match, labels = pipeline.losses, pipeline.match, pipeline.labels
    whole = losses.classification.sum().clamp(min=1e-12)
    foreground = (match.foreground & losses.used).nonzero().flatten()
    of_anchors = labels[match.object[foreground]]
    weights, names = pipeline.weigh_classes(pipeline.config.loss), pipeline.network.class_names
    payers = [
        ClassPayer(
            names[label],
            int((labels == label).sum()),
            int((of_anchors == label).sum()),
            1.0 if weights is None else weights[label].item(),
            (losses.classification[foreground[of_anchors == label]].sum() / whole).item(),
        )
        for label in labels.unique().tolist()
    ]
    return sorted(payers, key=lambda each: -each.share)


def shares_by_class(pipeline: Pipeline) -> Markup:
    """Returns a table of what the foreground of each class pays, and background together; "" without objects."""
    payers = list_class_payers(pipeline)
    if not payers:
        return Markup()
    shown, others = payers[:MAX_ROWS], payers[MAX_ROWS:]
    rows = [
        (each.name, html.count(each.objects), html.count(each.anchors), f"{each.weight:.2f}", html.percent(each.share))
        for each in shown
    ]
    if others:
        objects, anchors = sum(each.objects for each in others), sum(each.anchors for each in others)
        share = html.percent(sum(each.share for each in others))
        name = count_noun(len(others), "other class", "other classes")
        rows.append((name, html.count(objects), html.count(anchors), "–", share))
    rest = html.percent(max(0.0, 1 - sum(each.share for each in payers)))
    rows.append(("background", "–", "–", "1.00", rest))
    columns = ("class", "objects", "foreground", "weight", "share")
    return html.table(html.Table("Who pays by class", columns, tuple(rows))) + explain_weights(pipeline)


def explain_weights(pipeline: Pipeline) -> Markup:
    """Returns a sentence on where the class weights come from, "" without them."""
    chosen = pipeline.config.loss.class_weights
    if chosen == "none":
        return Markup()
    seen = pipeline.training_objects
    if not any(seen.counts.values()):
        return html.paragraph(f"Class weights are 1: there are no training objects in {seen.source}.")
    listed = ", ".join(f"{name} {count:,.0f}" for name, count in list(seen.counts.items())[:MAX_ROWS])
    more = len(seen.counts) - MAX_ROWS
    rest = f" and {more} more" if more > 0 else ""
    start = Markup(f"Foreground weighs by its class: {EQUATIONS[chosen]}, scaled to a mean of 1. ")
    ending = (
        "The objects are those that a run from here would train on, in {}: {}{}. Classes without any weigh 1, as in "
        "the curves of the loss."
    )
    return Markup("<p>{}</p>").format(start + Markup(ending).format(seen.source, listed, rest))
