import copy

import pytest
import torch
from torch import nn

from core.config import Config
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import build_model


@pytest.mark.slow
@pytest.mark.parametrize("depth", [18, 50])  # basic blocks and bottlenecks
def test_predicts_the_same_without_batch_norms(depth):
    torch.manual_seed(0)
    config = Config.from_flat({"model.depth": depth})
    model = build_model(config.model, num_classes=3, anchors_per_location=9)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    before = copy.deepcopy(model.state_dict())
    pixels = torch.randn(2, 3, 64, 96)
    fast = fuse_batch_norms(model)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fast.modules())
    with torch.inference_mode():
        expected, found = model.eval()(pixels), fast(pixels)
        maps = zip(model.pyramid(pixels).body, fast.pyramid(pixels).body, strict=True)
        for one, other in ((expected.logits, found.logits), (expected.deltas, found.deltas), *maps):
            assert torch.allclose(one, other, rtol=1e-3, atol=1e-4 * float(one.abs().max()))
    assert expected.grids == found.grids
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)  # the original is unchanged
