import math
from typing import get_args

import pytest
import torch
from torch import nn

from core.config import Training
from core.training.optimization.optimizer import OPTIMIZERS, Schedule, build_optimizer, compute_factor


def rates(**settings) -> list[float]:
    training = Training(learning_rate=1.0, warmup_steps=0, **settings)
    schedule = Schedule(training)
    return [schedule.rate(step) for step in range(training.steps)]


def by_torch(make, steps: int) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    scheduler = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


SCHEDULERS = torch.optim.lr_scheduler


def test_step_same_as_torch():
    expected = by_torch(lambda o: SCHEDULERS.StepLR(o, 25, 0.2), 100)
    assert rates(schedule="step", steps=100, decay_period=0.25, decay_factor=0.2) == pytest.approx(expected)


def test_multi_step_same_as_torch():
    expected = by_torch(lambda o: SCHEDULERS.MultiStepLR(o, [50, 75], 0.1), 100)
    assert rates(schedule="multi_step", steps=100, milestones=(0.5, 0.75)) == pytest.approx(expected)


def test_exponential_same_as_torch():
    expected = by_torch(lambda o: SCHEDULERS.ExponentialLR(o, 0.1 ** (1 / 100)), 100)
    assert rates(schedule="exponential", steps=100) == pytest.approx(expected)


def test_cosine_same_as_torch():
    expected = by_torch(lambda o: SCHEDULERS.CosineAnnealingLR(o, 100), 100)
    assert rates(schedule="cosine", steps=100) == pytest.approx(expected)


def test_cyclic_same_as_torch():
    expected = by_torch(lambda o: SCHEDULERS.CyclicLR(o, 0.1, 1.0, step_size_up=10, cycle_momentum=False), 100)
    assert rates(schedule="cyclic", steps=100, decay_period=0.2) == pytest.approx(expected)


def test_one_cycle_close_to_torch():
    """PyTorch's schedule ends at the last step, ours at the end of the run: they differ by at most one step."""
    expected = by_torch(lambda o: SCHEDULERS.OneCycleLR(o, 1.0, total_steps=1000), 1000)
    assert rates(schedule="one_cycle", steps=1000) == pytest.approx(expected, abs=6e-3)


def test_constant_and_warmup_by_hand():
    schedule = Schedule(Training(schedule="constant", learning_rate=0.4, warmup_steps=4, steps=10))
    assert [schedule.rate(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_plateau_drops_once_the_loss_stays():
    training = Training(schedule="plateau", learning_rate=1.0, warmup_steps=0, steps=10, decay_period=0.3)
    schedule = Schedule(training)
    seen = []
    for step in range(10):
        seen.append(schedule.rate(step))
        schedule.observe(1.0)
    assert seen == pytest.approx([1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01])
    falling = Schedule(training)
    for step in range(10):
        falling.observe(1.0 / (step + 1))
    assert falling.rate(9) == 1


def test_plateau_state_round_trip():
    training = Training(schedule="plateau", steps=10, decay_period=0.1)
    schedule, other = Schedule(training), Schedule(training)
    for _ in range(5):
        schedule.observe(1.0)
    other.restore(schedule.state())
    assert other.rate(5) == schedule.rate(5) and other.state() == schedule.state()


@pytest.mark.parametrize("name", get_args(Training.model_fields["schedule"].annotation))
def test_every_schedule_stays_between_nothing_and_full(name):
    factors = [compute_factor(Training(schedule=name, steps=77), step) for step in range(77)]
    assert all(0 <= factor <= 1 and math.isfinite(factor) for factor in factors)


@pytest.mark.parametrize("name", get_args(Training.model_fields["optimizer"].annotation))
def test_every_optimizer_learns(name):
    model = nn.Linear(3, 1)
    optimizer = build_optimizer(model, Training(optimizer=name, learning_rate=0.05))
    inputs = torch.randn(32, 3, generator=torch.Generator().manual_seed(0))
    losses = []
    for _ in range(30):
        loss = (model(inputs) - inputs.sum(dim=1, keepdim=True)).square().mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_declared_optimizers_are_all_there():
    assert set(OPTIMIZERS) == set(get_args(Training.model_fields["optimizer"].annotation))


def test_momentum_reaches_the_optimizer():
    model = nn.Linear(3, 1)
    assert build_optimizer(model, Training(optimizer="sgd", momentum=0.7)).defaults["momentum"] == 0.7
    assert build_optimizer(model, Training(optimizer="nadam", momentum=0.7)).defaults["betas"] == (0.7, 0.999)


def test_norms_and_biases_do_not_decay_and_frozen_parameters_are_left_out():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 1))
    model[0].weight.requires_grad_(False)
    decayed, spared = build_optimizer(model, Training(weight_decay=0.01)).param_groups
    assert decayed["weight_decay"] == 0.01 and [p.shape for p in decayed["params"]] == [(5, 4, 1, 1)]
    assert spared["weight_decay"] == 0 and len(spared["params"]) == 4
