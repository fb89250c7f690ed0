"""Predictions for pictures of which parts are hidden: replaced by the same picture out of focus."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from core.explain.target import BOX, Subject, find_place, predict_anchor
from core.retinanet.boxes import decode, iou_matrix

OUT_OF_FOCUS = 16.0  # px, standard deviation of the blur: no object of a few dozen pixels is left to see
BATCH = 16  # pictures per forward pass, which bounds memory


def smooth(maps: Tensor, deviation: float) -> Tensor:
    """Returns maps [C, H, W] under a Gaussian of a standard deviation in pixels; borders are continued.

    A constant map stays as it is.
    """
    radius = math.ceil(3 * deviation)
    offsets = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-(offsets**2) / (2 * deviation**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    for _ in range(2):  # along the rows, then, transposed, along the columns
        padded = F.pad(maps[:, None], (radius, radius, 0, 0), mode="replicate")
        maps = F.conv2d(padded, kernel)[:, 0].mT
    return maps


def put_out_of_focus(pixels: Tensor) -> Tensor:
    """Returns pictures [B, 3, H, W] without detail."""
    return smooth(pixels.flatten(0, 1), OUT_OF_FOCUS).view_as(pixels)


@torch.inference_mode()
def rate_hidden(subject: Subject, hidden: Tensor) -> Tensor:
    """Returns how well the prediction survives when parts of its picture are hidden.

    Args:
        subject: The prediction.
        hidden: How far each pixel is hidden, 0 … 1, [B, H, W].

    Returns:
        float32 [B]: the score of the class, or the IoU of the box with that of the whole picture.
    """
    model, pixels, grid, target = subject
    place, blank = find_place(grid, target.anchor), put_out_of_focus(pixels)
    if target.part == BOX:
        hidden = torch.cat([torch.zeros_like(hidden[:1]), hidden])  # the whole picture first
    logits, deltas = [], []
    for some in hidden.split(BATCH):
        features = model.pyramid(torch.lerp(pixels, blank, some[:, None])).levels[place.level]
        found = predict_anchor(model, features, place.number)
        logits.append(found[0])
        deltas.append(found[1])
    if target.part != BOX:
        return torch.cat(logits)[:, target.label].sigmoid()
    anchor = grid.boxes[target.anchor].to(pixels.device)
    boxes = decode(torch.cat(deltas), anchor.expand(len(hidden), 4))
    return iou_matrix(boxes[1:], boxes[:1])[:, 0]
