"""RetinaNet: backbone and heads as one module, which only predicts.

Parameters have torchvision's names and shapes, so that state dicts are interchangeable.
Shapes: B images, A anchors per location, N anchors in all, K classes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models._utils import IntermediateLayerGetter

from core.config import Model
from core.retinanet.backbone import NORM_EPS, STAGES, Backbone, Pyramid, build_body
from core.retinanet.heads import BoxHead, ClassHead, build_box_head, build_class_head


class Outputs(NamedTuple):
    """The predictions for every anchor, ordered by level, row, column and anchor of the location.

    Attributes:
        logits: [B, N, K], class scores before the sigmoid.
        deltas: [B, N, 4], box deltas dx, dy, dw, dh.
        grids: (height, width) of P3 … P7; N = Σ height · width · A.
    """

    logits: Tensor
    deltas: Tensor
    grids: tuple[tuple[int, int], ...]


class RetinaNet(nn.Module):
    """The network.

    Attributes:
        num_classes: Number of classes, K.
        frozen_stages: Number of first ResNet stages (0–5) that are frozen; set by `freeze`.
        frozen_norms: Whether all batch norms of the ResNet are frozen; set by `freeze`.
    """

    def __init__(self, *, backbone: Backbone, class_head: ClassHead, box_head: BoxHead):
        super().__init__()
        self.backbone = backbone
        self.head = nn.ModuleDict({"classification_head": class_head, "regression_head": box_head})
        self.num_classes = class_head.num_classes
        self.frozen_stages = 0
        self.frozen_norms = False

    @property
    def norm_eps(self) -> float:
        """ε of the ResNet's batch norms."""
        return self.backbone.body["bn1"].eps

    def pyramid(self, pixels: Tensor) -> Pyramid:
        """Computes the feature maps C3–C5 and P3–P7 of pixels [B, 3, H, W] from `core.retinanet.preprocess.prepare`."""
        return self.backbone(pixels)

    def forward(self, pixels: Tensor, body: tuple[Tensor, ...] | None = None) -> Outputs:
        """Predicts for every anchor.

        Args:
            pixels: [B, 3, H, W], normalised and padded by `core.retinanet.preprocess.prepare`.
            body: C3–C5 of the same pixels, if they have already been computed.
        """
        levels = self.backbone(pixels, body).levels
        logits = self.head["classification_head"](levels)  # [B, N, K]
        deltas = self.head["regression_head"](levels)  # [B, N, 4]
        return Outputs(logits, deltas, tuple((level.shape[2], level.shape[3]) for level in levels))

    def train(self, mode: bool = True) -> "RetinaNet":
        """Sets the mode as in PyTorch, except that frozen batch norms stay in evaluation mode."""
        super().train(mode)
        for norm in _find_norms(self, frozen=True):
            norm.eval()
        return self


def build_model(
    model: Model,
    *,
    num_classes: int,
    anchors_per_location: int,
    body: IntermediateLayerGetter | None = None,
) -> RetinaNet:
    """Builds a network with random weights.

    Args:
        model: Hyperparameters of the network.
        num_classes: Number of classes, K.
        anchors_per_location: Number of anchors per location, A.
        body: A ResNet of the same depth to use, with its ε, instead of a new one.
    """
    class_head = build_class_head(model, num_classes=num_classes, anchors_per_location=anchors_per_location)
    box_head = build_box_head(model, anchors_per_location=anchors_per_location)
    backbone = Backbone(model, body=body or build_body(model))
    return RetinaNet(backbone=backbone, class_head=class_head, box_head=box_head)


@contextmanager
def without_values() -> Iterator[None]:
    """Builds networks on the meta device meanwhile: their parameters have shapes, but no memory for values."""
    with torch.device("meta"), _DrawNothing():
        yield


class _DrawNothing(TorchFunctionMode):
    """Skips normal initialisation. On the meta device PyTorch imports its compiler for that, which takes seconds."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if function in (nn.init.normal_, Tensor.normal_):
            return args[0] if args else named["tensor"]
        return function(*args, **named)


def freeze(model: RetinaNet, stages: int, *, batch_norm: str) -> None:
    """Freezes stages and batch norms of the ResNet: they need no backward pass and keep their statistics.

    Live batch norms do not work with ε = 0 (torchvision's COCO v1 weights), so they get PyTorch's ε.

    Args:
        model: Modified in place; whatever was frozen before is thawed first.
        stages: Number of first stages to freeze, 0–5: the stem, then layer1 … layer4.
        batch_norm: "frozen" freezes all batch norms of the ResNet, "live" only those of frozen stages.
    """
    model.frozen_stages, model.frozen_norms = stages, batch_norm == "frozen"
    for stage, names in enumerate(STAGES, start=1):
        for name in names:
            model.backbone.body[name].requires_grad_(stage > stages)
    for norm in _find_norms(model, frozen=True):
        norm.requires_grad_(False)
    if _find_norms(model, frozen=False):
        for norm in _find_norms(model, frozen=True) + _find_norms(model, frozen=False):
            norm.eps = norm.eps or NORM_EPS
    model.train(model.training)


def _find_norms(model: RetinaNet, *, frozen: bool) -> list[nn.BatchNorm2d]:
    """Returns the batch norms of the ResNet that are, or are not, frozen."""
    found: list[nn.BatchNorm2d] = []
    for stage, names in enumerate(STAGES, start=1):
        if (model.frozen_norms or stage <= model.frozen_stages) == frozen:
            modules = (module for name in names for module in model.backbone.body[name].modules())
            found += [module for module in modules if isinstance(module, nn.BatchNorm2d)]
    return found
