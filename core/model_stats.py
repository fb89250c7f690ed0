"""How large a network is and how much one picture costs it."""

from functools import lru_cache, partial
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.hyperparameters import Model
from core.model import STAGES, RetinaNet, build_model, freeze

_COUNTING = Lock()


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


class Costs(NamedTuple):
    """What a network costs.

    Attributes:
        gflops: Work of one forward pass over one picture, 10⁹ multiplications and additions.
        training_bytes: Memory that a training step of float32 with an Adam optimizer holds: weights, gradients and two
            moments of what trains, and every tensor that the backward pass will read. The losses, which are small, and
            what libraries keep for themselves are not counted.
    """

    gflops: float
    training_bytes: int


@lru_cache(maxsize=64)
def parts_of(model: Model, *, num_classes: int, anchors_per_place: int) -> tuple[Part, ...]:
    """Counts as `describe`, for a network that need not be there."""
    return describe(_shapes_of(model, num_classes, anchors_per_place))


@lru_cache(maxsize=64)
def costs_of(
    model: Model, *, num_classes: int, anchors_per_place: int, height: int, width: int, batch_size: int
) -> Costs:
    """Counts work and memory of a network without doing the work, in one pass over the shapes.

    Args:
        model: Depth, widths and kinds of the network's parts, and what of it is frozen.
        num_classes: Number of classes, K.
        anchors_per_place: Anchors at each place of a level, A.
        height: Of the padded pictures, px.
        width: Of the padded pictures, px.
        batch_size: Pictures a training step, B.
    """
    network = _shapes_of(model, num_classes, anchors_per_place)
    with _COUNTING:  # the hooks are on the network that others may ask about, too
        operations, activations = _count(network, torch.empty(batch_size, 3, height, width, device="meta"))
    weights = sum(parameter.nbytes for parameter in network.parameters())
    trained = sum(parameter.nbytes for parameter in network.parameters() if parameter.requires_grad)
    return Costs(operations / batch_size / 1e9, weights + 3 * trained + activations)


@lru_cache(maxsize=4)
def _shapes_of(model: Model, num_classes: int, anchors_per_place: int) -> RetinaNet:
    """A network about to train, of meta tensors: they have shapes and no values."""
    with torch.device("meta"):
        network = build_model(model, num_classes=num_classes, anchors_per_place=anchors_per_place)
    freeze(network, model.freeze_stages, batch_norm=model.batch_norm)
    for layer in network.modules():
        if isinstance(layer, nn.GroupNorm):
            layer.forward = partial(_scaled, layer)
    return network.train()


def _scaled(norm: nn.GroupNorm, features: Tensor) -> Tensor:
    """What group norm keeps to go back, its input, without finding out its shapes, which takes PyTorch 5 ms a time."""
    return features * norm.weight[:, None, None]


def _count(network: RetinaNet, pixels: Tensor) -> tuple[int, int]:
    """Returns the operations of a forward pass, and the bytes beside the weights that it keeps to go back."""
    operations = 0
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, int] = {}

    def count(layer: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal operations
        operations += 2 * output.numel() * layer.weight[0].numel()

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage.nbytes()  # views of one tensor are held once
        return tensor

    convolutions = (layer for layer in network.modules() if isinstance(layer, nn.Conv2d))  # all else is negligible
    hooks = [layer.register_forward_hook(count) for layer in convolutions]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network(pixels)
    for hook in hooks:
        hook.remove()
    return operations, sum(kept.values())
