"""The class and the box subnet, which predict for every anchor of every pyramid level.

Shapes: B images, A anchors per location, N anchors in all, K classes.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn
from torchvision.ops.misc import Conv2dNormActivation

from core.config import Model
from core.retinanet.group_norm import GroupNorm

GROUP_CHANNELS = 2  # at least, in each group of a head's group norm: on a 1×1 map, normalising one channel gives 0


class ClassHead(nn.Module):
    """Class subnet (paper, section 4, "Classification Subnet"); every score is π at initialisation."""

    def __init__(self, channels: int, *, convs: nn.Sequential, anchors: int, classes: int, prior: float):
        super().__init__()
        self.num_classes = classes
        self.conv = convs
        self.cls_logits = nn.Conv2d(channels, anchors * classes, kernel_size=3, padding=1)
        init_conv(self.cls_logits, bias=prior_logit(prior))

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Returns logits [B, N, K]."""
        maps = (self.cls_logits(self.conv(level)) for level in levels)
        return torch.cat([flatten_maps(each, width=self.num_classes) for each in maps], dim=1)


class BoxHead(nn.Module):
    """Box subnet, shared by all classes (paper, section 4, "Box Regression Subnet")."""

    def __init__(self, channels: int, *, convs: nn.Sequential, anchors: int):
        super().__init__()
        self.conv = convs
        self.bbox_reg = nn.Conv2d(channels, anchors * 4, kernel_size=3, padding=1)
        init_conv(self.bbox_reg, bias=0.0)

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Returns deltas [B, N, 4]."""
        maps = (self.bbox_reg(self.conv(level)) for level in levels)
        return torch.cat([flatten_maps(each, width=4) for each in maps], dim=1)


def build_class_head(model: Model, *, num_classes: int, anchors_per_location: int) -> ClassHead:
    """Builds the class subnet alone; from the same seed it starts with the same weights as that of `build_model`."""
    return ClassHead(
        model.fpn_channels,
        convs=_build_convs(model),
        anchors=anchors_per_location,
        classes=num_classes,
        prior=model.prior_probability,
    )


def build_box_head(model: Model, *, anchors_per_location: int) -> BoxHead:
    """Builds the box subnet."""
    return BoxHead(model.fpn_channels, convs=_build_convs(model), anchors=anchors_per_location)


def _build_convs(model: Model) -> nn.Sequential:
    """Builds the 3×3 convolutions of a subnet, initialised as in the paper (section 4.1)."""
    channels = model.fpn_channels
    norm = partial(GroupNorm, norm_groups(model)) if model.head_norm == "group" else None
    convs = nn.Sequential(*(Conv2dNormActivation(channels, channels, norm_layer=norm) for _ in range(model.num_convs)))
    for module in convs.modules():
        if isinstance(module, nn.Conv2d):
            init_conv(module, bias=0.0)
    return convs


def norm_groups(model: Model) -> int:
    """Returns the number of groups of a head's group norm."""
    return min(model.head_groups, model.fpn_channels // GROUP_CHANNELS)


def init_conv(conv: nn.Conv2d, *, bias: float) -> None:
    """Draws weights from a normal distribution with σ = 0.01 and sets all biases to `bias` (paper, section 4.1)."""
    nn.init.normal_(conv.weight, std=0.01)
    if conv.bias is not None:
        nn.init.constant_(conv.bias, bias)


def prior_logit(prior: float) -> float:
    """Returns the bias b = −log((1−π)/π) with which every score is π at initialisation (paper, section 4.1)."""
    return -math.log((1 - prior) / prior)


def flatten_maps(maps: Tensor, *, width: int) -> Tensor:
    """Reshapes predictions [B, A·width, H, W] to one row per anchor, [B, H·W·A, width]."""
    batch, _, height, columns = maps.shape
    maps = maps.view(batch, -1, width, height, columns)  # [B, A, width, H, W]
    return maps.permute(0, 3, 4, 1, 2).reshape(batch, -1, width)  # [B, H·W·A, width]
