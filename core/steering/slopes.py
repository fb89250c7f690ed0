"""The gradient of the loss of an image with respect to the network's outputs."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Loss
from core.retinanet.assigners.match import Match
from core.retinanet.losses import anchor_losses, total_loss


class Slopes(NamedTuple):
    """The gradients of the normalised losses of an image by its outputs.

    Attributes:
        logits: That of the classification loss, [N, K]; 0 for ignored anchors.
        deltas: That of the weighted box loss, [N, 4]; 0 except for foreground.
    """

    logits: Tensor
    deltas: Tensor


def find_slopes(
    logits: Tensor,
    deltas: Tensor,
    anchors: Tensor,
    match: Match,
    boxes: Tensor,
    labels: Tensor,
    loss: Loss,
    class_weights: Tensor | None = None,
) -> Slopes:
    """Returns the gradients of the losses of an image, as if it were the whole batch.

    The arguments are those of `anchor_losses`. A caller under `torch.inference_mode` gets them as well.
    """
    with torch.inference_mode(False), torch.enable_grad():
        own = logits.clone().requires_grad_(), deltas.clone().requires_grad_()
        losses = anchor_losses(*own, anchors, match, boxes, labels, loss, class_weights)
        total = total_loss([losses], loss).total
        return Slopes(*torch.autograd.grad(total, own, materialize_grads=True))
