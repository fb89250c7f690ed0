"""Explanations of predictions for the picture, cached for all visitors."""

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from core.errors import PictureError
from core.explain.evidence import find_evidence
from core.explain.maps import map_features, map_pixels
from core.explain.receptive_field import Box, measure_field
from core.explain.target import Subject, Target
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

MAX_GFLOPS = 100  # of the network, with which forth and back take 11 s on a busy processor, and 0.2 GB
MAX_CELLS = 128  # along each side of the pixels' map as it is sent: its detail is smoothed in any case
_explanations = Cache()


class Explanation(NamedTuple):
    """The explanation of a prediction.

    Attributes:
        value: What is explained, see `core.explain.evidence.Evidence`.
        level: The pyramid level of its anchor, 0 for P3.
        pixels: How much each place of the padded picture matters, [h, w]: a multiple of its pixels.
        features: How much each cell of the level matters, [rows, columns].
        half: Columns and rows that hold the central half of its effective receptive field; None without a gradient.
        most: Those that hold 95%.
    """

    value: float
    level: int
    pixels: Tensor
    features: Tensor
    half: Box | None
    most: Box | None


def explain(pipeline: Pipeline, target: Target) -> Explanation:
    """Returns what a prediction for the whole picture, as it is, rests on.

    Raises:
        PictureError: The picture is too large for a backward pass.
        PostponedError: It has not been computed yet, and slow results are to be postponed.
    """
    key = pipeline.outputs_key, pipeline.grid.counts, target
    if key not in _explanations:
        if (gflops := pipeline.costs.gflops) > MAX_GFLOPS:
            raise PictureError(
                f"A map of what a prediction rests on takes a backward pass, and this page runs one up to "
                f"{MAX_GFLOPS} GFLOP: here the network takes {gflops:,.0f}. Lower “Shorter side”."
            )
        if pipeline.must_postpone():
            raise PostponedError("The map follows once you release the knob.")
    return _explanations.get(key, lambda: _compute(pipeline, target))


def _compute(pipeline: Pipeline, target: Target) -> Explanation:
    with all_threads():
        evidence = find_evidence(Subject(pipeline.network.model, pipeline.batch.pixels, pipeline.grid, target))
    pixels = map_pixels(evidence)
    side = -(-max(pixels.shape) // MAX_CELLS)
    field = measure_field(evidence.pixel_gradient)
    return Explanation(
        evidence.value,
        evidence.place.level,
        F.avg_pool2d(pixels[None], side, ceil_mode=True)[0],
        map_features(evidence),
        field.half,
        field.most,
    )
