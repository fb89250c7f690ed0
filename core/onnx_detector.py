"""The whole detector as one module with shapes that do not depend on what it finds, as an ONNX graph needs them.

Shapes: B pictures, n anchors of a level, k candidates a level, M candidates in all, K classes, D detections at most.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torchvision.ops import nms

from core.anchors import STRIDES, cell_anchors, tile
from core.boxes import decode
from core.config import Config
from core.model import Outputs, RetinaNet
from core.preprocess import IMAGENET_MEAN, IMAGENET_STD, PAD_TO


@torch.library.custom_op("retinanet_playground::survivors", mutates_args=())
def survivors(boxes: Tensor, scores: Tensor, iou_threshold: float, most: int) -> Tensor:
    """Runs hard NMS; to ONNX it goes as one node (`core.onnx_nms`).

    Args:
        boxes: [B, M, 4].
        scores: [B, K, M]; each class by itself, and what is not above 0 takes no part.
        iou_threshold: Overlap above which a box is suppressed.
        most: Boxes that may be left in a class.

    Returns:
        [B, M], 1 for what is left and 0 for the rest.
    """
    left = torch.zeros_like(boxes[..., 0])
    for mine, box, by_class in zip(left, boxes, scores, strict=True):
        for score in by_class:
            some = score.nonzero().squeeze(1)
            mine[some[nms(box[some], score[some], iou_threshold)[:most]]] = 1
    return left


@survivors.register_fake
def _(boxes: Tensor, scores: Tensor, iou_threshold: float, most: int) -> Tensor:
    return torch.empty_like(boxes[..., 0])


class OnnxDetector(nn.Module):
    """From pixels to detections, with the results of `core.detector.detect` for pictures it need not resize.

    Args:
        model: The network.
        config: Anchors and inference; its NMS must be hard.
    """

    def __init__(self, model: RetinaNet, config: Config) -> None:
        super().__init__()
        self.model, self.anchors, self.inference = model, config.anchors, config.inference
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])
        for level, size in enumerate(config.anchors.sizes):
            self.register_buffer(f"cell{level}", cell_anchors(config.anchors, size))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Finds objects in pixels [B, 3, H, W], RGB in 0 … 1.

        Returns:
            boxes [B, D, 4], xyxy pixels, scores [B, D], best first, and labels [B, D]; where nothing is left, 0.
        """
        height, width = pixels.shape[-2:]
        padded = pad((pixels - self.mean) / self.std, (0, -width % PAD_TO, 0, -height % PAD_TO))
        candidates = self._candidates(self.model(padded), padded.shape[-2], padded.shape[-1])
        boxes, scores, labels = (torch.cat(parts, dim=1) for parts in zip(*candidates, strict=True))
        x1, y1, x2, y2 = boxes.unbind(-1)
        clipped = (x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height))
        return self._best(torch.stack(clipped, dim=-1), scores, labels)

    def _candidates(self, outputs: Outputs, height: int, width: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Returns boxes [B, k, 4], scores [B, k] and labels [B, k] of each level, k being the same for all."""
        found, start = [], 0
        for level, (rows, columns) in enumerate(outputs.grids):
            exact = self.anchors.convention == "exact"
            stride = (STRIDES[level],) * 2 if exact else (height // rows, width // columns)
            anchors = tile(getattr(self, f"cell{level}"), (rows, columns), stride)  # [n, 4]
            here = slice(start, start + rows * columns * self.anchors.per_place)
            score, anchor, label = self._top(outputs.logits[:, here])
            deltas = outputs.deltas[:, here].gather(1, anchor[..., None].expand(-1, -1, 4))  # [B, k, 4]
            found.append((decode(deltas, anchors[anchor]), score, label))
            start = here.stop
        return found

    def _top(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns score, anchor and label [B, k] of the best pairs of a level; the score is 0 where there are less."""
        scores = logits.sigmoid().flatten(1)  # [B, n · K]
        scores = torch.where(scores > self.inference.score_threshold, scores, 0.0)
        most, classes = self.inference.topk_candidates, logits.shape[2]
        score, pair = pad(scores, (0, most)).topk(most)  # small levels have fewer pairs than are asked for
        pair = torch.where(score > 0, pair, 0)
        return score, pair // classes, pair % classes

    def _best(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Runs NMS on the M candidates of each picture and returns the best that are left."""
        most = min(self.inference.max_detections, boxes.shape[1])
        by_class = scores[:, None]  # [B, 1, M]
        if not self.inference.class_agnostic_nms:
            classes = torch.arange(self.model.num_classes, device=labels.device)
            by_class = torch.where(labels[:, None] == classes[:, None], by_class, 0.0)  # [B, K, M]
        left = survivors(boxes, by_class, self.inference.nms_threshold, most)
        score, best = (scores * left).topk(most)
        found = (score > 0)[..., None]
        boxes = torch.where(found, boxes.gather(1, best[..., None].expand(-1, -1, 4)), 0.0)
        return boxes, score, torch.where(found[..., 0], labels.gather(1, best), 0)
