"""How large a network is and how much one picture costs it."""

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter

from core.config import Model
from core.retinanet.model import STAGES, RetinaNet, build_body, build_model, freeze

_COUNTING = Lock()  # networks of one body share it, and are changed for a moment while they are counted


class ModelPart(NamedTuple):
    """Size of one part of the network.

    Attributes:
        name: "stem", "layer1" … "layer4", "fpn", "class head" or "box head".
        parameters: Number of parameters.
        trainable: How many of them train.
    """

    name: str
    parameters: int
    trainable: int


def describe(model: RetinaNet) -> tuple[ModelPart, ...]:
    """Counts the parameters of each part, from the picture to the heads; together they are all there are."""
    body = model.backbone.body
    stages = [("stem" if names[0] == "conv1" else names[0], [body[name] for name in names]) for names in STAGES]
    rest = [
        ("fpn", [model.backbone.fpn]),
        ("class head", [model.head["classification_head"]]),
        ("box head", [model.head["regression_head"]]),
    ]
    return tuple(_part(name, modules) for name, modules in stages + rest)


def _part(name: str, modules: list[nn.Module]) -> ModelPart:
    parameters = [parameter for module in modules for parameter in module.parameters()]
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return ModelPart(name, sum(parameter.numel() for parameter in parameters), trainable)


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
def parts_of(model: Model, *, num_classes: int, anchors_per_location: int) -> tuple[ModelPart, ...]:
    """Counts as `describe`, for a network that need not be there."""
    with _COUNTING:
        return describe(_shapes_of(model, num_classes, anchors_per_location))


@lru_cache(maxsize=64)
def costs_of(
    model: Model, *, num_classes: int, anchors_per_location: int, height: int, width: int, batch_size: int
) -> Costs:
    """Counts work and memory of a network without doing the work, in a pass over the shapes of each of its parts.

    Args:
        model: Depth, widths and kinds of the network's parts, and what of it is frozen.
        num_classes: Number of classes, K.
        anchors_per_location: Anchors at each place of a level, A.
        height: Of the padded pictures, px.
        width: Of the padded pictures, px.
        batch_size: Pictures a training step, B.
    """
    with _COUNTING:
        network = _shapes_of(model, num_classes, anchors_per_location)
        body = _body_pass(network.backbone.body, batch_size, height, width)
        pyramid = _passed([network.backbone.fpn], lambda: network.backbone(torch.empty(0), body.outputs).levels)
        heads = _heads_pass(list(network.head.values()), pyramid.outputs)
        weights = sum(parameter.nbytes for parameter in network.parameters())
        trained = sum(parameter.nbytes for parameter in network.parameters() if parameter.requires_grad)
    passes = (body, pyramid, heads)
    operations = sum(each.operations for each in passes)
    activations = sum({storage: size for each in passes for storage, size in each.kept.items()}.values())
    return Costs(operations / batch_size / 1e9, weights + 3 * trained + activations)


@lru_cache(maxsize=16)
def _shapes_of(model: Model, num_classes: int, anchors_per_location: int) -> RetinaNet:
    """A network about to train, of meta tensors: they have shapes and no values."""
    body = _body_of(model.depth, model.freeze_stages, model.batch_norm)
    with torch.device("meta"):
        network = build_model(model, num_classes=num_classes, anchors_per_location=anchors_per_location, body=body)
    freeze(network, model.freeze_stages, batch_norm=model.batch_norm)
    for layer in network.modules():
        if isinstance(layer, nn.GroupNorm):
            layer.forward = partial(_scaled, layer)
    return network.train()


@lru_cache(maxsize=16)
def _body_of(depth: int, freeze_stages: int, batch_norm: str) -> IntermediateLayerGetter:
    """The body of all networks that train the same of it; building one takes ten times as long as all the rest."""
    with torch.device("meta"):
        return build_body(depth)


def _scaled(norm: nn.GroupNorm, features: Tensor) -> Tensor:
    """What group norm keeps to go back, its input, without finding out its shapes, which takes PyTorch 5 ms a time."""
    return features * norm.weight[:, None, None]


class _Pass(NamedTuple):
    """What was counted of a forward pass.

    Attributes:
        outputs: With the graph behind them they keep each storage alive: a new one cannot be taken for it.
        operations: Multiplications and additions.
        kept: Bytes that are kept to go back, beside the weights, by storage.
    """

    outputs: tuple[Tensor, ...]
    operations: int
    kept: dict[int, int]


@lru_cache(maxsize=16)
def _body_pass(body: IntermediateLayerGetter, batch_size: int, height: int, width: int) -> _Pass:
    pixels = torch.empty(batch_size, 3, height, width, device="meta")
    return _passed([body], lambda: body(pixels).values())


def _heads_pass(heads: list[nn.Module], levels: tuple[Tensor, ...]) -> _Pass:
    """Counts all levels as one row of places: what heads do and keep grows with places, wherever they are.

    What they keep of the row itself is counted as the levels, which the pyramid may have kept already.
    """
    places = sum(level.shape[-2:].numel() for level in levels)
    row = torch.empty(*levels[0].shape[:2], 1, places, device="meta")
    counted = _passed(heads, lambda: (head((row,)) for head in heads))
    kept = {storage: size for storage, size in counted.kept.items() if storage not in _storage(row)}
    for level in levels:
        kept.update(_storage(level))
    return counted._replace(kept=kept)


def _passed(modules: list[nn.Module], forward: Callable[[], Iterable[Tensor]]) -> _Pass:
    operations, kept = 0, {}
    weights = {storage for module in modules for each in module.parameters() for storage in _storage(each)}

    def count(layer: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal operations
        operations += 2 * output.numel() * layer.weight[0].numel()

    def keep(tensor: Tensor) -> Tensor:
        kept.update(_storage(tensor))
        return tensor

    layers = (layer for module in modules for layer in module.modules())
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]  # all else is negligible
    hooks = [layer.register_forward_hook(count) for layer in convolutions]
    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = tuple(forward())
    finally:
        for hook in hooks:
            hook.remove()
    return _Pass(outputs, operations, {storage: size for storage, size in kept.items() if storage not in weights})


def _storage(tensor: Tensor) -> dict[int, int]:
    """Returns the bytes of what holds a tensor's values, by its identity: views of one tensor are held once."""
    storage = tensor.untyped_storage()
    return {storage._cdata: storage.nbytes()}
