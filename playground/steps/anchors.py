"""The anchors step: the boxes that the network starts from, and how well they fit the objects of this picture."""

from markupsafe import Markup

from core.retinanet.anchors import LEVELS
from playground.canvas.view import TRUTH, Layer
from playground.components import html
from playground.components.figures import colour, points
from playground.inspector.inspect import inspect
from playground.inspector.location import find_anchors
from playground.pipeline.pipeline import Pipeline
from playground.steps import weights
from playground.steps.levels import anchor_levels
from playground.steps.step import (
    Focus,
    Step,
    StepText,
    StepView,
    note_tiles,
    number_objects,
    truth_layer,
)


def build_view(pipeline: Pipeline, focus: Focus) -> StepView:
    """Shows the anchors at one location of each level, and the best IoU of each object with any anchor."""
    grid = pipeline.grid
    height, width = pipeline.size
    point = (focus.pick.x, focus.pick.y) if focus.pick else (width / 2, height / 2)
    layers = [truth_layer(pipeline)]
    for level in range(len(grid.counts)):
        here = find_anchors(grid, level, point)
        boxes = grid.boxes[here.start : here.stop]
        layers.append(
            Layer(f"anchors-{LEVELS[level]}", f"{LEVELS[level]} at one location", f"level{level}", boxes.numpy())
        )
    seen = inspect(pipeline, focus.pick)

    def build_text() -> StepText:
        moved = weights.differences(pipeline.config)
        return StepText(
            note_tiles(pipeline) + seen.text + moved + _levels(pipeline) + _objects(pipeline), _fit(pipeline)
        )

    return StepView((*layers, *seen.layers), build_text=build_text)


def _levels(pipeline: Pipeline) -> Markup:
    grid = pipeline.grid
    rows = tuple(
        (
            LEVELS[level],
            f"{grid.grids[level][0]}×{grid.grids[level][1]}",
            f"{grid.strides[level][0]:g}",
            f"{size:g}",
            html.count(count),
        )
        for level, (size, count) in enumerate(zip(pipeline.config.anchors.sizes, grid.counts, strict=True))
    )
    text = html.facts([("anchors", html.count(sum(grid.counts))), ("per location", str(grid.per_location))])
    return text + html.table(html.Table("Levels", ("level", "locations", "stride", "size", "anchors"), rows))


def _objects(pipeline: Pipeline) -> Markup:
    boxes, labels = pipeline.objects
    iou, anchor = pipeline.fit.best_iou, pipeline.fit.best_anchor
    level = pipeline.grid.level[anchor]
    threshold = pipeline.config.matching.fg_iou_threshold
    names = number_objects(labels, pipeline.picture.class_names)
    rows = tuple(
        (name, f"{x2 - x1:.0f}×{y2 - y1:.0f}", f"{best:.2f}", LEVELS[at])
        for name, (x1, y1, x2, y2), best, at in zip(names, boxes.tolist(), iou.tolist(), level.tolist(), strict=True)
    )
    low = frozenset(index for index, best in enumerate(iou.tolist()) if best < threshold)
    named = tuple(html.box_of(TRUTH, index) for index in range(len(rows)))
    title = f"Best IoU of any anchor with each object ({len(low)} of {len(boxes)} below {threshold:g})"
    return html.table(html.Table(title, ("object", "px", "best IoU", "level"), rows, low, named))


def _fit(pipeline: Pipeline) -> dict:
    boxes, _ = pipeline.objects
    side = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    iou, anchor = pipeline.fit.best_iou, pipeline.fit.best_anchor
    level = pipeline.grid.level[anchor]
    groups = [
        (LEVELS[index], colour(f"level{index}"), side[level == index].tolist(), iou[level == index].tolist())
        for index in range(len(LEVELS))
        if (level == index).any()
    ]
    matching = pipeline.config.matching
    marks = [("foreground", matching.fg_iou_threshold), ("background", matching.bg_iou_threshold)]
    return points(groups, marks, title="Fit of the anchors", x="√area of the object (px)", y="best IoU")


STEP = Step(
    "anchors",
    "Boxes of a few sizes and shapes are tiled over every level; the network only corrects them. Click the picture to "
    "see the anchors at another location. An object that no anchor overlaps well is hard to learn.",
    lambda pipeline: html.count(len(pipeline.grid.boxes)),
    build_view,
    anchor_levels,
    has_figure=True,
    build_figure=lambda pipeline, focus: _fit(pipeline),
    slider="anchors.size_p3",
)
