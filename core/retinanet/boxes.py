"""Box geometry as free functions; boxes are floating-point xyxy pixels."""

import math

import torch
from torch import Tensor

# Fast R-CNN's clamp on log sizes: a prediction enlarges a box at most 62.5 times, so that exp never overflows.
MAX_LOG_SIZE = math.log(1000 / 16)


def encode(boxes: Tensor, anchors: Tensor) -> Tensor:
    """Returns the box regression targets of anchors (R-CNN 2014, appendix C; weights 1, 1, 1, 1).

    Args:
        boxes: Target boxes, [N, 4].
        anchors: Anchors, [N, 4], of positive width and height.

    Returns:
        Deltas [N, 4]: shift of the centre in anchor widths and heights, log ratio of widths and of heights.
    """
    box_x, box_y, box_width, box_height = _to_centre_and_size(boxes)
    x, y, width, height = _to_centre_and_size(anchors)
    shift = ((box_x - x) / width, (box_y - y) / height)
    growth = (torch.log(box_width / width), torch.log(box_height / height))
    return torch.stack(shift + growth, dim=-1)  # [N, 4]


def decode(deltas: Tensor, anchors: Tensor) -> Tensor:
    """Applies deltas [N, 4] to anchors [N, 4] and returns boxes [N, 4]; the inverse of `encode`."""
    x, y, width, height = _to_centre_and_size(anchors)
    dx, dy, dw, dh = deltas.unbind(-1)
    centre_x, centre_y = dx * width + x, dy * height + y
    half_width = 0.5 * torch.exp(dw.clamp(max=MAX_LOG_SIZE)) * width
    half_height = 0.5 * torch.exp(dh.clamp(max=MAX_LOG_SIZE)) * height
    corners = (centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height)
    return torch.stack(corners, dim=-1)  # [N, 4]


def clip(boxes: Tensor, height: float, width: float) -> Tensor:
    """Clips boxes [N, 4] to an image of the given size in pixels."""
    limit = boxes.new_tensor([width, height, width, height])
    return boxes.clamp(min=0).minimum(limit)


def rescale(boxes: Tensor, factor_x: float, factor_y: float) -> Tensor:
    """Multiplies the x and y of boxes [N, 4] by the factors by which their image was resized."""
    return boxes * boxes.new_tensor([factor_x, factor_y, factor_x, factor_y])


def mirror(boxes: Tensor, width: float) -> Tensor:
    """Returns where boxes […, 4] of an image of the given width are once left and right are exchanged."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((width - x2, y1, width - x1, y2), dim=-1)


def pairwise_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Returns the IoU of each box with its counterpart, equal to that of `torchvision.ops.box_iou`.

    Args:
        boxes: [4, …], coordinates first, so that each is one vector.
        others: [4, …], of a shape that broadcasts.
    """
    x1, y1, x2, y2 = boxes
    other_x1, other_y1, other_x2, other_y2 = others
    width = (torch.minimum(x2, other_x2) - torch.maximum(x1, other_x1)).clamp_(min=0)
    height = (torch.minimum(y2, other_y2) - torch.maximum(y1, other_y1)).clamp_(min=0)
    shared = width * height
    return shared / ((x2 - x1) * (y2 - y1) + (other_x2 - other_x1) * (other_y2 - other_y1) - shared)


def iou_matrix(boxes: Tensor, others: Tensor) -> Tensor:
    """Returns the IoU [N, M] of all boxes [N, 4] with all others [M, 4], as `torchvision.ops.box_iou`, but faster.

    The IoU of two boxes without area, which clipping produces outside the image, is 0 and not 0/0.
    """
    rows, columns = boxes.T.contiguous(), others.T.contiguous()  # one contiguous vector per coordinate: twice as fast
    return pairwise_iou(rows[:, :, None], columns[:, None]).nan_to_num_(0.0)


def diou_matrix(boxes: Tensor, others: Tensor) -> Tensor:
    """Returns IoU − ρ²/c² [N, M] of all boxes [N, 4] with all others [M, 4] (Distance-IoU, Zheng et al., AAAI 2020).

    ρ is the distance of the centres, c the diagonal of the smallest box around both. Two boxes at one point, for which
    c is 0, have no distance.
    """
    x1, y1, x2, y2 = boxes.T.contiguous()[:, :, None]
    other_x1, other_y1, other_x2, other_y2 = others.T.contiguous()[:, None]
    distance = ((x1 + x2) - (other_x1 + other_x2)).square_() + ((y1 + y2) - (other_y1 + other_y2)).square_()
    width = torch.maximum(x2, other_x2) - torch.minimum(x1, other_x1)
    diagonal = width.square_() + (torch.maximum(y2, other_y2) - torch.minimum(y1, other_y1)).square_()
    penalty = distance.div_(diagonal.mul_(4)).nan_to_num_(0.0)  # the sums of corners are twice the centres
    return iou_matrix(boxes, others).sub_(penalty)


def _to_centre_and_size(boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    x1, y1, x2, y2 = boxes.unbind(-1)
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height
