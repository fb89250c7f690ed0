"""Importance maps: how much each cell of the pyramid level, or each pixel, contributes to a prediction."""

from torch import Tensor
from torch.nn import functional as F

from core.explain.evidence import Evidence
from core.explain.hiding import put_out_of_focus, smooth

PIXELS, FEATURES = PLACES = ("pixels", "features")
DEVIATION = 8.0  # px, of the Gaussian over the pixels' map, which is grainy otherwise


def map_features(evidence: Evidence) -> Tensor:
    """Returns how much each cell of the level matters to the prediction, [h, w], from 0 up.

    The absolute values of gradient × feature, summed over the channels. Grad-CAM averages the gradient over the map
    first, which suits a prediction that looks at all of it; an anchor's looks at a few cells around it (HiResCAM 2020,
    ODAM 2023). Positive parts alone explain a box less well: deltas may grow or shrink (`benchmarks.explanations`).
    """
    return (evidence.feature_gradient * evidence.features).abs().sum(dim=0)


def map_pixels(evidence: Evidence) -> Tensor:
    """Returns how much each place of the picture matters to the prediction, [H, W], from 0 up.

    The absolute value of gradient × what the pixel has beyond the picture out of focus, summed over the colours and
    smoothed: what would be lost, to first order, if the pixel were out of focus.
    """
    detail = evidence.pixels - put_out_of_focus(evidence.pixels[None])[0]
    change = (evidence.pixel_gradient * detail).sum(dim=0).abs()
    return smooth(change[None], DEVIATION)[0]


def enlarge(cells: Tensor, height: int, width: int) -> Tensor:
    """Returns a map of a level, [h, w], at the pixels of the padded picture that it covers, [height, width]."""
    return F.interpolate(cells[None, None], (height, width), mode="bilinear", align_corners=False)[0, 0]
