"""The predictions of all anchors for an object before post-processing, which show whether it can be found at all."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Config
from core.evaluation.error_types import FOREGROUND_IOU
from core.retinanet.anchors import LEVELS
from core.retinanet.boxes import clip, decode, iou_matrix
from core.retinanet.predict import Prediction, make_batch_anchors


class Proposal(NamedTuple):
    """The boxes that all anchors of the whole picture predict, as far as they concern one object.

    Attributes:
        iou: Highest IoU of any of them with the object.
        level: Pyramid level of that box, as in "P3".
        score: Highest score for the object's class among those with an IoU of at least 0.5; 0 if there is none.
        other: Index of another class that scores highest among these, −1 without any.
        other_score: Its score.
        near: Highest score for the object's class of any box with an IoU of at least 0.1.
    """

    iou: float
    level: str
    score: float
    other: int
    other_score: float
    near: float


def find_proposal(prediction: Prediction, config: Config, box: Tensor, label: int) -> Proposal:
    """Returns what the anchors of the whole picture predict for an object.

    Args:
        prediction: What the network predicts for one picture.
        config: The settings; its anchors count.
        box: The object, float32 [4], in pixels of the picture.
        label: Its class among those of the network, −1 if the network does not know it.
    """
    batch, outputs = prediction.batch, prediction.outputs
    grid = make_batch_anchors(batch, config.anchors)
    boxes = clip(decode(outputs.deltas[0].cpu(), grid.boxes), *batch.sizes[0])
    iou = iou_matrix(boxes, (box / batch.factors[0].cpu())[None]).squeeze(1).nan_to_num_(0.0)  # [N]
    best, scores = int(iou.argmax()), outputs.logits[0].cpu().sigmoid()  # [N, K]
    there, around = scores[iou >= FOREGROUND_IOU], scores[iou >= 0.1]
    own = [_find_max(each[:, label]) if label >= 0 else 0.0 for each in (there, around)]
    others = torch.cat([there[:, : max(label, 0)], there[:, label + 1 :]], dim=1)
    other, other_score = -1, _find_max(others)
    if others.numel():
        column = int(others.amax(dim=0).argmax())
        other = column + (0 <= label <= column)
    return Proposal(iou[best].item(), LEVELS[int(grid.level[best])], own[0], other, other_score, own[1])


def _find_max(values: Tensor) -> float:
    return values.max().item() if values.numel() else 0.0
