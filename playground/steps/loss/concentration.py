"""The concentration of the loss on few anchors: the paper's figure 4, for this detector."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from core.analysis.loss_concentration import GAMMAS, AnchorLogits, compute_cumulative_loss, compute_hardest_share
from core.config import Effect, Loss
from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.errors import UserError
from core.evaluation.class_names import describe_unknown, name_ignorant
from core.retinanet.assigners import NetworkView, assign_anchors
from core.retinanet.predict import make_batch_anchors, predict
from core.retinanet.preprocess import count_pixels, scale_objects
from core.structures import Sample
from core.weights.sources import WeightsError
from playground.components import html
from playground.components.figures import PALETTE, Figure, lines
from playground.data.image_ref import is_from_album, is_from_data_set, training_split
from playground.data.sources import name_source, open_source, source_key
from playground.pipeline.effort import estimate_gflops
from playground.pipeline.networks import name_weights
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError

POINTS = 101  # of a curve
PICTURES, GFLOPS = 24, 400.0  # at most, limited by the time that visitors wait: 142 GFLOP for 24 scenes
SPLIT = "val"  # of scenes
PICTURE = "this picture"
_concentrations, _of_many = Cache(), Cache()  # independent of the chosen α and γ
SHARES = ((0.2, "20%"), (0.01, "1%"))  # of the anchors, the hardest first


class Many(NamedTuple):
    """The pictures that the paper's figure is drawn of.

    Attributes:
        data: Where they are, from the first one on.
        number: How many they are.
        name: What they are, in the title.
        key: Cache key of all this.
    """

    data: DataSet
    number: int
    name: str
    key: Hashable


def concentration(pipeline: Pipeline) -> tuple[Figure, Markup]:
    """Returns the figure of the cumulative loss for the paper's values of γ, and a table of the hardest anchors.

    Both are of many pictures if the network knows their classes, and they are not too large: held-out scenes beside a
    scene, and those of its split beside a picture of a data set. One picture has too few foreground anchors for the
    curves that the paper shows. Otherwise they are of the picture.
    """
    sides, subject, key = logits_of_many(pipeline)
    return _concentrations.get((key, subject), lambda: _build(sides, subject))


def concentration_of_picture(pipeline: Pipeline) -> tuple[Figure, Markup]:
    """Returns the same for the picture alone."""
    return _concentrations.get((pipeline.logits_key, PICTURE), lambda: _build(pipeline.anchor_logits, PICTURE))


def logits_of_many(pipeline: Pipeline) -> tuple[AnchorLogits, str, Hashable]:
    """Returns the logits that `concentration` is about, the subject of its title, and a cache key for both."""
    try:
        if (many := _find_many(pipeline)) and many.number > 1:
            return compute_logits(pipeline, many), many.name, _key_of(pipeline, many)
    except UserError:  # it does not know their classes, one cannot be read, or a knob is being dragged
        pass
    return pipeline.anchor_logits, PICTURE, pipeline.logits_key


def _find_many(pipeline: Pipeline) -> Many | None:
    """Returns the pictures beside which the one on show stands, None if there are none.

    Raises:
        UserError: They cannot be opened.
    """
    scenes, image_ref = pipeline.config.scenes, pipeline.image_ref
    height, width = pipeline.picture.sample.image.shape[1:]
    each = estimate_gflops(pipeline.config, count_pixels(height, width, pipeline.config.inference))
    most = min(PICTURES, int(GFLOPS / each))
    if pipeline.picture.is_scene:
        return Many(SceneData(scenes, PICTURES, SPLIT), most, f"{most} held-out scenes", (most, scenes))
    # Of an album those with labels alone: the others would count as background.
    split = training_split(image_ref) if is_from_album(image_ref) else image_ref
    if not is_from_album(split) and not is_from_data_set(split):
        return None
    data = open_source(split, scenes, pipeline.visitor)
    count, where = min(most, len(data)), name_source(split, pipeline.visitor)
    key = count, source_key(split, scenes, pipeline.visitor)
    return Many(data, count, f"{count} pictures of {where}, {split.split}", key)


def _key_of(pipeline: Pipeline, many: Many) -> Hashable:
    return pipeline.network.key, pipeline.config.cache_key(Effect.FORWARD, Effect.ANCHORS, Effect.ASSIGN), many.key


def compute_logits(pipeline: Pipeline, many: Many) -> AnchorLogits:
    """Returns the logits of all anchors of many pictures under the current detector.

    Raises:
        PostponedError: A knob is being dragged, and the pictures have not been evaluated yet.
        UserError: The weights do not fit the settings or do not know a class, or a picture cannot be read.
    """
    key = _key_of(pipeline, many)
    if key not in _of_many and pipeline.must_postpone():
        raise PostponedError("The other pictures are evaluated once you release the knob.")

    def compute() -> AnchorLogits:
        names = many.data.class_names
        return AnchorLogits.join([_logits_of(pipeline, many.data[index], names) for index in range(many.number)])

    return _of_many.get(key, compute)


def _logits_of(pipeline: Pipeline, sample: Sample, class_names: Sequence[str]) -> AnchorLogits:
    """Returns the logits of a picture's foreground and background anchors."""
    config, network = pipeline.config, pipeline.network
    batch, outputs = predict(network.model, [sample.image], config)
    boxes, own = scale_objects(sample, batch.factors[0])
    names = [class_names[label] for label in own.tolist()]
    if missing := sorted(set(names) - set(network.class_names)):
        ignorant = name_ignorant(name_weights(config.model.weights))
        raise WeightsError(f"{describe_unknown(ignorant, missing, network.class_names)} of the other pictures.")
    labels = torch.tensor([network.class_names.index(name) for name in names], dtype=torch.int64)
    with torch.inference_mode():
        grid = make_batch_anchors(batch, config.anchors)
        logits, deltas = outputs.logits[0], outputs.deltas[0]
        match = assign_anchors(grid, boxes, config.matching, NetworkView(logits, deltas, labels))
        return AnchorLogits.from_outputs(logits, deltas, grid.boxes, match, boxes, labels)


