import math

import torch
from torchvision.models.detection._utils import BoxCoder
from torchvision.ops import box_iou, clip_boxes_to_image

from core.retinanet.boxes import MAX_LOG_SIZE, clip, decode, encode, pairwise_iou, rescale


def random_boxes(count: int, seed: int = 0, size: float = 300) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * size
    return torch.cat([corner, corner + 1 + torch.rand(count, 2, generator=generator) * size], dim=1)


def test_encode_by_hand():
    anchor = torch.tensor([[0.0, 0, 10, 20]])
    box = torch.tensor([[5.0, 10, 15, 50]])  # centre (10, 30), size 10 × 40; the anchor's (5, 10), 10 × 20
    assert torch.allclose(encode(box, anchor), torch.tensor([[0.5, 1.0, 0.0, math.log(2)]]))


def test_no_delta_is_the_anchor_itself():
    anchors = random_boxes(50)
    assert torch.allclose(decode(torch.zeros(50, 4), anchors), anchors, atol=1e-4)
    assert torch.allclose(encode(anchors, anchors), torch.zeros(50, 4), atol=1e-5)


def test_round_trip():
    boxes, anchors = random_boxes(500, 1), random_boxes(500, 2) + torch.tensor([0, 0, 20, 20])  # within the clamp
    assert torch.allclose(decode(encode(boxes, anchors), anchors), boxes, atol=1e-2)


def test_same_as_torchvision():
    boxes, anchors, coder = random_boxes(500, 3), random_boxes(500, 4), BoxCoder((1.0, 1.0, 1.0, 1.0))
    assert torch.allclose(encode(boxes, anchors), coder.encode_single(boxes, anchors), atol=1e-6)
    deltas = torch.randn(500, 4) * 3
    assert torch.allclose(decode(deltas, anchors), coder.decode_single(deltas, anchors), atol=1e-3)
    assert torch.equal(clip(boxes, 200, 150), clip_boxes_to_image(boxes, (200, 150)))


def test_growth_is_bounded():
    anchor = torch.tensor([[0.0, 0, 16, 16]])
    box = decode(torch.tensor([[0.0, 0, 1e9, 100]]), anchor)
    assert torch.allclose(box, torch.tensor([[-492.0, -492, 508, 508]]))
    assert math.isclose(MAX_LOG_SIZE, math.log(62.5))


def test_empty():
    none = torch.zeros(0, 4)
    assert encode(none, none).shape == decode(none, none).shape == clip(none, 5, 5).shape == (0, 4)


def test_rescale():
    assert rescale(torch.tensor([[1.0, 2, 3, 4]]), 2, 10).tolist() == [[2, 20, 6, 40]]


def test_pairwise_iou_is_the_diagonal_of_box_iou_to_the_last_bit():
    boxes, others = random_boxes(50, 0, 100), random_boxes(50, 1, 100)
    assert torch.equal(pairwise_iou(boxes.T, others.T), box_iou(boxes, others).diagonal())
