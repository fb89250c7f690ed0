"""The detections in an image depend on no other image of the batch."""

from importlib import import_module

import pytest
import torch

from core.config import Config
from core.retinanet.model import build_model
from core.retinanet.predict import detect, extract_detections, predict

predict_module = import_module("core.retinanet.predict")  # the package has a function of the same name
SETTINGS = {
    "model.weights": "random",
    "model.fpn_channels": 32,
    "model.num_convs": 1,
    "model.prior_probability": 0.5,
    "inference.image_size": 64,
    "inference.score_threshold": 0.5,
}
CONFIG = Config.from_flat(SETTINGS)


@pytest.fixture(scope="module")
def model():
    """A network with scores on both sides of the threshold, so that boxes are many and ties are rare."""
    torch.manual_seed(0)
    network = build_model(CONFIG.model, num_classes=3, anchors_per_location=9).eval()
    with torch.no_grad():
        network.head["classification_head"].cls_logits.weight.normal_(std=0.3)
        network.head["regression_head"].bbox_reg.weight.normal_(std=0.02)
    return network


def pictures(*sides: tuple[int, int]) -> list[torch.Tensor]:
    dice = torch.Generator().manual_seed(1)
    return [torch.randint(0, 256, (3, *side), generator=dice, dtype=torch.uint8) for side in sides]


def same(found, expected):
    for mine, other in zip(found, expected, strict=True):
        assert len(mine.labels) > 20
        assert mine.labels.tolist() == other.labels.tolist()
        assert torch.allclose(mine.scores, other.scores, atol=1e-5)
        assert torch.allclose(mine.boxes, other.boxes, atol=0.01)


@pytest.mark.slow
def test_other_images_change_nothing_and_the_order_is_kept(model):
    # Padded to 64×96, 96×64, 64×96, 64×64, 64×64 and 64×96; of the first three, only the first and third share a batch.
    images = pictures((60, 80), (80, 60), (64, 84), (64, 64), (32, 32), (120, 160))
    same(detect(model, images, CONFIG), [detect(model, [image], CONFIG)[0] for image in images])


def test_wider_padding_is_what_changes_detections(model):
    """Otherwise all images could share a batch, and the test above would prove nothing."""
    images = pictures((60, 80), (80, 60))
    in_one = extract_detections(predict(model, images, CONFIG), CONFIG)
    for mine, alone in zip(in_one, detect(model, images, CONFIG), strict=True):
        assert mine.scores.tolist() != pytest.approx(alone.scores.tolist(), abs=1e-3)


def test_one_forward_pass_per_padded_shape(model):
    batches = []
    handle = model.register_forward_pre_hook(lambda _, inputs: batches.append(tuple(inputs[0].shape)))
    detect(model, pictures((60, 80), (64, 64), (64, 84), (64, 90), (32, 32)), CONFIG)
    handle.remove()
    assert batches == [(3, 3, 64, 96), (2, 3, 64, 64)]


@pytest.mark.slow
def test_large_images_are_split_over_several_forward_passes(model, monkeypatch):
    images, batches = pictures(*[(64, 64)] * 5), []
    expected = detect(model, images, CONFIG)
    monkeypatch.setattr(predict_module, "MAX_BATCH_PIXELS", 2 * 64 * 64 + 1)
    handle = model.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    same(detect(model, images, CONFIG), expected)
    assert batches == [2, 2, 1]
    batches.clear()
    monkeypatch.setattr(predict_module, "MAX_BATCH_PIXELS", 1)  # one is the least
    same(detect(model, images, CONFIG), expected)
    handle.remove()
    assert batches == [1] * 5


def test_no_images_give_no_detections(model):
    assert detect(model, [], CONFIG) == []
