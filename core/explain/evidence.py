"""The gradient of a prediction at its pyramid level and at the pixels, from one backward pass."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.explain.target import BOX, Place, Subject, Target, find_place, predict_anchor


class Evidence(NamedTuple):
    """The gradients of a prediction, at its pyramid level and at the pixels.

    Attributes:
        value: What is explained: the class logit, or the length of the four deltas, which is how far the box is moved
            from its anchor.
        place: Where the anchor lies.
        features: The feature map of its level, [C, h, w].
        feature_gradient: Gradient of the value with respect to it, [C, h, w].
        pixels: The normalised, padded picture, [3, H, W].
        pixel_gradient: Gradient of the value with respect to it, [3, H, W].
    """

    value: float
    place: Place
    features: Tensor
    feature_gradient: Tensor
    pixels: Tensor
    pixel_gradient: Tensor


def find_evidence(subject: Subject) -> Evidence:
    """Computes the gradients of a prediction, in single precision whatever `inference.precision` is.

    The network stays as it is: no parameter gets a gradient, so that other threads may use it meanwhile. A caller under
    `torch.inference_mode` gets them as well.

    Raises:
        ValueError: There are several pictures, or the network is in training mode: its batch norms would change.
        IndexError: There is no such anchor.
    """
    model, pixels, grid, target = subject
    if len(pixels) != 1 or model.training:
        raise ValueError("Evidence is found for one picture at a time, by a network in evaluation mode.")
    place = find_place(grid, target.anchor)
    with torch.inference_mode(False), torch.enable_grad():
        seen = pixels.clone().requires_grad_()
        features = model.pyramid(seen).levels[place.level]
        value = _find_value(*predict_anchor(model, features, place.number), target)
        feature_gradient, pixel_gradient = torch.autograd.grad(value, (features, seen))
    return Evidence(value.item(), place, features.detach()[0], feature_gradient[0], pixels[0], pixel_gradient[0])


def _find_value(logits: Tensor, deltas: Tensor, target: Target) -> Tensor:
    """Returns the number whose gradient is wanted.

    Of the length of the deltas the gradient is that of the deltas along the direction in which they point. At the
    anchor itself, of length 0, it is 0.
    """
    return torch.linalg.vector_norm(deltas[0]) if target.part == BOX else logits[0, target.label]
