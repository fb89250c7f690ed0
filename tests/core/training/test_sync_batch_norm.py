from contextlib import nullcontext

import pytest
import torch
import torch.distributed as dist
from torch import nn

from core.training.records import TrainingError
from core.training.sync_batch_norm import SyncBatchNorm, convert_batch_norms, require_statistics


@pytest.fixture
def alone():
    """A group of one process; `test_distributed` tests two."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def pair() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    usual = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4)))
    usual[1][0].weight.data.uniform_(0.5, 2)
    shared = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4)))
    shared.load_state_dict(usual.state_dict())
    convert_batch_norms(shared)
    return usual, shared


def test_is_a_batch_norm_in_values_gradients_and_statistics(alone):
    usual, shared = pair()
    maps = 5 + 3 * torch.randn(2, 3, 5, 7)
    for model in (usual, shared):
        for _ in range(2):
            model(maps).square().mul(torch.arange(7.0)).sum().backward()
    torch.testing.assert_close(shared(maps), usual(maps))
    for found, expected in zip(shared.parameters(), usual.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-4, atol=1e-3)
    for name, value in usual.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], value)


def test_needs_no_other_process_in_evaluation_mode():
    usual, shared = pair()
    maps = torch.randn(1, 3, 4, 4)
    assert torch.equal(shared.eval()(maps), usual.eval()(maps))


def test_parameters_stay_the_same_tensors():
    model = nn.Sequential(nn.BatchNorm2d(4))
    before = [*model.parameters(), *model.buffers()]
    convert_batch_norms(model)
    assert type(model[0]) is SyncBatchNorm
    assert all(one is other for one, other in zip([*model.parameters(), *model.buffers()], before, strict=True))


@pytest.mark.parametrize(
    ("shape", "processes", "allowed"),
    [
        ((1, 3, 32, 32), 1, False),
        ((2, 3, 32, 32), 1, True),
        ((1, 3, 32, 64), 1, True),
        ((1, 3, 64, 32), 1, True),
        ((1, 3, 32, 32), 2, True),
    ],
)
def test_a_single_value_has_no_statistics(shape, processes, allowed):
    model = nn.Sequential(nn.BatchNorm2d(3))
    refused = (
        nullcontext() if allowed else pytest.raises(TrainingError, match=r"^One picture of 32×32 px leaves the last")
    )
    with refused:
        require_statistics(model, torch.zeros(shape), processes)
    require_statistics(model.eval(), torch.zeros(shape), processes)  # frozen


@pytest.mark.parametrize(
    ("parts", "remedy"), [(1, "raise training.batch_size or"), (2, "lower training.accumulation, raise")]
)
def test_the_remedy_for_a_single_value_is_larger_batches_or_fewer_parts(parts, remedy):
    with pytest.raises(TrainingError, match=f": {remedy} inference.image_size, or set model.batch_norm to frozen"):
        require_statistics(nn.Sequential(nn.BatchNorm2d(3)), torch.zeros(1, 3, 32, 32), 1, parts)
