"""A grid of four anchors, small enough to compute by hand."""

import torch

from core.retinanet.anchors import AnchorGrid


def make_small_grid() -> AnchorGrid:
    """Returns one level of one row: anchors of 8×8 px, centred 8 px apart at x = 0, 8, 16, 24 and y = 0."""
    x = torch.tensor([0.0, 8, 16, 24])
    boxes = torch.stack([x - 4, torch.full((4,), -4.0), x + 4, torch.full((4,), 4.0)], dim=1)
    return AnchorGrid(boxes, ((1, 4),), ((8.0, 8.0),), 1)
