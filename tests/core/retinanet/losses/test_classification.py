import math

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from core.config import Loss
from core.retinanet.losses import (
    classification_loss,
    focal_loss,
    poly1_focal_loss,
    quality_focal_loss,
    varifocal_loss,
)


def logits_and_targets(seed: int = 0, shape: tuple = (200, 7)) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * 4, (torch.rand(shape, generator=generator) < 0.3).float()


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2), (0.5, 0.5), (0.75, 0), (0, 5), (1, 1)])
def test_focal_loss_and_gradient_same_as_torchvision(alpha, gamma):
    logits, targets = logits_and_targets()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    mine = focal_loss(ours, targets, alpha=alpha, gamma=gamma)
    reference = sigmoid_focal_loss(theirs, targets, alpha=alpha, gamma=gamma)
    assert torch.allclose(mine, reference, atol=1e-6)
    mine.sum().backward()
    reference.sum().backward()
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_gradient_is_the_closed_form_of_the_appendix(gamma):
    """Paper, appendix B: dFL/dx = y (1−p_t)^γ (γ p_t log p_t + p_t − 1), here times α_t."""
    logits, targets = logits_and_targets(1)
    logits = logits.double().requires_grad_()
    focal_loss(logits, targets.double(), alpha=0.25, gamma=gamma).sum().backward()
    sign = 2 * targets.double() - 1
    p_t = torch.sigmoid(logits.detach() * sign)
    alpha_t = torch.where(targets == 1, 0.25, 0.75)
    closed = alpha_t * sign * (1 - p_t) ** gamma * (gamma * p_t * p_t.log() + p_t - 1)
    assert torch.allclose(logits.grad, closed, atol=1e-10)


def test_gradcheck():
    logits, targets = logits_and_targets(2, (4, 3))
    logits = logits.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focal_loss(x, targets.double(), alpha=0.3, gamma=1.5), logits)


def test_the_papers_own_numbers():
    """γ = 2 lowers the loss 100 times at p_t = 0.9, about 1000 times at 0.968 and at most 4 times below 0.5."""

    def ratio(p_t: float) -> float:
        logit = torch.tensor([math.log(p_t / (1 - p_t))], dtype=torch.float64)
        one = torch.ones_like(logit)
        return (
            classification_loss(logit, one, Loss(kind="cross_entropy")) / focal_loss(logit, one, alpha=1, gamma=2)
        ).item()

    assert ratio(0.9) == pytest.approx(100)
    assert ratio(0.968) == pytest.approx(976.6, abs=0.1)
    assert ratio(0.5) == pytest.approx(4) and ratio(0.2) < 4


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5, 2.0, 8.0])
def test_huge_logits_stay_finite(gamma):
    assert_finite(Loss(gamma=gamma))


@pytest.mark.parametrize("cutoff", [0.05, 1.0])
def test_huge_logits_stay_finite_under_a_cutoff(cutoff):
    assert_finite(Loss(kind="cutoff", cutoff=cutoff))


def assert_finite(loss: Loss) -> None:
    logits = torch.tensor([-1e4, -100.0, -20, 0, 20, 100, 1e4]).repeat(2, 1).requires_grad_()
    targets = torch.tensor([[0.0], [1.0]]).expand(2, 7)
    values = classification_loss(logits, targets, loss)
    values.sum().backward()
    assert values.isfinite().all() and logits.grad.isfinite().all()


def test_gamma_zero_is_balanced_cross_entropy_and_that_at_a_half_is_half_cross_entropy():
    logits, targets = logits_and_targets(3)
    zero = classification_loss(logits, targets, Loss(gamma=0, alpha=0.3))
    balanced = classification_loss(logits, targets, Loss(kind="balanced_cross_entropy", alpha=0.3, gamma=5))
    half = classification_loss(logits, targets, Loss(kind="balanced_cross_entropy", alpha=0.5))
    assert torch.equal(zero, balanced)
    assert torch.allclose(2 * half, F.binary_cross_entropy_with_logits(logits, targets, reduction="none"), atol=1e-5)


