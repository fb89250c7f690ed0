"""The score of one detection while the picture moves pixel by pixel: its anchors stand still, a stride apart.

Convolutions with a stride sample their input, so that the network's output is the same only for shifts by whole strides
of all of its levels (Zhang, "Making Convolutional Networks Shift-Invariant Again", 2019).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.evaluation.error_types import FOREGROUND_IOU
from core.retinanet.anchors import STRIDES, AnchorGrid
from core.retinanet.boxes import clip, decode, iou_matrix
from core.retinanet.model import RetinaNet
from core.retinanet.precision import compute_in
from core.retinanet.preprocess import Batch
from core.robustness.changes import is_outside, shift_right

MAX_SHIFTS = 33  # of one detection
AT_ONCE = 8  # shifted pictures in a batch


class Shifted(NamedTuple):
    """A detection in a picture that is moved to the right.

    Attributes:
        pixels: By how many pixels of the network's input; negative to the left.
        score: The highest score for its class of any anchor whose box overlaps its moved box, as far as that is in the
            picture, with an IoU of at least 0.5; 0 if there is none, NaN if more than half of the box is outside.
        iou: The IoU of that anchor's box with the moved box.
    """

    pixels: int
    score: float
    iou: float


def list_shifts(batch: Batch, box: Tensor, level: int) -> list[int]:
    """Returns the shifts from 0 to the stride of a level, at most `MAX_SHIFTS`, towards where there is more room.

    The stride is the network's. Anchors of the "torchvision" convention can stand closer: of a width of 160 px, those
    of P7 do, 80 px apart.

    Args:
        batch: The picture as the network sees it.
        box: The detection, [4], in pixels of the resized picture.
        level: The level, 0 for P3.
    """
    stride = STRIDES[level]
    step = -(-stride // (MAX_SHIFTS - 1))
    to_the_right = batch.sizes[0][1] - box[2] >= box[0]
    return [shift if to_the_right else -shift for shift in range(0, stride + 1, step)]


@torch.inference_mode()
def measure_shifts(
    model: RetinaNet,
    batch: Batch,
    grid: AnchorGrid,
    detection: tuple[Tensor, int],
    shifts: Sequence[int],
    precision: str = "fp32",
) -> list[Shifted]:
    """Measures the score of a detection while the resized picture moves below the anchors; its border is repeated.

    Args:
        model: The network.
        batch: One picture as the network sees it.
        grid: Its anchors.
        detection: Its box, [4], in pixels of the resized picture, and its class.
        shifts: How far the picture is moved to the right, in pixels of the network's input.
        precision: In which the network computes, see `inference.precision`.
    """
    height, width = batch.sizes[0]
    inside, measured = batch.pixels[0, :, :height, :width], []
    for start in range(0, len(shifts), AT_ONCE):
        some = shifts[start : start + AT_ONCE]
        moved = batch.pixels.repeat(len(some), 1, 1, 1)
        for row, shift in enumerate(some):
            moved[row, :, :height, :width] = shift_right(inside, shift)
        with compute_in(precision, moved.device):
            outputs = model.eval()(moved)
        for row, shift in enumerate(some):
            found = decode(outputs.deltas[row].float().cpu(), grid.boxes), outputs.logits[row].float().cpu()
            measured.append(_find(*found, detection, shift, (height, width)))
    return measured


def _find(boxes: Tensor, logits: Tensor, detection: tuple[Tensor, int], shift: int, size: tuple[int, int]) -> Shifted:
    box, label = detection
    place = (box + box.new_tensor([shift, 0, shift, 0]))[None]
    if bool(is_outside(place, size)):
        return Shifted(shift, math.nan, math.nan)
    iou = iou_matrix(clip(boxes, *size), clip(place, *size)).squeeze(1).nan_to_num_(0.0)
    near = iou >= FOREGROUND_IOU
    if not bool(near.any()):
        return Shifted(shift, 0.0, 0.0)
    best = int(logits[:, label].masked_fill(~near, -torch.inf).argmax())
    return Shifted(shift, logits[best, label].sigmoid().item(), iou[best].item())
