"""Measuring only the nearest anchors gives the best IoU of all anchors; the search finds anchors that fit."""

import math

import pytest
import torch
from torchvision.ops import box_iou

from core.analysis.anchor_search import Objects, collect_objects, describe_doubts, measure_fit, search_anchors
from core.config import Anchors, Inference, Scenes
from core.data.sources import SceneData
from core.retinanet.anchors import make_anchors


def objects(boxes: torch.Tensor, height: int = 256, width: int = 256) -> Objects:
    return Objects(boxes, torch.tensor([height, width]).expand(len(boxes), 2))


def random_objects(count: int, height: int, width: int) -> Objects:
    generator = torch.Generator().manual_seed(count)
    sides = 4 + 120 * torch.rand(count, 2, generator=generator) ** 2
    room = torch.tensor([float(width), float(height)])
    corners = torch.rand(count, 2, generator=generator) * (room - sides).clamp(min=0)
    return objects(torch.cat([corners, corners + sides], dim=1), height, width)


@pytest.mark.parametrize("convention", ["torchvision", "exact"])
@pytest.mark.parametrize("size", [(256, 256), (320, 224), (96, 800)])
def test_same_best_iou_as_with_all_anchors(convention, size):
    anchors = Anchors(convention=convention)
    some = random_objects(60, *size)
    expected = box_iou(some.boxes, make_anchors(anchors, *size).boxes).max(dim=1).values
    found = measure_fit(some, anchors, 0.5)
    assert torch.allclose(found.iou, expected, atol=1e-5)
    assert found.recall == pytest.approx((expected >= 0.5).float().mean().item())


def test_no_objects():
    fit = measure_fit(objects(torch.zeros(0, 4)), Anchors(), 0.5)
    assert len(fit.iou) == 0 and math.isnan(fit.recall) and math.isnan(fit.mean)


@pytest.mark.slow
def test_search_finds_the_shape_of_elongated_objects():
    """Boxes four times as high as wide, on locations of P4: a ratio of 4 fits them, 0.5–2 does not."""
    centers = torch.stack(torch.meshgrid(torch.arange(2, 14) * 16.0, torch.arange(4, 12) * 16.0, indexing="ij"), -1)
    half = torch.tensor([14.0, 56.0])
    boxes = torch.cat([centers.reshape(-1, 2) - half, centers.reshape(-1, 2) + half], dim=1)
    before = Anchors(ratios=(1.0,), convention="exact")
    after = search_anchors(objects(boxes), before, 0.5)
    assert len(after.ratios) == 1 and 3 < after.ratios[0] < 5.3
    assert measure_fit(objects(boxes), after, 0.5).mean > 0.8 > measure_fit(objects(boxes), before, 0.5).mean
    assert after.sizes == before.sizes and len(after.scales) == 3
    assert search_anchors(objects(boxes), before, 0.5) == after  # seeded


@pytest.mark.slow
def test_search_never_makes_it_worse():
    some = random_objects(30, 256, 256)
    before = Anchors()
    after = search_anchors(some, before, 0.5)
    old, new = (measure_fit(some, each, 0.5) for each in (before, after))
    assert new.recall + new.mean >= old.recall + old.mean


def test_objects_are_collected_as_the_network_sees_them():
    data = SceneData(Scenes(image_size=128), 3, "train")
    found = collect_objects(data, Inference(image_size=256), 3)
    expected = torch.cat([data[index].boxes for index in range(3)]) * 2
    assert torch.allclose(found.boxes, expected) and found.image_sizes.unique().tolist() == [256]


def test_few_objects_and_scales_of_other_levels_are_doubtful():
    def doubts(count: int, *scales: float) -> list[str]:
        objects = Objects(torch.zeros(count, 4), torch.zeros(count, 2, dtype=torch.int64))
        return describe_doubts(objects, Anchors(scales=scales))

    assert doubts(20, 0.6, 1.9) == [] and "19 objects are too few" in doubts(19, 1.0)[0]
    assert "(2.46, 2.81) lie above the sizes" in doubts(20, 2.46, 2.81)[0]
    assert "lower the sizes of the levels" in doubts(20, 0.3, 0.5)[0] and len(doubts(1, 0.3)) == 2
