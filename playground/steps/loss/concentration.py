"""How few anchors hold how much of the loss: the paper's figure 4, of this picture and this detector."""

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from core.analysis.loss_concentration import GAMMAS, AnchorLogits, compute_cumulative_loss, compute_hardest_share
from core.config import Effect, Loss
from core.data.sources import SceneData
from core.retinanet.matching import match_anchors
from core.retinanet.predict import make_batch_anchors, predict
from core.retinanet.preprocess import scale_objects
from core.scenes.render import CLASS_NAMES
from core.structures import Sample
from core.weights.sources import WeightsError
from playground.components import html
from playground.components.figures import ARMS, Figure, lines
from playground.pipeline.networks import describe_unknown_classes
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError

POINTS = 101  # of a curve
SCENES, SPLIT = 24, "val"  # of held-out scenes, about as many as one waits for
_concentrations, _of_scenes = Cache(16), Cache(4)  # they do not depend on the chosen α and γ
SHARES = ((0.2, "20%"), (0.01, "1%"))  # of the hardest anchors


def concentration(pipeline: Pipeline) -> tuple[Figure, Markup]:
    """Returns the cumulative normalised losses for the paper's values of γ, and what the hardest anchors hold."""
    return _concentrations.get(pipeline.logits_key, lambda: _concentration(pipeline.anchor_logits, "this picture"))


def concentration_of_scenes(pipeline: Pipeline) -> tuple[Figure, Markup]:
    """Returns the same of held-out scenes made with the dials of this one, under the present detector.

    Raises:
        PostponedError: A knob is held, and the scenes have to be looked at first.
        WeightsError: The weights do not fit the settings, or do not know the classes of the scenes.
    """
    config, network = pipeline.config, pipeline.network
    seen = config.cache_key(Effect.FORWARD, Effect.ANCHORS, Effect.ASSIGN)
    key = (network.key, seen, config.scenes)
    if key not in _of_scenes and pipeline.must_postpone():
        raise PostponedError("The scenes are evaluated once you release the knob.")

    def compute() -> tuple[Figure, Markup]:
        data = SceneData(config.scenes, SCENES, SPLIT)
        sides = AnchorLogits.join([_sides(pipeline, data[index]) for index in range(SCENES)])
        return _concentration(sides, f"{SCENES} held-out scenes")

    return _of_scenes.get(key, compute)


def _sides(pipeline: Pipeline, sample: Sample) -> AnchorLogits:
    """Returns one scene's logits by what its anchors are."""
    config, network = pipeline.config, pipeline.network
    if missing := sorted(set(CLASS_NAMES) - set(network.class_names)):
        raise WeightsError(f"{describe_unknown_classes(config.model.weights, missing)} of the scenes.")
    labels = torch.tensor([network.class_names.index(CLASS_NAMES[each]) for each in sample.labels], dtype=torch.int64)
    batch, outputs = predict(network.model, [sample.image], config)
    boxes, _ = scale_objects(sample, batch.factors[0])
    with torch.inference_mode():
        match = match_anchors(make_batch_anchors(batch, config.anchors).boxes, boxes, config.matching)
        return AnchorLogits.from_match(outputs.logits[0], match, labels)


def _concentration(sides: AnchorLogits, whose: str) -> tuple[Figure, Markup]:
    curves, rows = [], []
    for gamma, tint in zip(GAMMAS, ARMS, strict=False):
        both = dict(zip(("foreground", "background"), sides.compute_losses(Loss(gamma=gamma)), strict=True))
        held_by = {side: compute_cumulative_loss(losses) for side, losses in both.items()}
        curves += [(f"{side}, γ = {gamma:g}", tint, *_points(held)) for side, held in held_by.items()]
        held = [_held(running, share) for running in held_by.values() for share, _ in SHARES]
        rows.append((f"{gamma:g}", *held))
    figure = lines(
        curves,
        title=f"Cumulative loss of {whose}, foreground dotted",
        x="share of anchors, easiest first",
        y="share of loss",
    )
    for trace in figure["data"]:
        foreground = trace["name"].startswith("foreground")
        trace["line"]["dash"] = "dot" if foreground else "solid"
        trace["showlegend"] = not foreground  # its other side has the same colour
    columns = ("γ", *(f"{side} {name}" for side in ("fg", "bg") for _, name in SHARES))
    return figure, html.table(html.Table(f"Loss held by the hardest anchors of {whose}", columns, tuple(rows)))


def _points(running: Tensor) -> tuple[list[float], list[float]]:
    """Returns a curve of few points: share of anchors and share of loss; none without anchors."""
    held = running.numpy()
    count = len(held)
    if count == 0:
        return [], []
    # Denser at the end, where a large γ bends the curve.
    at = np.unique(np.round(count * (1 - np.linspace(1, 0, POINTS) ** 3)).astype(int))
    return (at / count).tolist(), np.concatenate([[0.0], held])[at].tolist()


def _held(running: Tensor, share: float) -> str:
    return html.percent(compute_hardest_share(running, share)) if len(running) else "–"
