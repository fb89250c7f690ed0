import pytest
import torch
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from core.config import Anchors
from core.retinanet.anchors import STRIDES, cell_anchors, make_anchors, pyramid_grids


def torchvision_anchors(anchors: Anchors, height: int, width: int) -> torch.Tensor:
    sizes = tuple(tuple(int(size * scale) for scale in anchors.scales) for size in anchors.sizes)
    generator = AnchorGenerator(sizes, (anchors.ratios,) * len(sizes))
    maps = [torch.zeros(1, 1, *grid) for grid in pyramid_grids(height, width)]
    return generator(ImageList(torch.zeros(1, 3, height, width), [(height, width)]), maps)[0]


@pytest.mark.parametrize("size", [(32, 32), (320, 320), (480, 640), (800, 1216), (96, 1312)])
def test_same_as_torchvision(size):
    ours = make_anchors(Anchors(), *size)
    assert torch.equal(ours.boxes, torchvision_anchors(Anchors(), *size))
    assert sum(ours.counts) == len(ours.boxes) == len(ours.level)


def test_same_as_torchvision_with_other_settings():
    anchors = Anchors(size_p3=17, scales=(0.5, 1.3), ratios=(0.2, 1, 3.3, 5))
    assert torch.equal(make_anchors(anchors, 224, 352).boxes, torchvision_anchors(anchors, 224, 352))


def test_count_of_a_coco_picture():
    assert len(make_anchors(Anchors(), 800, 1216).boxes) == 182_403


def test_by_hand():
    one = Anchors(size_p3=32, size_p4=64, scales=(1,), ratios=(1,), convention="exact")
    grid = make_anchors(one, 64, 64)
    assert grid.grids == ((8, 8), (4, 4), (2, 2), (1, 1), (1, 1))
    assert grid.boxes[0].tolist() == [-16, -16, 16, 16]
    assert grid.boxes[1].tolist() == [-8, -16, 24, 16]  # one stride to the right
    assert grid.boxes[8].tolist() == [-16, -8, 16, 24]  # one row down
    assert grid.boxes[64].tolist() == [-32, -32, 32, 32]  # the first of P4
    assert grid.level[[0, 63, 64, 79, 80, 84, 85]].tolist() == [0, 0, 1, 1, 2, 3, 4]


def test_ratio_is_height_over_width_at_equal_area():
    cell = cell_anchors(Anchors(scales=(1,), ratios=(0.25, 1, 4), convention="exact"), 32)
    assert cell.tolist() == [[-32, -8, 32, 8], [-16, -16, 16, 16], [-8, -32, 8, 32]]


def test_ratio_changes_slowest():
    cell = cell_anchors(Anchors(scales=(1, 2), ratios=(1, 4), convention="exact"), 16)
    assert (cell[:, 2] * 2).tolist() == [16, 32, 8, 16]


def test_conventions_differ_in_fractions():
    scales = (2 ** (1 / 3),)
    exact = cell_anchors(Anchors(scales=scales, ratios=(1,), convention="exact"), 32)
    rounded = cell_anchors(Anchors(scales=scales, ratios=(1,)), 32)
    assert torch.allclose(exact[0, 2], torch.tensor(32 * 2 ** (1 / 3) / 2))
    assert rounded[0].tolist() == [-20, -20, 20, 20]


def test_strides_of_an_odd_pyramid():
    assert make_anchors(Anchors(), 800, 1216).strides[3] == (61, 64)  # torchvision: 800 // 13
    assert make_anchors(Anchors(convention="exact"), 800, 1216).strides[3] == (64, 64)
    assert tuple(down for down, _ in make_anchors(Anchors(), 640, 640).strides) == STRIDES


def test_cached():
    assert make_anchors(Anchors(), 64, 96) is make_anchors(Anchors(), 64, 96)


def test_centres_and_spacing_of_the_anchors():
    for convention in ("torchvision", "exact"):
        grid = make_anchors(Anchors(convention=convention), 130, 97)
        assert torch.allclose(grid.centres, (grid.boxes[:, :2] + grid.boxes[:, 2:]) / 2, atol=1e-4)
        assert len(grid.centres[:: grid.per_location].unique(dim=0)) < len(grid.boxes) // grid.per_location  # of levels
    grid = make_anchors(Anchors(), 800, 1216)
    assert grid.spacing[[0, -1]].tolist() == [[8, 8], [121, 114]]  # across and down: 1216 // 10 and 800 // 7
    assert grid.spacing[sum(grid.counts[:3])].tolist() == [64, 61]
