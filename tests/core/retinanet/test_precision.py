import pytest
import torch

from core.retinanet.precision import compute_in, is_bf16_fast
from core.retinanet.predict import detect, predict
from tests.core.retinanet.test_predict import CONFIG, model, pictures  # noqa: F401 (model is a fixture)

HALF = CONFIG.replace({"inference.precision": "bf16"})


def test_a_product_in_each_precision_by_hand():
    """1 + 1/512 needs ten bits, of which bfloat16 has eight."""
    one, layer = torch.tensor([[1.0, 1 / 512]]), torch.nn.Linear(2, 1, bias=False)
    with torch.inference_mode():
        layer.weight.fill_(1)
        for precision, expected in (("fp32", 1 + 1 / 512), ("bf16", 1.0)):
            with compute_in(precision, torch.device("cpu")):
                assert layer(one).item() == expected


def test_outputs_are_single_numbers_near_the_exact_ones(model):  # noqa: F811
    images = pictures((60, 80), (60, 84))
    exact, half = (predict(model, images, config).outputs for config in (CONFIG, HALF))
    assert half.logits.dtype == half.deltas.dtype == torch.float32
    change = (half.logits.sigmoid() - exact.logits.sigmoid()).abs().max().item()
    assert 0 < change < 0.1 and not torch.equal(half.deltas, exact.deltas)


def test_single_precision_is_what_the_network_computes_to_the_bit(model):  # noqa: F811
    batch, outputs = predict(model, pictures((60, 80)), CONFIG)
    with torch.inference_mode():
        expected = model(batch.pixels)
    assert torch.equal(outputs.logits, expected.logits) and torch.equal(outputs.deltas, expected.deltas)


def test_detections_are_numbered_and_placed_alike(model):  # noqa: F811
    exact, half = (detect(model, pictures((60, 80)), config)[0] for config in (CONFIG, HALF))
    assert half.boxes.dtype == half.scores.dtype == torch.float32
    assert len(half.scores) == pytest.approx(len(exact.scores), rel=0.2)


def test_a_device_without_the_instructions_is_not_fast(monkeypatch):
    for name, expected in (("amx_bf16", True), ("avx512_bf16", True), ("bf16", True), ("avx2", False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda name=name: {name: True})
        assert is_bf16_fast(torch.device("cpu")) == expected
    assert not is_bf16_fast(torch.device("meta"))