@pytest.mark.parametrize("cutoff", [0.05, 0.5, 0.8, 1.0])
def test_cutoff_is_cross_entropy_up_to_the_cutoff_and_zero_above(cutoff):
    """Value and gradient in closed form: −α_t log p_t and ∓α_t (1 − p_t), or 0."""
    logits, targets = logits_and_targets(5)
    logits, targets = logits.double().requires_grad_(), targets.double()
    values = classification_loss(logits, targets, Loss(kind="cutoff", alpha=0.3, cutoff=cutoff))
    values.sum().backward()
    sign = 2 * targets - 1
    p_t = torch.sigmoid(logits.detach() * sign)
    alpha_t = torch.where(targets == 1, 0.3, 0.7)
    pays = p_t <= cutoff
    assert pays.any() and (cutoff == 1 or not pays.all())
    assert torch.allclose(values, torch.where(pays, -alpha_t * p_t.log(), 0.0), atol=1e-10)
    assert torch.allclose(logits.grad, torch.where(pays, alpha_t * sign * (p_t - 1), 0.0), atol=1e-10)


def test_cutoff_by_hand():
    """At a cut-off of 0.5, p_t = 0.5 has the loss ln 2 and the next larger score none; at 1 every score has one."""
    edge = torch.tensor([0.0, 1e-3, -1e-3, 50.0], dtype=torch.float64)
    one = torch.ones_like(edge)
    values = classification_loss(edge, one, Loss(kind="cutoff", alpha=1, cutoff=0.5)).tolist()
    assert values == pytest.approx([math.log(2), 0, math.log(2) + 0.0005, 0], abs=1e-6)
    all_of = classification_loss(edge, one, Loss(kind="cutoff", alpha=1, cutoff=1))
    assert torch.equal(all_of, classification_loss(edge, one, Loss(kind="balanced_cross_entropy", alpha=1)))
    assert all_of[3] > 0


def test_gradcheck_of_the_cutoff():
    """By finite differences, away from the step at p_t = 0.6, a logit of 0.41."""
    logits = torch.tensor([-3.0, -0.5, 0.3, 0.6, 2.0], dtype=torch.float64).repeat(2, 1).requires_grad_()
    targets = torch.tensor([[0.0], [1.0]], dtype=torch.float64).expand(2, 5)
    loss = Loss(kind="cutoff", alpha=0.4, cutoff=0.6)
    assert torch.autograd.gradcheck(lambda x: classification_loss(x, targets, loss), logits)


def test_poly1_by_hand():
    """At p_t = 1/2 and γ = 2: α_t [ln 2 / 4 + ε / 8]; α = 0.25 of foreground, 0.75 of background."""
    logits, targets = torch.zeros(2, dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    for epsilon, paid in ((-1.0, 0.0482868), (0.0, 0.1732868), (2.0, 0.4232868)):
        values = classification_loss(logits, targets, Loss(kind="poly1_focal", poly1_epsilon=epsilon))
        assert values.tolist() == pytest.approx([0.25 * paid, 0.75 * paid], abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.5])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_poly1_changes_the_first_coefficient_of_the_series_of_focal_loss(gamma, epsilon):
    """PolyLoss, section 3: −(1−p_t)^γ log p_t is the sum of (1−p_t)^(j+γ) / j for j = 1, 2, …"""
    logits = torch.tensor([-0.5, 0.0, 1.0, 6.0], dtype=torch.float64)
    for target in (0.0, 1.0):
        targets = torch.full_like(logits, target)
        easy = 1 - torch.sigmoid(logits * (2 * target - 1))
        terms = [easy ** (j + gamma) / j for j in range(1, 9000)]
        alpha_t = 0.3 if target else 0.7
        expected = alpha_t * (torch.stack(terms).sum(dim=0) + epsilon * easy ** (1 + gamma))
        found = poly1_focal_loss(logits, targets, alpha=0.3, gamma=gamma, epsilon=epsilon)
        assert torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 5.0])
def test_the_gradient_of_poly1_is_the_closed_form(gamma, epsilon):
    """That of focal loss, less y α_t ε (γ+1) p_t (1−p_t)^(γ+1)."""
    logits, targets = logits_and_targets(1)
    logits = logits.double().requires_grad_()
    poly1_focal_loss(logits, targets.double(), alpha=0.25, gamma=gamma, epsilon=epsilon).sum().backward()
    sign = 2 * targets.double() - 1
    p_t = torch.sigmoid(logits.detach() * sign)
    alpha_t = torch.where(targets == 1, 0.25, 0.75)
    focal = (1 - p_t) ** gamma * (gamma * p_t * p_t.log() + p_t - 1)
    closed = alpha_t * sign * (focal - epsilon * (gamma + 1) * p_t * (1 - p_t) ** (gamma + 1))
    assert torch.allclose(logits.grad, closed, atol=1e-10)


def test_poly1_without_its_term_is_focal_loss():
    logits, targets = logits_and_targets(6)
    poly = classification_loss(logits, targets, Loss(kind="poly1_focal", poly1_epsilon=0))
    assert torch.equal(poly, classification_loss(logits, targets, Loss()))


