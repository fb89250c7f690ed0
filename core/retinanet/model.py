"""RetinaNet: a ResNet body, a feature pyramid and two heads. It predicts and does nothing else.

Parameters have torchvision's names and shapes, so state dicts travel both ways unchanged.
Shapes: B images, A anchors a place, N anchors in all, K classes, C channels.
"""

import math
from functools import partial
from typing import NamedTuple

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.ops.misc import Conv2dNormActivation

from core.config import Model

NORM_EPS = 1e-5  # PyTorch's; torchvision's COCO v1 weights were made with 0
GROUPS = 32  # of a head's group norm, as torchvision v2 …
GROUP_CHANNELS = 2  # … but at least this many in each: on a 1×1 map one channel alone would be normalised to nothing
STAGES = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",))  # stages 1–5 of the body
C5_BLOCK_CHANNELS = 512  # of the last stage's blocks, which a bottleneck widens (He et al., 2015, table 1)
BODY_MAPS = ("C3", "C4", "C5")  # what the last three of them give


class Pyramid(NamedTuple):
    """Feature maps of one batch.

    Attributes:
        body: C3, C4, C5; [B, C, H, W] at strides 8, 16, 32.
        levels: P3 … P7; [B, fpn_channels, H, W] at strides 8 … 128.
    """

    body: tuple[Tensor, Tensor, Tensor]
    levels: tuple[Tensor, ...]


class Outputs(NamedTuple):
    """What the network says of every anchor, level by level, row by row, the anchors of a place last.

    Attributes:
        logits: [B, N, K], class scores before the sigmoid.
        deltas: [B, N, 4], box deltas dx, dy, dw, dh.
        grids: (height, width) of P3 … P7; N = Σ height · width · A.
    """

    logits: Tensor
    deltas: Tensor
    grids: tuple[tuple[int, int], ...]


def places_first(maps: Tensor, *, width: int) -> Tensor:
    """Turns predictions [B, A·width, H, W] into one row an anchor, [B, H·W·A, width]."""
    batch, _, height, columns = maps.shape
    maps = maps.view(batch, -1, width, height, columns)  # [B, A, width, H, W]
    return maps.permute(0, 3, 4, 1, 2).reshape(batch, -1, width)  # [B, H·W·A, width]


