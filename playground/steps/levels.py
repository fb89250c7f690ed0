"""The strip's second row: live numbers of each level, such as shapes, anchors, losses and candidates."""

import torch
from torch import Tensor

from core.analysis.model_costs import ModelPart
from core.retinanet.anchors import LEVELS
from core.retinanet.assigners.match import IGNORED
from core.retinanet.postprocess import KEPT, SUPPRESSED
from playground.components import html
from playground.pipeline.pipeline import Pipeline
from playground.steps.step import Focus, LevelCell, Levels

BACKBONE = ("C3", "C4", "C5")
PART_NAMES = {
    "stem": "stem",
    "layer1": "res2",
    "layer2": "res3",
    "layer3": "res4",
    "layer4": "res5",
    "fpn": "pyramid",
    "class head": "class subnet",
    "box head": "box subnet",
}
FROZEN = "❄\ufe0e"  # the text form, not the emoji


def object_levels(pipeline: Pipeline, focus: Focus) -> Levels:
    """Returns the number of objects of which the best anchor is on each level."""
    levels = pipeline.grid.level[pipeline.fit.best_anchor]
    counts = torch.bincount(levels, minlength=len(LEVELS)).tolist()
    return _levels("objects by level of their best anchor", [str(count) for count in counts])


def map_levels(pipeline: Pipeline, focus: Focus) -> Levels:
    """Returns the shapes of the maps that the network step can draw; those of frozen stages are marked."""
    frozen = pipeline.config.model.freeze_stages
    pyramid, logits = pipeline.pyramid, pipeline.prediction.outputs.logits
    if focus.map == "scores":
        classes, per_location = logits.shape[-1], pipeline.grid.per_location
        grids = [
            f"({per_location * classes}+{per_location * 4})×{rows}×{columns}" for rows, columns in pipeline.grid.grids
        ]
        return _levels("(class + box channels) × rows × columns", grids, map_="scores")
    # C3 is the output of stage 3 of the backbone.
    backbone = [
        LevelCell(name + _frozen(stage <= frozen), _shape(each), level, "body")
        for level, (stage, name, each) in enumerate(zip((3, 4, 5), BACKBONE, pyramid.body, strict=True))
    ]
    rest = _levels("channels × rows × columns", [_shape(each) for each in pyramid.levels], map_="pyramid")
    return Levels(rest.about, (*backbone, *rest.cells))


def _shape(maps: Tensor) -> str:
    return "×".join(map(str, maps.shape[1:]))


def _frozen(frozen: bool) -> str:
    return f" {FROZEN}" if frozen else ""


def anchor_levels(pipeline: Pipeline, focus: Focus) -> Levels:
    """Returns the number of locations and anchors of each level."""
    grid = pipeline.grid
    texts = [
        f"{rows}×{columns} × {grid.per_location} = {html.count(count)}"
        for (rows, columns), count in zip(grid.grids, grid.counts, strict=True)
    ]
    return _levels("locations × anchors per location", texts)


def assignment_levels(pipeline: Pipeline, focus: Focus) -> Levels:
    """Returns the number of foreground anchors of each level, and of ignored ones if the assigner ignores any."""
    match = pipeline.match
    foreground = _count(pipeline, match.foreground)
    if not pipeline.can_ignore:
        return _levels("foreground", [f"{count:,}" for count in foreground])
    ignored = _count(pipeline, match.label == IGNORED)
    return _levels("foreground · ignored", [f"{fg:,} · {ign:,}" for fg, ign in zip(foreground, ignored, strict=True)])


def _count(pipeline: Pipeline, chosen: Tensor) -> list[int]:
    return torch.bincount(pipeline.grid.level[chosen], minlength=len(LEVELS)).tolist()


def loss_levels(pipeline: Pipeline, focus: Focus) -> Levels:
    """Returns each level's share of the classification loss."""
    losses = torch.stack([level.sum() for level in pipeline.losses.classification.split(pipeline.grid.counts)])
    shares = (losses / losses.sum().clamp(min=1e-12)).nan_to_num(0.0).tolist()
    return _levels("share of the classification loss", [html.percent(share) for share in shares])


def funnel_levels(pipeline: Pipeline, focus: Focus) -> Levels:
    """Returns the number of candidates of each level after each stage of post-processing."""
    level, fate = pipeline.candidates.level, pipeline.fates.fate
    left = torch.bincount(level[fate != SUPPRESSED], minlength=len(LEVELS)).tolist()
    kept = torch.bincount(level[fate == KEPT], minlength=len(LEVELS)).tolist()
    texts = [
        f"{count.scored:,} → {count.topk:,} → {left[index]:,} → {kept[index]:,}"
        for index, count in enumerate(pipeline.level_counts)
    ]
    return _levels("threshold → top-K → NMS → cap", texts)


def part_levels(parts: tuple[ModelPart, ...]) -> Levels:
    """Returns the number of parameters of each part of the network; frozen parts are marked."""
    cells = tuple(
        LevelCell(PART_NAMES[part.name] + _frozen(part.trainable == 0), format_short(part.parameters)) for part in parts
    )
    return Levels(f"parameters, {FROZEN} frozen", cells)


def format_short(number: int) -> str:
    """Formats a large number with three digits: 9.5 k, 148 k, 2.1 M."""
    for size, unit in ((1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def _levels(about: str, texts: list[str], map_: str = "") -> Levels:
    cells = [LevelCell(LEVELS[level], text, level, map_) for level, text in enumerate(texts)]
    return Levels(about, tuple(cells))
