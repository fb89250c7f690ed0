"""The ResNet and the feature pyramid on top of it (paper, section 4, "Feature Pyramid Network Backbone")."""

from functools import partial
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from core.config import Model

NORM_EPS = 1e-5  # of batch norms in training, which do not work with 0; PyTorch's
STAGES = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",))  # stages 1–5 of the ResNet
C5_BLOCK_CHANNELS = 512  # of the blocks of the last stage, which a bottleneck widens (He et al., 2015, table 1)
BODY_MAPS = ("C3", "C4", "C5")  # outputs of the last three stages


class Pyramid(NamedTuple):
    """The feature maps of a batch.

    Attributes:
        body: C3, C4, C5 of the ResNet; [B, C, H, W] at strides 8, 16, 32.
        levels: P3 … P7; [B, fpn_channels, H, W] at strides 8 … 128.
    """

    body: tuple[Tensor, Tensor, Tensor]
    levels: tuple[Tensor, ...]


class ExtraLevels(LastLevelP6P7):
    """P6 and P7, computed in float32 on CPUs even under bfloat16 autocast.

    With AMX, PyTorch 2.15 does not write the bfloat16 weight gradient of a strided convolution on a 1×1 map, and an
    image of 64 pixels has such a P6.
    """

    def forward(self, p: list[Tensor], c: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """Appends P6 and P7 to the levels p, computed from the last of them or from the last ResNet map in c."""
        with torch.autocast("cpu", enabled=False):
            (_, *extra), names = super().forward([p[-1].float()], [c[-1].float()], names)
        return [*p, *extra], names


class Backbone(nn.Module):
    """ResNet and feature pyramid.

    Attributes:
        body: The ResNet up to C5; its name is that of torchvision's state dicts.
        fpn: The feature pyramid with P6 and P7.
    """

    def __init__(self, model: Model, *, body: IntermediateLayerGetter):
        super().__init__()
        self.body = body
        c5 = C5_BLOCK_CHANNELS * body["layer4"][-1].expansion
        from_p5 = model.p6_source == "p5"
        extra = ExtraLevels(model.fpn_channels if from_p5 else c5, model.fpn_channels)
        extra.use_P5 = from_p5  # torchvision infers it from the widths, which may be equal
        self.fpn = FeaturePyramidNetwork([c5 // 4, c5 // 2, c5], model.fpn_channels, extra_blocks=extra)

    def forward(self, pixels: Tensor, body: tuple[Tensor, ...] | None = None) -> Pyramid:
        """Computes C3–C5, unless they are given as `body`, and P3–P7 of pixels [B, 3, H, W]."""
        maps = self.body(pixels) if body is None else dict(zip(BODY_MAPS, body, strict=True))
        return Pyramid(tuple(maps.values()), tuple(self.fpn(maps).values()))


def build_body(model: Model) -> IntermediateLayerGetter:
    """Builds the ResNet up to C5 with random weights; it maps pixels to a dict of `BODY_MAPS`."""
    resnet = getattr(torchvision.models, f"resnet{model.depth}")(norm_layer=partial(nn.BatchNorm2d, eps=model.norm_eps))
    return IntermediateLayerGetter(resnet, dict(zip(("layer2", "layer3", "layer4"), BODY_MAPS, strict=True)))
