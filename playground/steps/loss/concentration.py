"""The concentration of the loss on few anchors: the paper's figure 4, for this detector."""

from collections.abc import Hashable

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from core.analysis.loss_concentration import GAMMAS, AnchorLogits, compute_cumulative_loss, compute_hardest_share
from core.config import Effect, Loss
from core.data.sources import SceneData
from core.evaluation.class_names import describe_unknown, name_ignorant
from core.retinanet.assigners import NetworkView, assign_anchors
from core.retinanet.predict import make_batch_anchors, predict
from core.retinanet.preprocess import scale_objects
from core.scenes.render import CLASS_NAMES
from core.structures import Sample
from core.weights.sources import WeightsError
from playground.components import html
from playground.components.figures import PALETTE, Figure, lines
from playground.pipeline.networks import name_weights
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError

POINTS = 101  # of a curve
SCENES, SPLIT = 24, "val"  # number of held-out scenes, limited by the time that visitors wait, and their split
PICTURE = "this picture"
_concentrations, _of_scenes = Cache(), Cache()  # independent of the chosen α and γ
SHARES = ((0.2, "20%"), (0.01, "1%"))  # of the anchors, the hardest first


def concentration(pipeline: Pipeline) -> tuple[Figure, Markup]:
    """Returns the figure of the cumulative loss for the paper's values of γ, and a table of the hardest anchors.

    Both are of many held-out scenes if a scene is on show and the network knows them: one picture has too few
    foreground anchors for the curves that the paper shows. Otherwise they are of the picture.
    """
    sides, subject, key = logits_of_many(pipeline)
    return _concentrations.get((key, subject), lambda: _build(sides, subject))


def concentration_of_picture(pipeline: Pipeline) -> tuple[Figure, Markup]:
    """Returns the same for the picture alone."""
    return _concentrations.get((pipeline.logits_key, PICTURE), lambda: _build(pipeline.anchor_logits, PICTURE))


def logits_of_many(pipeline: Pipeline) -> tuple[AnchorLogits, str, Hashable]:
    """Returns the logits that `concentration` is about, the subject of its title, and a cache key for both."""
    if pipeline.picture.is_scene:
        try:
            return scene_logits(pipeline), f"{SCENES} held-out scenes", _scenes_key(pipeline)
        except WeightsError:  # it does not know the classes of the scenes, or a knob is being dragged
            pass
    return pipeline.anchor_logits, PICTURE, pipeline.logits_key


def _scenes_key(pipeline: Pipeline) -> Hashable:
    config = pipeline.config
    return pipeline.network.key, config.cache_key(Effect.FORWARD, Effect.ANCHORS, Effect.ASSIGN), config.scenes


def scene_logits(pipeline: Pipeline) -> AnchorLogits:
    """Returns the logits of all anchors of held-out scenes with the settings of this one, under the current detector.

    Raises:
        PostponedError: A knob is being dragged, and the scenes have not been evaluated yet.
        WeightsError: The weights do not fit the settings, or do not know the classes of the scenes.
    """
    key = _scenes_key(pipeline)
    if key not in _of_scenes and pipeline.must_postpone():
        raise PostponedError("The scenes are evaluated once you release the knob.")

    def compute() -> AnchorLogits:
        data = SceneData(pipeline.config.scenes, SCENES, SPLIT)
        return AnchorLogits.join([_scene_logits(pipeline, data[index]) for index in range(SCENES)])

    return _of_scenes.get(key, compute)


def _scene_logits(pipeline: Pipeline, sample: Sample) -> AnchorLogits:
    """Returns the logits of a scene's foreground and background anchors."""
    config, network = pipeline.config, pipeline.network
    if missing := sorted(set(CLASS_NAMES) - set(network.class_names)):
        ignorant = name_ignorant(name_weights(config.model.weights))
        raise WeightsError(f"{describe_unknown(ignorant, missing, network.class_names)} of the scenes.")
    labels = torch.tensor([network.class_names.index(CLASS_NAMES[each]) for each in sample.labels], dtype=torch.int64)
    batch, outputs = predict(network.model, [sample.image], config)
    boxes, _ = scale_objects(sample, batch.factors[0])
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
