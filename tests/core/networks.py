"""Small networks and state dicts for several tests."""

import torch
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.resnet import BasicBlock, ResNet

from core.config import Config, Model
from core.retinanet.model import build_model
from core.retinanet.predict import predict

NAMES = ("disc", "ring", "star")
CONFIG = Config.from_flat(
    {"model.fpn_channels": 32, "model.num_convs": 1, "model.head_norm": "none", "anchors.ratios": (1.0,)}
)  # A = 3


def make_small_body() -> IntermediateLayerGetter:
    """Returns a ResNet of one block a stage, with half the weights of a ResNet-18."""
    return IntermediateLayerGetter(ResNet(BasicBlock, [1, 1, 1, 1]), {"layer2": "C3", "layer3": "C4", "layer4": "C5"})


def make_state(num_classes=3):
    model = build_model(CONFIG.model, num_classes=num_classes, anchors_per_location=3)
    return model.state_dict()


@torch.no_grad()
def spread_scores(model, image, config):
    """Gives the logits of an image a standard deviation of 2: scores that differ by rounding have no order."""
    deviation = predict(model, [image], config).outputs.logits.std().item()
    model.head["classification_head"].cls_logits.weight *= 2 / deviation


def meta_state(num_classes=3, anchors=9, **settings):
    settings = {"head_norm": "none", **settings}
    with torch.device("meta"):
        return build_model(Model(**settings), num_classes=num_classes, anchors_per_location=anchors).state_dict()


def old_layout(state):
    """Returns the state dict in the layout of torchvision before 0.14, with frozen batch norms."""
    result = {}
    for key, value in state.items():
        if key.startswith("backbone.fpn.") and "blocks.p" not in key:
            key = key.replace(".0.weight", ".weight").replace(".0.bias", ".bias")
        elif ".conv." in key:
            index = int(key.split(".")[3])
            key = key.replace(f".{index}.0.", f".{2 * index}.")
        if not key.endswith("num_batches_tracked"):
            result[key] = value
    return result
