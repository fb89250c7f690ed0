"""Box regression of one anchor step by step: the deltas, the box that they give, and the loss of each of them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from core.retinanet.boxes import MAX_LOG_SIZE, clip, decode

DELTAS = ("dx", "dy", "dw", "dh")


class CentreSize(NamedTuple):
    """A box as its centre and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, box: Tensor) -> "CentreSize":
        """Returns a box [4], xyxy, as its centre and its size."""
        x1, y1, x2, y2 = box.tolist()
        return cls((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)


class Decoded(NamedTuple):
    """The box that deltas give.

    Attributes:
        box: [4], xyxy, before it is clipped to the image.
        clipped: [4].
        bounded: For each delta, True if it is a log size above its bound log(1000/16).
    """

    box: Tensor
    clipped: Tensor
    bounded: tuple[bool, bool, bool, bool]


class DeltaLoss(NamedTuple):
    """A loss of errors of deltas, and its slope, which is what training follows: both of the errors' shape."""

    value: Tensor
    slope: Tensor


def decode_one(deltas: Tensor, anchor: Tensor, height: float, width: float) -> Decoded:
    """Returns the box that deltas [4] give for an anchor [4] in an image of the given size in pixels."""
    box = decode(deltas[None], anchor[None])
    beyond_width, beyond_height = (deltas[2:] > MAX_LOG_SIZE).tolist()
    return Decoded(box[0], clip(box, height, width)[0], (False, False, beyond_width, beyond_height))


def l1(errors: Tensor) -> DeltaLoss:
    """Returns |e| and its slope."""
    return smooth_l1(errors, 0.0)


def l2(errors: Tensor) -> DeltaLoss:
    """Returns e²/2 and its slope, e."""
    return DeltaLoss(errors.square() / 2, errors.clone())


def smooth_l1(errors: Tensor, beta: float) -> DeltaLoss:
    """Returns e²/(2β) where |e| < β and |e| − β/2 beyond, as the box loss has it, and its slope; β = 0 is L1."""
    with torch.inference_mode(mode=False):
        at = errors.detach().clone().requires_grad_()
        value = F.smooth_l1_loss(at, torch.zeros_like(at), beta=beta, reduction="none")
        (slope,) = torch.autograd.grad(value.sum(), at)
    return DeltaLoss(value.detach(), slope)