def _build(sides: AnchorLogits, subject: str) -> tuple[Figure, Markup]:
    curves, rows = [], []
    for gamma, tint in zip(GAMMAS, PALETTE, strict=False):
        losses = dict(zip(("foreground", "background"), sides.compute_losses(Loss(gamma=gamma)), strict=True))
        cumulative = {side: compute_cumulative_loss(each) for side, each in losses.items()}
        curves += [(f"{side}, γ = {gamma:g}", tint, *_thin(running)) for side, running in cumulative.items()]
        shares = [_format_hardest_share(running, share) for running in cumulative.values() for share, _ in SHARES]
        rows.append((f"{gamma:g}", *shares))
    figure = lines(
        curves, title=f"Cumulative loss of {subject}", x="share of anchors, easiest first", y="share of loss"
    )
    for trace in figure["data"]:
        trace["line"]["dash"] = "dot" if trace["name"].startswith("foreground") else "solid"
    columns = ("γ", *(f"{side} {name}" for side in ("fg", "bg") for _, name in SHARES))
    return figure, html.table(html.Table(f"Loss held by the hardest anchors of {subject}", columns, tuple(rows)))


def _thin(running: Tensor) -> tuple[list[float], list[float]]:
    """Thins a cumulative loss to a curve: share of anchors, share of loss; empty without anchors."""
    held = running.numpy()
    count = len(held)
    if count == 0:
        return [], []
    # Denser at the end, where the curve bends for a large γ.
    at = np.unique(np.round(count * (1 - np.linspace(1, 0, POINTS) ** 3)).astype(int))
    return (at / count).tolist(), np.concatenate([[0.0], held])[at].tolist()


def _format_hardest_share(running: Tensor, share: float) -> str:
    return html.percent(compute_hardest_share(running, share)) if len(running) else "–"
