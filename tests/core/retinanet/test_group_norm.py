import pytest
import torch
from torch import nn

from core.retinanet import group_norm
from core.retinanet.group_norm import GroupNorm

GROUPS, CHANNELS = 4, 8


def build(kind=torch.float32):
    torch.manual_seed(0)
    layer = GroupNorm(GROUPS, CHANNELS, dtype=kind)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    return layer


def make_maps(height, width, kind=torch.float32):
    maps = torch.randn(2, CHANNELS, height, width) * 3 + 5
    return maps.to(kind).contiguous(memory_format=torch.channels_last).requires_grad_()


def gradients(output, layer, maps):
    torch.manual_seed(1)
    weights = torch.randn(output.shape).bfloat16().to(output.dtype)  # the same in every type
    return torch.autograd.grad((output * weights).float().sum(), (maps, layer.weight, layer.bias))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("side", [(5, 7), (32, 40)])
def test_it_is_pytorchs_own_in_single_precision(kind, side):
    layer = build(torch.float64 if kind == torch.float64 else torch.float32)
    maps = make_maps(*side, kind)
    same = maps.detach().to(layer.weight.dtype).requires_grad_()
    found, expected = layer(maps), nn.GroupNorm.forward(layer, same)
    assert found.dtype == kind and torch.equal(found, expected.to(kind))
    near = {"rtol": 0.02, "atol": 0.01} if kind == torch.bfloat16 else {"rtol": 1e-4, "atol": 1e-4}
    for ours, theirs in zip(gradients(found, layer, maps), gradients(expected, layer, same), strict=True):
        assert torch.allclose(ours, theirs.to(ours.dtype), **near)


def test_its_own_backward_pass_is_exact(monkeypatch):
    monkeypatch.setattr(group_norm, "MIN_LOCATIONS", 1)
    layer, maps = build(torch.float64), make_maps(3, 4, torch.float64)
    assert "_GroupNorm" in type(layer(maps).grad_fn).__name__
    assert torch.autograd.gradcheck(apply_ours, (maps, layer.weight, layer.bias))


def apply_ours(maps, weight, bias):
    return group_norm._GroupNorm.apply(maps, weight, bias, GROUPS, 1e-5)


@pytest.mark.parametrize(
    ("maps", "groups"),
    [
        (torch.randn(1, 8, 8, 8).contiguous(memory_format=torch.channels_last), 4),  # small
        (torch.randn(2, 8, 32, 32), 4),  # in another format
        (torch.randn(2, 8, 32, 32).contiguous(memory_format=torch.channels_last), 2),  # four channels a group
    ],
)
def test_elsewhere_pytorchs_own_backward_pass_is_used(maps, groups):
    found = GroupNorm(groups, 8)(maps.requires_grad_())
    assert "NativeGroupNorm" in type(found.grad_fn).__name__


def test_in_evaluation_pytorchs_own_backward_pass_is_used():
    """Exporters of networks know no other."""
    layer, maps = build(), make_maps(32, 40)
    assert "_GroupNorm" in type(layer(maps).grad_fn).__name__
    assert "NativeGroupNorm" in type(layer.eval()(maps).grad_fn).__name__
