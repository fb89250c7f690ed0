"""Detectors that are linear, so that every explanation is known exactly."""

import torch
from torch import nn

from core.config import Anchors
from core.explain.target import CLASS, Subject, Target
from core.retinanet.anchors import STRIDES, make_anchors
from core.retinanet.backbone import Pyramid
from core.retinanet.heads import BoxHead, ClassHead
from core.retinanet.model import RetinaNet

ANCHORS = Anchors.model_validate({"scales": (1.0,), "ratios": (1.0,), "convention": "exact"})
SIDE = 128  # px of the picture
ROW, COLUMN = 4, 6  # of the cell of P3 that is explained


class ToyBackbone(nn.Module):
    """One convolution a level: a cell sees the square of its stride, of which it has no other neighbour."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Conv2d(3, channels, kernel_size=stride, stride=stride, bias=False) for stride in STRIDES
        )

    def forward(self, pixels, body=None):
        return Pyramid((), tuple(level(pixels) for level in self.levels))


def make_toy(*, channels: int = 2, classes: int = 2) -> RetinaNet:
    """Returns a network without any nonlinearity: pixels → one convolution → the heads' last convolution."""
    torch.manual_seed(0)
    heads = (
        ClassHead(channels, convs=nn.Sequential(), anchors=1, classes=classes, prior=0.01),
        BoxHead(channels, convs=nn.Sequential(), anchors=1),
    )
    return RetinaNet(backbone=ToyBackbone(channels), class_head=heads[0], box_head=heads[1]).eval()


def make_subject(model: RetinaNet, *, label: int = 1, part: str = CLASS) -> Subject:
    """Returns the prediction of the cell at `ROW`, `COLUMN` of P3 for a random picture."""
    pixels = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    grid = make_anchors(ANCHORS, SIDE, SIDE)
    return Subject(model, pixels, grid, Target(ROW * (SIDE // 8) + COLUMN, label, part))
