"""The gradient of a prediction, against linear networks, whole networks and differences; what it leaves behind."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from core.explain.evidence import find_evidence
from core.explain.maps import map_features, map_pixels
from core.explain.target import BOX, CLASS, Subject, Target, find_place
from core.retinanet.anchors import make_anchors
from core.retinanet.fuse import fuse_batch_norms
from core.retinanet.model import build_model
from tests.core.explain.toys import COLUMN, ROW, make_subject, make_toy
from tests.core.networks import CONFIG


@pytest.fixture(scope="module")
def network():
    """A network as the page uses it: fused, frozen, channels last."""
    torch.manual_seed(0)
    return fuse_batch_norms(build_model(CONFIG.model, num_classes=3, anchors_per_location=3))


@pytest.fixture(scope="module")
def subject(network):
    pixels = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    return Subject(network, pixels, make_anchors(CONFIG.anchors, 64, 96), Target(100, 2))


def test_of_a_linear_network_the_gradient_at_the_level_is_the_weights_of_the_head():
    subject = make_subject(make_toy())
    evidence = find_evidence(subject)
    expected = torch.zeros(2, 16, 16)
    expected[:, ROW - 1 : ROW + 2, COLUMN - 1 : COLUMN + 2] = subject.model.head[
        "classification_head"
    ].cls_logits.weight[1]
    assert evidence.place == (0, ROW, COLUMN, ROW * 16 + COLUMN)
    torch.testing.assert_close(evidence.feature_gradient, expected)


def test_of_a_linear_network_the_gradient_at_the_pixels_is_the_product_of_both_weights():
    subject = make_subject(make_toy())
    kernel = subject.model.backbone.levels[0].weight  # [2, 3, 8, 8]
    head = subject.model.head["classification_head"].cls_logits.weight[1]  # [2, 3, 3]
    expected = torch.zeros(3, 128, 128)
    block = torch.einsum("crs,cpyx->prysx", head, kernel).reshape(3, 24, 24)
    expected[:, 8 * (ROW - 1) : 8 * (ROW + 2), 8 * (COLUMN - 1) : 8 * (COLUMN + 2)] = block
    torch.testing.assert_close(find_evidence(subject).pixel_gradient, expected)


def test_of_a_linear_network_the_features_sum_to_the_logit_without_its_bias():
    subject = make_subject(make_toy())
    evidence = find_evidence(subject)
    bias = subject.model.head["classification_head"].cls_logits.bias[1].item()
    total = (evidence.feature_gradient * evidence.features).sum().item()
    assert total == pytest.approx(evidence.value - bias, rel=1e-4)


def test_of_a_linear_network_the_features_map_is_that_of_weight_times_feature():
    subject = make_subject(make_toy())
    weight = subject.model.head["classification_head"].cls_logits.weight[1]  # [2, 3, 3]
    rows, columns = slice(ROW - 1, ROW + 2), slice(COLUMN - 1, COLUMN + 2)
    features = subject.model.backbone.levels[0](subject.pixels)[0, :, rows, columns]
    expected = torch.zeros(16, 16)
    expected[rows, columns] = (weight * features).abs().sum(dim=0)
    torch.testing.assert_close(map_features(find_evidence(subject)), expected.detach())


def test_the_box_is_explained_by_the_direction_of_its_deltas():
    subject = make_subject(make_toy(), part=BOX)
    evidence = find_evidence(subject)
    weight = subject.model.head["regression_head"].bbox_reg.weight  # [4, 2, 3, 3]
    deltas = subject.model(subject.pixels).deltas[0, subject.target.anchor]
    assert evidence.value == pytest.approx(deltas.norm().item(), rel=1e-5)
    expected = torch.einsum("d,dcrs->crs", deltas / deltas.norm(), weight)
    found = evidence.feature_gradient[:, ROW - 1 : ROW + 2, COLUMN - 1 : COLUMN + 2]
    torch.testing.assert_close(found, expected)


def test_a_box_that_is_its_anchor_rests_on_nothing():
    model = make_toy()
    torch.nn.init.zeros_(model.head["regression_head"].bbox_reg.weight)
    evidence = find_evidence(make_subject(model, part=BOX))
    assert evidence.value == 0
    assert not evidence.pixel_gradient.any() and not map_pixels(evidence).any()


@pytest.mark.parametrize(("anchor", "place"), [(0, (0, 0, 0)), (288, (1, 0, 0)), (287, (0, 7, 11)), (100, (0, 2, 9))])
def test_an_anchor_has_a_place(anchor, place, subject):
    assert find_place(subject.grid, anchor)[:3] == place


@pytest.mark.parametrize("anchor", [-1, 10**6])
def test_an_anchor_that_is_not_there_is_an_error(anchor, subject):
    with pytest.raises(IndexError, match="There is no anchor"):
        find_evidence(subject._replace(target=Target(anchor, 0)))


@pytest.mark.parametrize("anchor", [0, 100, 300, 370, 384, 386])
def test_the_value_is_the_logit_of_the_whole_network(anchor, subject):
    logit = subject.model(subject.pixels).logits[0, anchor, 1].item()
    found = find_evidence(subject._replace(target=Target(anchor, 1))).value
    assert found == pytest.approx(logit, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("part", [CLASS, BOX])
def test_the_gradient_is_that_of_the_whole_network(part, subject):
    pixels = subject.pixels.clone().requires_grad_()
    outputs = subject.model(pixels)
    value = outputs.deltas[0, 100].norm() if part == BOX else outputs.logits[0, 100, 2]
    (expected,) = torch.autograd.grad(value, pixels)
    found = find_evidence(subject._replace(target=Target(100, 2, part))).pixel_gradient
    torch.testing.assert_close(found, expected[0], rtol=1e-3, atol=1e-6)


def test_the_gradient_is_that_of_a_small_difference(subject):
    evidence = find_evidence(subject)
    step = 0.02 * evidence.pixel_gradient / evidence.pixel_gradient.norm()
    model = subject.model
    after, before = (model(subject.pixels + sign * step).logits[0, 100, 2].item() for sign in (1, -1))
    assert (after - before) / 0.04 == pytest.approx(evidence.pixel_gradient.norm().item(), rel=0.05)


def test_nothing_is_left_behind(subject):
    before = [parameter.clone() for parameter in subject.model.parameters()]
    pixels = subject.pixels.clone()
    find_evidence(subject)
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in subject.model.parameters())
    assert all(map(torch.equal, before, subject.model.parameters()))
    assert torch.equal(subject.pixels, pixels) and not subject.pixels.requires_grad and subject.pixels.grad is None
    assert not subject.model.training


def test_parameters_that_learn_get_no_gradient():
    subject = make_subject(make_toy())
    evidence = find_evidence(subject)
    assert all(parameter.requires_grad and parameter.grad is None for parameter in subject.model.parameters())
    assert not any(tensor.requires_grad for tensor in evidence if isinstance(tensor, torch.Tensor))


def test_it_works_where_no_gradients_are_kept(subject):
    expected = find_evidence(subject).pixel_gradient
    with torch.inference_mode():
        inside = subject._replace(pixels=subject.pixels.clone())
        assert torch.equal(find_evidence(inside).pixel_gradient, expected)
        assert torch.is_inference_mode_enabled()
    with torch.no_grad():
        assert torch.equal(find_evidence(subject).pixel_gradient, expected)
        assert not torch.is_grad_enabled()


@pytest.mark.slow
def test_several_threads_explain_while_others_predict(subject):
    expected = find_evidence(subject).pixel_gradient
    with torch.inference_mode():
        logits = subject.model(subject.pixels).logits

    def explain(_):
        return torch.equal(find_evidence(subject).pixel_gradient, expected)

    @torch.inference_mode()
    def predict(_):
        return torch.equal(subject.model(subject.pixels).logits, logits)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(work, number) for number in range(12) for work in (explain, predict)]
        assert all(each.result() for each in done)


def test_several_pictures_and_training_mode_are_refused(subject):
    with pytest.raises(ValueError, match="one picture"):
        find_evidence(subject._replace(pixels=subject.pixels.expand(2, -1, -1, -1)))
    with pytest.raises(ValueError, match="evaluation mode"):
        find_evidence(make_subject(make_toy().train()))


def test_of_a_flat_picture_no_pixel_matters():
    subject = make_subject(make_toy())
    evidence = find_evidence(subject._replace(pixels=torch.full_like(subject.pixels, 0.7)))
    assert map_pixels(evidence).max() < 1e-5


def test_the_pixels_map_lies_where_the_network_looks():
    evidence = find_evidence(make_subject(make_toy()))
    found = map_pixels(evidence)
    near = found[8 * ROW - 20 : 8 * ROW + 28, 8 * COLUMN - 20 : 8 * COLUMN + 28].sum()
    assert near / found.sum() > 0.95 and found.min() >= 0
