"""Box geometry as free functions; boxes are float xyxy pixels. IoU is `torchvision.ops.box_iou`."""

import math

import torch
from torch import Tensor

# Fast R-CNN's clamp on log sizes: a prediction can grow a box at most 62.5 times, so exp never overflows.
MAX_LOG_SIZE = math.log(1000 / 16)


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Returns what a head must predict to turn anchors into boxes (R-CNN 2014, appendix C; weights 1, 1, 1, 1).

    Args:
        boxes: Target boxes, [N, 4].
        anchors: Anchors, [N, 4], of positive width and height.

    Returns:
        Deltas [N, 4]: shift of the centre in anchor widths and heights, log ratio of widths and of heights.
    """
    box_x, box_y, box_width, box_height = _centre_and_size(boxes)
    x, y, width, height = _centre_and_size(anchors)
    shift = ((box_x - x) / width, (box_y - y) / height)
    growth = (torch.log(box_width / width), torch.log(box_height / height))
    return torch.stack(shift + growth, dim=-1)  # [N, 4]


def decode(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Returns the boxes [N, 4] that deltas [N, 4] make of anchors [N, 4]; the inverse of `encode`."""
    x, y, width, height = _centre_and_size(anchors)
    dx, dy, dw, dh = deltas.unbind(-1)
    centre_x, centre_y = dx * width + x, dy * height + y
    half_width = 0.5 * torch.exp(dw.clamp(max=MAX_LOG_SIZE)) * width
    half_height = 0.5 * torch.exp(dh.clamp(max=MAX_LOG_SIZE)) * height
    corners = (centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height)
    return torch.stack(corners, dim=-1)  # [N, 4]


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """Returns boxes [N, 4] cut to a picture of the given size in pixels."""
    limit = boxes.new_tensor([width, height, width, height])
    return boxes.clamp(min=0).minimum(limit)


def rescale(boxes: Tensor, factor_x: float, factor_y: float) -> Tensor:
    """Returns boxes [N, 4] with x and y multiplied, as when their picture is resized."""
    return boxes * boxes.new_tensor([factor_x, factor_y, factor_x, factor_y])


def _centre_and_size(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x1, y1, x2, y2 = boxes.unbind(-1)
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height
