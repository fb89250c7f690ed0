import pytest
import torch

from core.retinanet.focal_kernel import BLOCK, FocalWeights, fused_focal_loss
from core.retinanet.losses import poly1_focal_loss

WEIGHTS = [
    FocalWeights(0.25, 0.75, 2.0),
    FocalWeights(0.5, 0.5, 0.5),
    FocalWeights(1.0, 1.0, 0.0),
    FocalWeights(0.0, 1.0, 5.0),
    FocalWeights(0.25, 0.75, 2.0, epsilon=-1.0),
    FocalWeights(0.5, 1.0, 0.5, epsilon=3.0),
    FocalWeights(1.0, 1.0, 0.0, epsilon=1.0),
]


def make_inputs(
    count: int, classes: int, dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(count, classes, generator=generator, dtype=dtype) * 4
    anchors = torch.arange(0, count, 3)
    return logits, anchors, torch.randint(classes, anchors.shape, generator=generator)


def reference(logits: torch.Tensor, anchors: torch.Tensor, labels: torch.Tensor, weights: FocalWeights) -> torch.Tensor:
    """Computes the same loss pair by pair, with autograd's gradient."""
    targets = torch.zeros_like(logits)
    targets[anchors, labels] = 1
    unweighted = poly1_focal_loss(logits, targets, alpha=0.5, gamma=weights.gamma, epsilon=weights.epsilon) * 2
    return (unweighted * torch.where(targets == 1, weights.foreground, weights.background)).sum(dim=1)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("count", [1, 50, BLOCK // 7 + 10])  # the last one needs two blocks
def test_loss_and_gradient_equal_autograd(weights, count):
    logits, anchors, labels = make_inputs(count, 7)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss, expected = fused_focal_loss(ours, anchors, labels, weights), reference(theirs, anchors, labels, weights)
    assert torch.allclose(loss, expected, rtol=1e-5, atol=1e-6)
    share = torch.linspace(0, 1, count)  # a different incoming gradient for each anchor
    (loss * share).sum().backward()
    (expected * share).sum().backward()
    assert torch.allclose(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_every_score_is_as_exact_as_single_precision_allows(weights):
    logits = torch.linspace(-12, 80, 1841)[:, None]  # from both sides of `SURE` to where 1 − p is 0
    ours, exact = logits.clone().requires_grad_(), logits.double().requires_grad_()
    none = torch.zeros(0, dtype=torch.int64)
    loss, expected = fused_focal_loss(ours, none, none, weights), reference(exact, none, none, weights)
    atol = 1e-7 if weights.epsilon < 0 else 0.0  # a difference of two numbers
    assert torch.allclose(loss.double(), expected, rtol=2e-6, atol=atol) and not loss.signbit().any()
    loss.sum().backward()
    expected.sum().backward()
    assert torch.allclose(ours.grad.double(), exact.grad, rtol=6e-6, atol=atol)


def test_a_score_that_is_no_number_leaves_the_losses_of_others_as_they_are():
    none = torch.zeros(0, dtype=torch.int64)
    loss = fused_focal_loss(torch.tensor([[torch.nan], [20.0], [1e4]]), none, none, FocalWeights(0.25, 0.75, 2.0))
    assert loss[0].isnan() and loss[1:].tolist() == [15.0, 7500.0]


@pytest.mark.parametrize("weights", WEIGHTS)
def test_gradcheck(weights):
    logits, anchors, labels = make_inputs(5, 3, torch.float64)
    assert torch.autograd.gradcheck(lambda x: fused_focal_loss(x, anchors, labels, weights), logits.requires_grad_())


@pytest.mark.parametrize("weights", WEIGHTS)
def test_huge_logits_give_finite_losses(weights):
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    loss = fused_focal_loss(logits, torch.tensor([1]), torch.tensor([0]), weights)
    loss.sum().backward()
    wrong = 1e4 + weights.epsilon  # what a score pays that is surely wrong
    expected = [wrong * weights.background, wrong * (weights.background + weights.foreground)]
    assert loss.tolist() == pytest.approx(expected, rel=1e-6)
    assert logits.grad.isfinite().all()


def test_without_foreground_without_anchors_and_without_gradient():
    none = torch.zeros(0, dtype=torch.int64)
    assert fused_focal_loss(torch.zeros(0, 3), none, none, WEIGHTS[0]).shape == (0,)
    loss = fused_focal_loss(torch.zeros(1, 1), none, none, FocalWeights(1.0, 1.0, 2.0))
    assert loss.item() == pytest.approx(0.25 * 0.6931472) and not loss.requires_grad  # p_t = 1/2


@pytest.mark.parametrize("weights", WEIGHTS)
def test_exponentials_that_overflow_change_no_other_value(weights):
    logits, anchors, labels = make_inputs(30, 7)
    plain, exceeding = logits.clone().requires_grad_(), logits.clone()
    exceeding[7, 3] = 200.0  # exp(200) is not finite in float32
    exceeding.requires_grad_()
    expected, loss = (fused_focal_loss(x, anchors, labels, weights) for x in (plain, exceeding))
    assert loss[7].item() == pytest.approx(200 * weights.background, rel=0.2)
    rest = torch.arange(30) != 7
    assert torch.allclose(loss[rest], expected[rest], rtol=1e-5, atol=1e-6)
    expected.sum().backward()
    loss.sum().backward()
    assert torch.allclose(exceeding.grad[rest], plain.grad[rest], rtol=1e-5, atol=1e-6)


def test_a_graph_that_is_kept_gives_the_same_gradient_again():
    logits, anchors, labels = make_inputs(50, 7)
    logits.requires_grad_()
    loss = fused_focal_loss(logits, anchors, labels, WEIGHTS[0]).sum()
    (first,) = torch.autograd.grad(2 * loss, logits, retain_graph=True)
    before = first.clone()
    for _ in range(2):
        (again,) = torch.autograd.grad(2 * loss, logits, retain_graph=True)
        assert torch.equal(again, before)
    assert torch.equal(first, before)  # the first gradient belongs to whoever received it
