"""How large a network is and how much one picture costs it."""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.hyperparameters import Model
from core.model import STAGES, RetinaNet, build_model, freeze


class Part(NamedTuple):
    """Size of one part of the network.

    Attributes:
        name: "stem", "layer1" … "layer4", "fpn", "class head" or "box head".
        parameters: Number of parameters.
        trainable: How many of them train.
    """

    name: str
    parameters: int
    trainable: int


def describe(model: RetinaNet) -> tuple[Part, ...]:
    """Counts the parameters of each part, from the picture to the heads; together they are all there are."""
    body = model.backbone.body
    stages = [("stem" if names[0] == "conv1" else names[0], [body[name] for name in names]) for names in STAGES]
    rest = [
        ("fpn", [model.backbone.fpn]),
        ("class head", [model.head["classification_head"]]),
        ("box head", [model.head["regression_head"]]),
    ]
    return tuple(_part(name, modules) for name, modules in stages + rest)


def _part(name: str, modules: list[nn.Module]) -> Part:
    parameters = [parameter for module in modules for parameter in module.parameters()]
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return Part(name, sum(parameter.numel() for parameter in parameters), trainable)


@lru_cache(maxsize=64)
def gflops(model: Model, *, num_classes: int, anchors_per_place: int, height: int, width: int) -> float:
    """Counts the work of one forward pass without doing it: 10⁹ multiplications and additions.

    Args:
        model: Depth, widths and kinds of the network's parts.
        num_classes: Number of classes, K.
        anchors_per_place: Anchors at each place of a level, A.
        height: Of the padded picture, px.
        width: Of the padded picture, px.
    """
    operations = 0

    def count(layer: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal operations
        operations += 2 * output.numel() * layer.weight[0].numel()

    with torch.device("meta"), torch.no_grad():  # meta tensors have shapes and no values
        network = build_model(model, num_classes=num_classes, anchors_per_place=anchors_per_place).eval()
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):  # all else is negligible
                layer.register_forward_hook(count)
        network(torch.empty(1, 3, height, width))
    return operations / 1e9


@lru_cache(maxsize=64)
def training_bytes(
    model: Model, *, num_classes: int, anchors_per_place: int, height: int, width: int, batch_size: int
) -> int:
    """Counts the memory that a training step of float32 with an Adam optimizer holds, without doing the step.

    Weights, gradients and two moments of what trains, and every tensor that the backward pass will read; the losses,
    which are small, and what libraries keep for themselves are not counted.

    Args:
        model: Depth, widths and kinds of the network's parts, and what of it is frozen.
        num_classes: Number of classes, K.
        anchors_per_place: Anchors at each place of a level, A.
        height: Of the padded pictures, px.
        width: Of the padded pictures, px.
        batch_size: Pictures a step, B.
    """
    with torch.device("meta"):
        network = build_model(model, num_classes=num_classes, anchors_per_place=anchors_per_place)
        freeze(network, model.freeze_stages, batch_norm=model.batch_norm)
        network.train()
        weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage._cdata not in weights:
                kept[storage._cdata] = storage.nbytes()  # views of one tensor are held once
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            network(torch.empty(batch_size, 3, height, width))
    parameters = [*network.parameters()]
    trained = sum(parameter.nbytes for parameter in parameters if parameter.requires_grad)
    return sum(parameter.nbytes for parameter in parameters) + 3 * trained + sum(kept.values())
