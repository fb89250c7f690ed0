"""Which detections in a picture survive a change of it, and with which score, by the strength of the change."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Config
from core.evaluation.detection_matching import compute_overlaps, match_image
from core.evaluation.error_types import FOREGROUND_IOU
from core.retinanet.boxes import clip
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect
from core.robustness.changes import CHANGES, apply_change, is_outside, move_boxes
from core.structures import Detections, GroundTruth


class Survival(NamedTuple):
    """The detections of a picture that survive one strength of a change.

    Attributes:
        strength: The strength.
        score: float32 [D]: of each detection the score that it has in the changed picture, 0 if it is lost, NaN if more
            than half of its box is outside of the changed picture.
        new: Number of detections in the changed picture that are none of them.
    """

    strength: float
    score: Tensor
    new: int


def measure_survival(
    model: RetinaNet, image: Tensor, detections: Detections, config: Config, name: str
) -> tuple[Survival, ...]:
    """Detects in a picture at each strength of a change.

    A detection survives if one of its class overlaps its moved box with an IoU of at least 0.5; each is one at most,
    matched as in COCO, best first.

    Args:
        model: The network.
        image: uint8 [3, H, W].
        detections: Those in the picture as it is, in its pixels; the best 100 of each class can survive.
        config: All settings; its training seed is that of the noise.
        name: A key of `core.robustness.changes.CHANGES`.
    """
    return tuple(
        _match(
            detect(model, [apply_change(name, image, strength, config.training.seed)], config)[0],
            detections,
            move_boxes(name, detections.boxes, strength, (image.shape[1], image.shape[2])),
            (image.shape[1], image.shape[2]),
            strength,
        )
        for strength in CHANGES[name].strengths
    )


def _match(found: Detections, before: Detections, moved: Tensor, size: tuple[int, int], strength: float) -> Survival:
    inside = clip(moved, *size)
    truth = GroundTruth(inside, before.labels, torch.zeros(len(inside), dtype=torch.bool))
    overlaps = compute_overlaps([found], [truth])[0]
    matched, _ = match_image(overlaps, FOREGROUND_IOU)
    score = torch.zeros(len(inside))
    hit = matched >= 0
    score[torch.from_numpy(matched[hit])] = found.scores[torch.from_numpy(overlaps.detection[hit])]
    score[is_outside(moved, size)] = torch.nan
    return Survival(strength, score, len(found.scores) - int(hit.sum()))
