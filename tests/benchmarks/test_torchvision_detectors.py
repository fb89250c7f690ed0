"""In bfloat16, as in training, boxes and losses of torchvision's detectors are computed in float32, as ours are."""

import pytest
import torch

from benchmarks.torchvision_detectors import FASTER_RCNN, FIRST_LABEL, MAKERS, RETINANET
from core.config import Config

HEADS = {RETINANET: ["head"], FASTER_RCNN: ["rpn.head", "roi_heads.box_predictor"]}
OUTPUTS = {RETINANET: 2, FASTER_RCNN: 2 * 5 + 2}  # classes and boxes, those of the RPN at five levels


def build(name):
    torch.manual_seed(0)
    config = Config.from_flat({"model.fpn_channels": 32, "inference.image_size": 64})
    return MAKERS[name](config, 3).train()


def losses_of(network, name):
    target = {"boxes": torch.tensor([[3.0, 5.0, 40.0, 50.0]]), "labels": torch.tensor([FIRST_LABEL[name]])}
    with torch.autocast("cpu", torch.bfloat16):
        return network([torch.rand(3, 64, 64)], [target])


def flatten(outputs):
    if isinstance(outputs, torch.Tensor):
        return [outputs]
    return [each for part in (outputs.values() if isinstance(outputs, dict) else outputs) for each in flatten(part)]


@pytest.mark.parametrize("name", [RETINANET, FASTER_RCNN])
def test_heads_return_float32_and_the_gradient_passes(name):
    network, given = build(name), []
    heads = [network.get_submodule(head) for head in HEADS[name]]
    for head in heads:
        head.register_forward_hook(lambda _head, _inputs, outputs: given.extend(flatten(outputs)))
    losses = losses_of(network, name)
    assert len(given) == OUTPUTS[name]
    assert {each.dtype for each in given} == {torch.float32}
    sum(losses.values()).backward()
    assert all(weight.grad is not None for head in heads for weight in head.parameters())


def test_proposals_are_not_rounded():
    network, proposals = build(FASTER_RCNN), []
    network.roi_heads.register_forward_pre_hook(lambda _heads, inputs: proposals.extend(inputs[1]))
    losses_of(network, FASTER_RCNN)
    (boxes,) = proposals
    assert boxes.dtype == torch.float32
    assert (boxes != boxes.bfloat16().float()).any()
