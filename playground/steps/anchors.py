"""Anchors: which boxes the network can start from, and how well they fit the objects of this picture."""

from core.retinanet.anchors import LEVELS
from playground.canvas.view import Layer
from playground.components import html
from playground.components.figures import colour, points
from playground.inspector.inspect import inspect
from playground.inspector.location import anchors_at
from playground.pipeline.pipeline import Situation
from playground.steps.levels import anchor_levels
from playground.steps.step import Focus, Look, Step, Words, section, truth_layer


def look(situation: Situation, focus: Focus) -> Look:
    """Shows the anchors of one place on each level, and the best IoU that each object can get."""
    grid = situation.grid
    height, width = situation.size
    point = (focus.pick.x, focus.pick.y) if focus.pick else (width / 2, height / 2)
    layers = [truth_layer(situation)]
    for level in range(len(grid.counts)):
        here = anchors_at(grid, level, point)
        boxes = grid.boxes[here.start : here.stop]
        layers.append(
            Layer(f"anchors-{LEVELS[level]}", f"{LEVELS[level]} at one place", f"level{level}", boxes.numpy())
        )
    seen = inspect(situation, focus.pick)

    def words() -> Words:
        return Words(seen.text + _levels(situation) + _objects(situation), _fit(situation))

    return Look((*layers, *seen.layers), words=words)


def _levels(situation: Situation) -> str:
    grid = situation.grid
    rows = tuple(
        (
            LEVELS[level],
            f"{grid.grids[level][0]}×{grid.grids[level][1]}",
            f"{grid.strides[level][0]:g}",
            f"{size:g}",
            html.count(count),
        )
        for level, (size, count) in enumerate(zip(situation.config.anchors.sizes, grid.counts, strict=True))
    )
    text = html.facts([("anchors", html.count(sum(grid.counts))), ("at each place", str(grid.per_place))])
    return text + html.table(html.Table("Levels", ("level", "places", "stride", "size", "anchors"), rows))


def _objects(situation: Situation) -> str:
    boxes, labels = situation.objects
    iou, anchor = situation.match.best_iou, situation.match.best_anchor
    level = situation.grid.level[anchor]
    threshold = situation.config.matching.fg_iou_threshold
    names = situation.picture.class_names
    rows = tuple(
        (names[label], f"{x2 - x1:.0f}×{y2 - y1:.0f}", f"{best:.2f}", LEVELS[at])
        for label, (x1, y1, x2, y2), best, at in zip(
            labels.tolist(), boxes.tolist(), iou.tolist(), level.tolist(), strict=True
        )
    )
    low = frozenset(index for index, best in enumerate(iou.tolist()) if best < threshold)
    title = f"Best IoU any anchor reaches ({len(low)} of {len(boxes)} objects below {threshold:g})"
    return html.table(html.Table(title, ("object", "px", "IoU", "on"), rows, low))


def _fit(situation: Situation) -> dict:
    boxes, _ = situation.objects
    side = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    iou, anchor = situation.match.best_iou, situation.match.best_anchor
    level = situation.grid.level[anchor]
    groups = [
        (LEVELS[index], colour(f"level{index}"), side[level == index].tolist(), iou[level == index].tolist())
        for index in range(len(LEVELS))
        if (level == index).any()
    ]
    matching = situation.config.matching
    marks = [("foreground", matching.fg_iou_threshold), ("background", matching.bg_iou_threshold)]
    return points(groups, marks, title="How well the anchors fit", x="√area of the object (px)", y="best IoU")


STEP = Step(
    "anchors",
    "Anchors",
    "Boxes of a few sizes and shapes are tiled over every level; the network only corrects them. Click the picture to "
    "see the anchors of another place. An object that no anchor overlaps well is hard to learn.",
    section("anchors"),
    lambda situation: html.count(len(situation.grid.boxes)),
    look,
    anchor_levels,
)
