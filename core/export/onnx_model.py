"""The whole detector as one module with shapes that do not depend on what it finds, as an ONNX graph needs them.

Shapes: B pictures, n anchors of a level, k candidates a level, M candidates in all, K classes, D detections at most.
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


@torch.library.custom_op("retinanet_playground::survivors", mutates_args=())
def survivors(boxes: Tensor, scores: Tensor, iou_threshold: float, most: int) -> Tensor:
    """Runs hard NMS; to ONNX it goes as one node (`core.export.onnx_ops`).

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


@torch.library.custom_op("retinanet_playground::resized", mutates_args=())
def resized(pixels: Tensor, shorter: int, longest: int) -> Tensor:
    """Resizes pictures as `core.retinanet.preprocess.prepare` does; in ONNX a few nodes (`core.export.onnx_ops`).

    Args:
        pixels: [B, 3, H, W].
        shorter: What the shorter side becomes, px, unless the longer one would then exceed `longest`.
        longest: What the longer side may be, px.

    Returns:
        [B, 3, h, w].
    """
    sides = pixels.shape[-2:]
    scale = min(shorter / min(sides), longest / max(sides))
    result = interpolate(pixels, scale_factor=scale, mode="bilinear", recompute_scale_factor=True, align_corners=False)
    return result.clone()  # what an operator returns must not be what it was given


@resized.register_fake
def _(pixels: Tensor, shorter: int, longest: int) -> Tensor:
    size = torch.library.get_ctx().new_dynamic_size
    # The exporter wants to know that a batch never is empty; smaller ones only lie outside of what it has thought of.
    return pixels.new_empty(*pixels.shape[:2], size(min=PAD_TO), size(min=PAD_TO))


@torch.library.custom_op("retinanet_playground::padded", mutates_args=())
def padded(pixels: Tensor) -> Tensor:
    """Pads pictures as `core.retinanet.preprocess.prepare` does.

    An operator, so that to the exporter the sides are multiples of numbers that it does not know. Otherwise it carries
    a remainder through all shapes of the network, and takes twice as long. To ONNX it goes as a few nodes
    (`core.export.onnx_ops`).

    Args:
        pixels: [B, 3, h, w].

    Returns:
        [B, 3, h', w'], both sides multiples of `PAD_TO`.
    """
    height, width = pixels.shape[-2:]
    return pad(pixels, (0, -width % PAD_TO, 0, -height % PAD_TO))


@padded.register_fake
def _(pixels: Tensor) -> Tensor:
    size = torch.library.get_ctx().new_dynamic_size
    return pixels.new_empty(*pixels.shape[:2], PAD_TO * size(min=1), PAD_TO * size(min=1))


class OnnxDetector(nn.Module):
    """From pixels to detections, with the results of `core.retinanet.predict.detect`.

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
            boxes [B, D, 4], xyxy pixels of the pictures given, scores [B, D], best first, and labels [B, D]; where
            nothing is left, 0.
        """
        originals, sides = pixels.shape[-2:], (self.inference.image_size, self.inference.max_image_size)
        seen = torch.ops.retinanet_playground.resized((pixels - self.mean) / self.std, *sides)
        height, width = seen.shape[-2:]
        whole = torch.ops.retinanet_playground.padded(seen)
        candidates = self._candidates(self.model(whole), *whole.shape[-2:])
        boxes, scores, labels = (torch.cat(parts, dim=1) for parts in zip(*candidates, strict=True))
        boxes, scores, labels = self._best(_clipped(boxes, height, width), scores, labels)
        return _rescaled(boxes, originals[1] / width, originals[0] / height), scores, labels

    def _candidates(self, outputs: Outputs, height: int, width: int) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Returns boxes [B, k, 4], scores [B, k] and labels [B, k] of each level, k being the same for all."""
        found, start = [], 0
        for level, (rows, columns) in enumerate(outputs.grids):
            exact = self.anchors.convention == "exact"
            stride = (STRIDES[level],) * 2 if exact else (height // rows, width // columns)
            anchors = tile(getattr(self, f"cell{level}"), (rows, columns), stride)  # [n, 4]
            here = slice(start, start + rows * columns * self.anchors.per_location)
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


def _clipped(boxes: Tensor, height: int, width: int) -> Tensor:
    """`core.retinanet.boxes.clip`, whose tensor of sides the exporter cannot make of sides that it does not know."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)), dim=-1)


def _rescaled(boxes: Tensor, across: float, down: float) -> Tensor:
    """`core.retinanet.boxes.rescale`, likewise."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    return torch.stack((x1 * across, y1 * down, x2 * across, y2 * down), dim=-1)