@pytest.mark.parametrize("gamma", [0.0, 0.1, 8.0])
def test_huge_logits_stay_finite_under_poly1(gamma):
    assert_finite(Loss(kind="poly1_focal", gamma=gamma))


def logits_and_ious(seed: int = 0, shape: tuple = (200, 7)) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, and for three tenths of them an IoU as target, for the others 0; all float64."""
    logits, targets = logits_and_targets(seed, shape)
    ious = torch.rand(shape, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    return logits.double(), targets * ious


def test_quality_focal_by_hand():
    """Scores 0.5 and 0.9; 0.3² ln 2, 0.5² ln 2, 0 where the score is right, and 0.15² (−0.75 ln 0.9 − 0.25 ln 0.1)."""
    logits = torch.tensor([0, 0, 0, math.log(9)], dtype=torch.float64)
    targets = torch.tensor([0.8, 0, 0.5, 0.75], dtype=torch.float64)
    values = classification_loss(logits, targets, Loss(kind="quality_focal"))
    assert values.tolist() == pytest.approx([0.0623832, 0.1732868, 0, 0.0147300], abs=1e-7)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0, 2.5])
def test_quality_focal_and_its_gradient_are_the_closed_forms(beta):
    """Generalized Focal Loss, equation 2; the slope is (σ−y) |y−σ|^β + β |y−σ|^(β−1) sign(σ−y) σ (1−σ) CE."""
    logits, y = logits_and_ious(3)
    logits.requires_grad_()
    values = quality_focal_loss(logits, y, beta=beta)
    values.sum().backward()
    p = torch.sigmoid(logits.detach())
    cross_entropy = -(y * p.log() + (1 - y) * (1 - p).log())
    assert torch.allclose(values, (y - p).abs() ** beta * cross_entropy, atol=1e-10)
    focusing = beta * (y - p).abs() ** (beta - 1) * (p - y).sign() * p * (1 - p) * cross_entropy
    assert torch.allclose(logits.grad, (p - y) * (y - p).abs() ** beta + focusing, atol=1e-10)


def test_quality_focal_of_whole_targets_is_focal_loss_without_alpha():
    logits, targets = logits_and_targets(4)
    quality = classification_loss(logits, targets, Loss(kind="quality_focal", quality_beta=1.5))
    assert torch.allclose(quality, 2 * focal_loss(logits, targets, alpha=0.5, gamma=1.5), atol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.5, 1.0, 8.0])
def test_huge_and_right_logits_stay_finite_under_quality_focal(beta):
    assert_finite(Loss(kind="quality_focal", quality_beta=beta))
    right = torch.zeros(1, requires_grad=True)
    classification_loss(right, torch.tensor([0.5]), Loss(kind="quality_focal", quality_beta=beta)).backward()
    assert right.grad == 0


def test_varifocal_by_hand():
    """q CE(p, q) at p = 0.5 for q = 0.8 and 1 and at p = 0.9 for q = 0.75; background 0.75 · 0.9² ln 10 at p = 0.9."""
    logits = torch.tensor([0, 0, math.log(9), math.log(9)], dtype=torch.float64)
    targets = torch.tensor([0.8, 1, 0.75, 0], dtype=torch.float64)
    values = classification_loss(logits, targets, Loss(kind="varifocal"))
    assert values.tolist() == pytest.approx([0.5545177, 0.6931472, 0.4910000, 1.3988205], abs=1e-7)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.75, 2.0), (1.5, 0.0), (0.3, 0.5)])
def test_varifocal_and_its_gradient_are_the_closed_forms(alpha, gamma):
    """VarifocalNet, equation 2; the slope is q (p−q), and that of focal loss for background."""
    logits, q = logits_and_ious(5)
    logits.requires_grad_()
    values = varifocal_loss(logits, q, alpha=alpha, gamma=gamma)
    values.sum().backward()
    p = torch.sigmoid(logits.detach())
    foreground = -q * (q * p.log() + (1 - q) * (1 - p).log())
    assert torch.allclose(values, torch.where(q > 0, foreground, -alpha * p**gamma * (1 - p).log()), atol=1e-10)
    background = alpha * p**gamma * (p - gamma * (1 - p) * (1 - p).log())
    assert torch.allclose(logits.grad, torch.where(q > 0, q * (p - q), background), atol=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.1, 8.0])
def test_huge_logits_stay_finite_under_varifocal(gamma):
    assert_finite(Loss(kind="varifocal", gamma=gamma))