def norm_groups(channels: int) -> int:
    """Returns the groups of a head's group norm over so many channels."""
    return min(GROUPS, channels // GROUP_CHANNELS)


def head_convs(channels: int, *, num_convs: int, norm: str) -> nn.Sequential:
    """3×3 convolutions of a subnet, from a normal distribution with σ = 0.01 (paper, section 4.1)."""
    layer = partial(nn.GroupNorm, norm_groups(channels)) if norm == "group" else None
    convs = nn.Sequential(*(Conv2dNormActivation(channels, channels, norm_layer=layer) for _ in range(num_convs)))
    for module in convs.modules():
        if isinstance(module, nn.Conv2d):
            init_conv(module, bias=0.0)
    return convs


def init_conv(conv: nn.Conv2d, *, bias: float) -> None:
    """Weights from a normal distribution with σ = 0.01, one bias for all (paper, section 4.1)."""
    nn.init.normal_(conv.weight, std=0.01)
    if conv.bias is not None:
        nn.init.constant_(conv.bias, bias)


def prior_logit(prior: float) -> float:
    """Returns the bias b = −log((1−π)/π) with which every score starts at π (paper, section 4.1)."""
    return -math.log((1 - prior) / prior)


class ClassHead(nn.Module):
    """Class subnet (paper, section 4, "Classification Subnet"); each anchor starts with the score π."""

    def __init__(self, channels: int, *, convs: nn.Sequential, anchors: int, classes: int, prior: float):
        super().__init__()
        self.num_classes = classes
        self.conv = convs
        self.cls_logits = nn.Conv2d(channels, anchors * classes, kernel_size=3, padding=1)
        init_conv(self.cls_logits, bias=prior_logit(prior))

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Returns logits [B, N, K]."""
        maps = (self.cls_logits(self.conv(level)) for level in levels)
        return torch.cat([places_first(each, width=self.num_classes) for each in maps], dim=1)


class BoxHead(nn.Module):
    """Box subnet, the same for all classes (paper, section 4, "Box Regression Subnet")."""

    def __init__(self, channels: int, *, convs: nn.Sequential, anchors: int):
        super().__init__()
        self.conv = convs
        self.bbox_reg = nn.Conv2d(channels, anchors * 4, kernel_size=3, padding=1)
        init_conv(self.bbox_reg, bias=0.0)

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Returns deltas [B, N, 4]."""
        maps = (self.bbox_reg(self.conv(level)) for level in levels)
        return torch.cat([places_first(each, width=4) for each in maps], dim=1)


class ExtraLevels(LastLevelP6P7):
    """P6 and P7, on CPUs in float32 even where the rest is bfloat16.

    With AMX, PyTorch 2.15 leaves the bfloat16 weight gradient of a strided convolution on a 1×1 map
    unwritten, and pictures of 64 pixels have such a P6.
    """

    def forward(self, p: list[Tensor], c: list[Tensor], names: list[str]) -> tuple[list[Tensor], list[str]]:
        """Adds P6 and P7 to the levels p, made from the last of them or of the body's maps c."""
        with torch.autocast("cpu", enabled=False):
            (_, *extra), names = super().forward([p[-1].float()], [c[-1].float()], names)
        return [*p, *extra], names


class Backbone(nn.Module):
    """ResNet body and feature pyramid (paper, section 4, "Feature Pyramid Network Backbone")."""

    def __init__(self, model: Model, *, body: IntermediateLayerGetter):
        super().__init__()
        self.body = body
        c5 = C5_BLOCK_CHANNELS * body["layer4"][-1].expansion
        from_p5 = model.p6_source == "p5"
        extra = ExtraLevels(model.fpn_channels if from_p5 else c5, model.fpn_channels)
        extra.use_P5 = from_p5  # torchvision guesses it from the widths, which may be equal
        self.fpn = FeaturePyramidNetwork([c5 // 4, c5 // 2, c5], model.fpn_channels, extra_blocks=extra)

    def forward(self, pixels: Tensor, body: tuple[Tensor, ...] | None = None) -> Pyramid:
        """Turns pixels [B, 3, H, W] into the maps C3–C5, unless they are given, and P3–P7."""
        body = self.body(pixels) if body is None else dict(zip(BODY_MAPS, body, strict=True))
        return Pyramid(tuple(body.values()), tuple(self.fpn(body).values()))


def build_body(depth: int, *, norm_eps: float = NORM_EPS) -> IntermediateLayerGetter:
    """Builds a ResNet of so many layers up to C5 with random weights; it turns pixels into a dict of `BODY_MAPS`."""
    resnet = getattr(torchvision.models, f"resnet{depth}")(norm_layer=partial(nn.BatchNorm2d, eps=norm_eps))
    return IntermediateLayerGetter(resnet, dict(zip(("layer2", "layer3", "layer4"), BODY_MAPS, strict=True)))


class RetinaNet(nn.Module):
    """The network.

    Attributes:
        frozen_stages: First stages of the body (0–5) that stay as they are; set by `freeze`.
        frozen_norms: Whether all batch norms of the body stay as they are; set by `freeze`.
    """

    def __init__(self, *, backbone: Backbone, class_head: ClassHead, box_head: BoxHead):
        super().__init__()
        self.backbone = backbone
        self.head = nn.ModuleDict({"classification_head": class_head, "regression_head": box_head})
        self.frozen_stages = 0
        self.frozen_norms = False

    @property
    def num_classes(self) -> int:
        """Number of classes, K."""
        return self.head["classification_head"].num_classes

    @property
    def norm_eps(self) -> float:
        """ε of the body's batch norms."""
        return self.backbone.body["bn1"].eps

    def pyramid(self, pixels: Tensor) -> Pyramid:
        """Turns pixels [B, 3, H, W] (from `core.retinanet.preprocess.prepare`) into the maps C3–C5 and P3–P7."""
        return self.backbone(pixels)

    def forward(self, pixels: Tensor, body: tuple[Tensor, ...] | None = None) -> Outputs:
        """Predicts for every anchor.

        Args:
            pixels: [B, 3, H, W], normalised and padded by `core.retinanet.preprocess.prepare`.
            body: C3–C5 of the same, where they are known.
        """
        levels = self.backbone(pixels, body).levels
        logits = self.head["classification_head"](levels)  # [B, N, K]
        deltas = self.head["regression_head"](levels)  # [B, N, 4]
        return Outputs(logits, deltas, tuple((level.shape[2], level.shape[3]) for level in levels))

    def train(self, mode: bool = True) -> "RetinaNet":
        """Sets the mode as PyTorch does, except that frozen batch norms keep their statistics."""
        super().train(mode)
        for norm in _norms(self, frozen=True):
            norm.eval()
        return self


def build_model(
    model: Model,
    *,
    num_classes: int,
    anchors_per_location: int,
    norm_eps: float = NORM_EPS,
    body: IntermediateLayerGetter | None = None,
) -> RetinaNet:
    """Builds a network with random weights.

    Args:
        model: Depth, widths and kinds of its parts.
        num_classes: Number of classes, K.
        anchors_per_location: Anchors at each place of a level, A.
        norm_eps: ε of the body's batch norms.
        body: One of the same depth that the network takes over, with its ε, instead of a new one.
    """
    class_head = build_class_head(model, num_classes=num_classes, anchors_per_location=anchors_per_location)
    box_head = BoxHead(model.fpn_channels, convs=_subnet(model), anchors=anchors_per_location)
    backbone = Backbone(model, body=body or build_body(model.depth, norm_eps=norm_eps))
    return RetinaNet(backbone=backbone, class_head=class_head, box_head=box_head)


def build_class_head(model: Model, *, num_classes: int, anchors_per_location: int) -> ClassHead:
    """Builds the class subnet alone, as `build_model` does: under one seed both start with the same weights."""
    return ClassHead(
        model.fpn_channels,
        convs=_subnet(model),
        anchors=anchors_per_location,
        classes=num_classes,
        prior=model.prior_probability,
    )


def _subnet(model: Model) -> nn.Sequential:
    return head_convs(model.fpn_channels, num_convs=model.num_convs, norm=model.head_norm)


def freeze(model: RetinaNet, stages: int, *, batch_norm: str) -> None:
    """Chooses what of the body trains; what is frozen costs no backward pass, and its statistics stay.

    Live batch norms cannot work with ε = 0 (torchvision's COCO v1 weights), so they get PyTorch's ε.

    Args:
        model: Changed in place, from whatever was frozen before.
        stages: Number of first stages that do not train, 0–5: the stem, then layer1 … layer4.
        batch_norm: "frozen" keeps all batch norms of the body, "live" those of frozen stages only.
    """
    model.frozen_stages, model.frozen_norms = stages, batch_norm == "frozen"
    for stage, names in enumerate(STAGES, start=1):
        for name in names:
            model.backbone.body[name].requires_grad_(stage > stages)
    for norm in _norms(model, frozen=True):
        norm.requires_grad_(False)
    if _norms(model, frozen=False):
        for norm in _norms(model, frozen=True) + _norms(model, frozen=False):
            norm.eps = norm.eps or NORM_EPS
    model.train(model.training)


def _norms(model: RetinaNet, *, frozen: bool) -> list[nn.BatchNorm2d]:
    """The body's batch norms that are, or are not, frozen."""
    found = []
    for stage, names in enumerate(STAGES, start=1):
        if (model.frozen_norms or stage <= model.frozen_stages) == frozen:
            modules = (module for name in names for module in model.backbone.body[name].modules())
            found += [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    return found
