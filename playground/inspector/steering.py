"""Who steers at a place: the part of each of its anchors in the gradient on the subnets' last convolutions."""

import torch
from markupsafe import Markup

from core.errors import UserError
from core.retinanet.anchors import LEVELS
from core.steering.kinds import KINDS
from core.steering.ledger import Ledger
from playground.components import html
from playground.inspector.location import find_anchors
from playground.pipeline.pipeline import Pipeline
from playground.support.wording import name_knobs

ROWS = 6  # anchors of the place that are listed, those that steer most either way
COLUMNS = ("anchor", "arrows", "agrees", "steers class", "steers box")
EXPLANATION = (
    "Arrows: the length of its arrow on the class and on the box subnet. Agrees: the cosine of the first with all "
    "together. Only anchors of the same shape can help or hinder each other there, since each shape has weights of its "
    "own."
)


def build_steering_report(pipeline: Pipeline, point: tuple[float, float]) -> Markup:
    """Returns a table of the anchors at a point, of all levels, that steer most, and what all of them do together."""
    try:
        classes, boxes = pipeline.class_ledger, pipeline.box_ledger
    except UserError as error:
        return html.paragraph(name_knobs(error))
    here = torch.cat([torch.tensor(find_anchors(pipeline.grid, level, point)) for level in range(len(LEVELS))])
    strength = classes.pulls[here].abs()
    chosen = here[strength.argsort(descending=True, stable=True)][:ROWS].tolist()
    rows = [_build_row(pipeline, anchor, classes, boxes) for anchor in chosen]
    pulls = [html.signed_percent(each.pulls[here].sum().item()) for each in (classes, boxes)]
    rows.append((f"all {len(here)} here", "–", "–", pulls[0], pulls[1]))
    places = tuple(html.place_of(pipeline.grid.boxes[anchor].tolist()) for anchor in chosen)
    table = html.Table(f"Who steers at {point[0]:.0f}, {point[1]:.0f}", COLUMNS, tuple(rows), boxes=(*places, ""))
    return html.table(table) + html.paragraph(EXPLANATION)


def _build_row(pipeline: Pipeline, anchor: int, classes: Ledger, boxes: Ledger) -> tuple[str, ...]:
    x1, y1, x2, y2 = pipeline.grid.boxes[anchor].tolist()
    kind = pipeline.kinds[:, anchor]
    name = KINDS[int(kind.int().argmax())] if bool(kind.any()) else "ignored"
    return (
        f"{LEVELS[int(pipeline.grid.level[anchor])]} {x2 - x1:.0f}×{y2 - y1:.0f}, {name}",
        f"{classes.norms[anchor].item():.2g} · {boxes.norms[anchor].item():.2g}",
        html.number(classes.agreements[anchor].item(), ".2f"),
        html.signed_percent(classes.pulls[anchor].item()),
        html.signed_percent(boxes.pulls[anchor].item()),
    )
