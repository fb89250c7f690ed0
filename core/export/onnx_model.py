"""The whole detector as one module with shapes that do not depend on the detections, as an ONNX graph needs them.

Shapes: B images, n anchors per level, k candidates per level, M candidates in total, K classes, at most D detections.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torchvision.ops import nms

from core.config import Config
from core.retinanet.anchors import STRIDES, cell_anchors, tile
from core.retinanet.boxes import decode
from core.retinanet.model import Outputs, RetinaNet
from core.retinanet.preprocess import IMAGENET_MEAN, IMAGENET_STD, PAD_TO

SCORE_THRESHOLD = "score_threshold"  # name of a buffer of `OnnxDetector`


@torch.library.custom_op("retinanet_playground::mark_survivors", mutates_args=())
def mark_survivors(boxes: Tensor, scores: Tensor, iou_threshold: float, max_boxes: int) -> Tensor:
    """Runs hard NMS and marks the boxes that remain; a single node in ONNX (`core.export.onnx_ops`).

    Args:
        boxes: [B, M, 4], xyxy.
        scores: [B, K, M]. Classes are independent, and scores of 0 do not take part.
        iou_threshold: A box is suppressed if its IoU with a better one exceeds this.
        max_boxes: Maximum number of boxes that remain per class.

    Returns:
        [B, M], 1 for boxes that remain and 0 for others.
    """
    marks = torch.zeros_like(boxes[..., 0])
    for image_marks, image_boxes, image_scores in zip(marks, boxes, scores, strict=True):
        for class_scores in image_scores:
            nonzero = class_scores.nonzero().squeeze(1)
            kept = nms(image_boxes[nonzero], class_scores[nonzero], iou_threshold)[:max_boxes]
            image_marks[nonzero[kept]] = 1
    return marks


@mark_survivors.register_fake
def _(boxes: Tensor, scores: Tensor, iou_threshold: float, max_boxes: int) -> Tensor:
    return torch.empty_like(boxes[..., 0])


@torch.library.custom_op("retinanet_playground::resize_images", mutates_args=())
def resize_images(pixels: Tensor, shorter: int, longest: int) -> Tensor:
    """Resizes images as `core.retinanet.preprocess.prepare` does; a few nodes in ONNX (`core.export.onnx_ops`).

    Args:
        pixels: [B, 3, H, W].
        shorter: Target length of the shorter side in pixels, unless the longer side would then exceed `longest`.
        longest: Maximum length of the longer side in pixels.

    Returns:
        [B, 3, h, w].
    """
    sides = pixels.shape[-2:]
    scale = min(shorter / min(sides), longest / max(sides))
    result = interpolate(pixels, scale_factor=scale, mode="bilinear", recompute_scale_factor=True, align_corners=False)
    return result.clone()  # a custom operator must not return its input


@resize_images.register_fake
def _(pixels: Tensor, shorter: int, longest: int) -> Tensor:
    size = torch.library.get_ctx().new_dynamic_size
    # The exporter needs to know that sides are not 0. The minimum only guides the trace: smaller images work, too.
    return pixels.new_empty(*pixels.shape[:2], size(min=PAD_TO), size(min=PAD_TO))


@torch.library.custom_op("retinanet_playground::pad_images", mutates_args=())
def pad_images(pixels: Tensor) -> Tensor:
    """Pads images as `core.retinanet.preprocess.prepare` does; a few nodes in ONNX (`core.export.onnx_ops`).

    As a custom operator it tells the exporter that the sides are multiples of `PAD_TO`. Otherwise the exporter carries
    a remainder through all shapes of the network and takes twice as long.

    Args:
        pixels: [B, 3, h, w].

    Returns:
        [B, 3, h', w'], both sides multiples of `PAD_TO`.
    """
    height, width = pixels.shape[-2:]
    return pad(pixels, (0, -width % PAD_TO, 0, -height % PAD_TO))


@pad_images.register_fake
def _(pixels: Tensor) -> Tensor:
    size = torch.library.get_ctx().new_dynamic_size
    return pixels.new_empty(*pixels.shape[:2], PAD_TO * size(min=1), PAD_TO * size(min=1))


class OnnxDetector(nn.Module):
    """A detector from pixels to detections, with the results of `core.retinanet.predict.detect`.

    Args:
        model: The network.
        config: Anchors and inference; NMS must be hard.
    """

    mean: Tensor
    std: Tensor
    score_threshold: Tensor  # a buffer, so that the file holds it under this name

    def __init__(self, model: RetinaNet, config: Config) -> None:
        super().__init__()
        self.model, self.anchors, self.inference = model, config.anchors, config.inference
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])
        self.register_buffer(SCORE_THRESHOLD, torch.tensor(config.inference.score_threshold))
        for level, size in enumerate(config.anchors.sizes):
            self.register_buffer(f"cell{level}", cell_anchors(config.anchors, size))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detects objects in pixels [B, 3, H, W], RGB in 0 … 1.

        Returns:
            Boxes [B, D, 4], xyxy in pixels of the input, scores [B, D] in descending order, and labels [B, D]; all 0 in
            rows without a detection.
        """
        input_sides, target = pixels.shape[-2:], (self.inference.image_size, self.inference.max_image_size)
        resized = torch.ops.retinanet_playground.resize_images((pixels - self.mean) / self.std, *target)
        height, width = resized.shape[-2:]
        padded = torch.ops.retinanet_playground.pad_images(resized)
        candidates = self._select_candidates(self.model(padded), *padded.shape[-2:])
        boxes, scores, labels = (torch.cat(parts, dim=1) for parts in zip(*candidates, strict=True))
        boxes, scores, labels = self._select_detections(_clip(boxes, height, width), scores, labels)
        return _rescale(boxes, input_sides[1] / width, input_sides[0] / height), scores, labels

    def _select_candidates(self, outputs: Outputs, height: int, width: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Returns the boxes [B, k, 4], scores [B, k] and labels [B, k] of each level; k is the same for all levels."""
        candidates, start = [], 0
        for level, (rows, columns) in enumerate(outputs.grids):
            exact = self.anchors.convention == "exact"
            stride = (STRIDES[level], STRIDES[level]) if exact else (height // rows, width // columns)
            anchors = tile(getattr(self, f"cell{level}"), (rows, columns), stride)  # [n, 4]
            selected = slice(start, start + rows * columns * self.anchors.per_location)
            score, anchor, label = self._select_topk(outputs.logits[:, selected])
            deltas = outputs.deltas[:, selected].gather(1, anchor[..., None].expand(-1, -1, 4))  # [B, k, 4]
            candidates.append((decode(deltas, anchors[anchor]), score, label))
            start = selected.stop
        return candidates

    def _select_topk(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns score, anchor and label [B, k] of the best anchor–class pairs of a level; missing pairs score 0."""
        scores = logits.sigmoid().flatten(1)  # [B, n · K]
        scores = torch.where(scores > self.score_threshold, scores, 0.0)
        count, classes = self.inference.topk_candidates, logits.shape[2]
        score, pair = pad(scores, (0, count)).topk(count)  # padded, because small levels have fewer pairs
        pair = torch.where(score > 0, pair, 0)
        return score, pair // classes, pair % classes

    def _select_detections(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Runs NMS on the M candidates of each image and returns the best that remain."""
        count = min(self.inference.max_detections, boxes.shape[1])
        by_class = scores[:, None]  # [B, 1, M]
        if not self.inference.class_agnostic_nms:
            classes = torch.arange(self.model.num_classes, device=labels.device)
            by_class = torch.where(labels[:, None] == classes[:, None], by_class, 0.0)  # [B, K, M]
        marks = mark_survivors(boxes, by_class, self.inference.nms_threshold, count)
        score, best = (scores * marks).topk(count)
        found = (score > 0)[..., None]
        boxes = torch.where(found, boxes.gather(1, best[..., None].expand(-1, -1, 4)), 0.0)
        return boxes, score, torch.where(found[..., 0], labels.gather(1, best), 0)


def _clip(boxes: Tensor, height: int, width: int) -> Tensor:
    """Does what `core.retinanet.boxes.clip` does without a tensor of the sides, which are symbolic during export."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)), dim=-1)


def _rescale(boxes: Tensor, x_factor: float, y_factor: float) -> Tensor:
    """Does what `core.retinanet.boxes.rescale` does without a tensor of the factors, which are symbolic."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1 * x_factor, y1 * y_factor, x2 * x_factor, y2 * y_factor), dim=-1)
