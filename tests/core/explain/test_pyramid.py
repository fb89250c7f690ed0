"""Where features of the pyramid come from: exact parts, against the network itself and numbers by hand."""

from collections import OrderedDict

import pytest
import torch
from torchvision.ops import FeaturePyramidNetwork

from core.config import Anchors
from core.explain.pyramid import rate_levels, trace_feature
from core.retinanet.anchors import make_anchors
from core.retinanet.model import build_model
from tests.core.networks import CONFIG, make_small_body


@pytest.mark.slow
@pytest.mark.parametrize("size", [(64, 96), (72, 104)])  # maps that are halved, and maps that are not
def test_the_parts_add_up_to_the_features_everywhere(size):
    """On the border, too, where a patch has zeros that no bias is added to."""
    torch.manual_seed(0)
    model = build_model(CONFIG.model, num_classes=2, anchors_per_location=3, body=make_small_body()).eval()
    for name, each in model.backbone.fpn.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(each)
    with torch.inference_mode():
        body, levels = model.pyramid(torch.randn(1, 3, *size))
    for level in range(3):
        rows, columns = levels[level].shape[2:]
        for row in range(rows):
            for column in range(columns):
                found = trace_feature(model.backbone.fpn, body, level, (row, column))
                torch.testing.assert_close(found.feature, levels[level][0, :, row, column], rtol=1e-4, atol=1e-4)
                assert found.maps.shape == (3 - level, 32) and found.shares.sum().item() == pytest.approx(1, abs=1e-4)


def test_the_part_of_a_map_is_what_is_lost_without_it():
    """The network itself, with C4 set to 0, has the other parts left."""
    torch.manual_seed(1)
    fpn = FeaturePyramidNetwork([2, 3, 4], 5).eval()
    body = (torch.randn(1, 2, 8, 8), torch.randn(1, 3, 4, 4), torch.randn(1, 4, 2, 2))
    found = trace_feature(fpn, body, 0, (3, 5))
    without = OrderedDict(zip("abc", (body[0], torch.zeros_like(body[1]), body[2]), strict=True))
    with torch.inference_mode():
        left = fpn(without)["a"][0, :, 3, 5]
    torch.testing.assert_close(found.feature - found.maps[1], left)


def test_shares_by_hand():
    """One channel, convolutions that copy: C3 is 4 and C4 and C5 are 1 and 3, so the biases 2, 0 and 0 make it 10."""
    fpn = FeaturePyramidNetwork([1, 1, 1], 1).eval()
    with torch.no_grad():
        for name, each in fpn.named_parameters():
            each.zero_()
            if name.startswith("inner") and name.endswith("weight"):
                each.fill_(1)
            elif name.endswith("weight"):
                each[0, 0, 1, 1] = 1
        fpn.inner_blocks[0][0].bias.fill_(2)
    body = tuple(torch.full((1, 1, side, side), value) for side, value in ((4, 4.0), (2, 1.0), (1, 3.0)))
    found = trace_feature(fpn, body, 0, (0, 3))
    assert found.maps[:, 0].tolist() == [4, 1, 3] and found.biases.tolist() == [2]
    assert found.shares.tolist() == pytest.approx([0.4, 0.1, 0.3, 0.2]) and found.norms.tolist() == [4, 1, 3, 2]
    assert trace_feature(fpn, body, 2, (0, 0)).shares.tolist() == [1, 0]


def test_each_level_is_rated_by_its_best_anchor():
    grid = make_anchors(Anchors.model_validate({"scales": (1.0,), "ratios": (1.0,)}), 128, 128)
    found = rate_levels(grid, torch.tensor([0.0, 0, 32, 32]))
    assert found.tolist() == pytest.approx([1 / 4, 1, 1 / 4, 1 / 16, 1 / 64])  # an anchor of P4 is the box itself
