"""A network for prediction alone: batch norms folded into the convolutions before them, laid out as CPUs like it."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.retinanet.model import RetinaNet


@torch.no_grad()
def folded(model: RetinaNet) -> RetinaNet:
    """Returns a copy of a network that predicts the same but for rounding, sooner, and cannot be trained or saved.

    A batch norm in evaluation mode is a factor and a shift for each channel, so the convolution before it can do both.
    """
    model = copy.deepcopy(model).eval()
    for module in list(model.backbone.body.modules()):
        _fold_children(module)
    return model.requires_grad_(False).to(memory_format=torch.channels_last)


def _fold_children(module: nn.Module) -> None:
    """Folds each batch norm that follows a convolution among the children of a module, in the order of a ResNet."""
    before: tuple[str, nn.Module] = ("", module)
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(before[1], nn.Conv2d):
            module.set_submodule(before[0], fuse_conv_bn_eval(before[1], child))
            module.set_submodule(name, nn.Identity())
        before = (name, child)
