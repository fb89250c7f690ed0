"""The size of a network and its costs per image: parameters, FLOPs and training memory."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models._utils import IntermediateLayerGetter

from core.config import Model
from core.retinanet.backbone import STAGES, build_body
from core.retinanet.model import RetinaNet, build_model, freeze, without_values

_COUNTING = Lock()  # cached networks share a backbone, and have hooks while their costs are counted


class ModelPart(NamedTuple):
    """The size of one part of the network.

    Attributes:
        name: "stem", "layer1" … "layer4", "fpn", "class head" or "box head".
        parameters: Number of parameters.
        trainable: Number of parameters that are not frozen.
    """

    name: str
    parameters: int
    trainable: int


def count_network_parameters(model: RetinaNet) -> tuple[ModelPart, ...]:
    """Counts the parameters of each part in forward order; the parts cover the whole network."""
    body = model.backbone.body
    stages = [("stem" if names[0] == "conv1" else names[0], [body[name] for name in names]) for names in STAGES]
    rest = [
        ("fpn", [model.backbone.fpn]),
        ("class head", [model.head["classification_head"]]),
        ("box head", [model.head["regression_head"]]),
    ]
    return tuple(_count_part(name, modules) for name, modules in stages + rest)


def _count_part(name: str, modules: list[nn.Module]) -> ModelPart:
    parameters = [parameter for module in modules for parameter in module.parameters()]
    trainable = sum(parameter.numel() for parameter in parameters if parameter.requires_grad)
    return ModelPart(name, sum(parameter.numel() for parameter in parameters), trainable)


class Costs(NamedTuple):
    """The costs of a network.

    Attributes:
        gflops: 10⁹ multiplications and additions of one forward pass over one image.
        training_bytes: Memory of a float32 training step with an Adam optimizer: all weights, the gradients and two
            moments of trainable weights, and every tensor saved for the backward pass. The losses, which are small, and
            workspaces of libraries are not included.
    """

    gflops: float
    training_bytes: int


@lru_cache(maxsize=64)
def count_parameters(model: Model, *, num_classes: int, anchors_per_location: int) -> tuple[ModelPart, ...]:
    """Counts the parameters of each part of the network that a configuration describes, without allocating it."""
    with _COUNTING:
        return count_network_parameters(_build_meta_network(model, num_classes, anchors_per_location))


@lru_cache(maxsize=64)
def estimate_costs(
    model: Model, *, num_classes: int, anchors_per_location: int, height: int, width: int, batch_size: int
) -> Costs:
    """Estimates FLOPs and memory of a network from a pass over meta tensors, which have shapes but no values.

    Args:
        model: The network's configuration, including its frozen stages.
        num_classes: Number of classes, K.
        anchors_per_location: Number of anchors per location, A.
        height: Height of the padded images in pixels.
        width: Width of the padded images in pixels.
        batch_size: Images per training step, B.
    """
    with _COUNTING:
        network = _build_meta_network(model, num_classes, anchors_per_location)
        body = _count_backbone_pass(network.backbone.body, batch_size, height, width)
        pyramid = _count_pass([network.backbone.fpn], lambda: network.backbone(torch.empty(0), body.outputs).levels)
        heads = _count_heads_pass(list(network.head.values()), pyramid.outputs)
        weights = sum(parameter.nbytes for parameter in network.parameters())
        trained = sum(parameter.nbytes for parameter in network.parameters() if parameter.requires_grad)
    passes = (body, pyramid, heads)
    operations = sum(each.operations for each in passes)
    activations = sum({storage: size for each in passes for storage, size in each.saved.items()}.values())
    return Costs(operations / batch_size / 1e9, weights + 3 * trained + activations)


@lru_cache(maxsize=16)
def _build_meta_network(model: Model, num_classes: int, anchors_per_location: int) -> RetinaNet:
    """Builds a network of meta tensors in training mode."""
    body = _build_meta_backbone(model.depth, model.freeze_stages, model.batch_norm)
    with without_values():
        network = build_model(model, num_classes=num_classes, anchors_per_location=anchors_per_location, body=body)
    freeze(network, model.freeze_stages, batch_norm=model.batch_norm)
    for layer in network.modules():
        if isinstance(layer, nn.GroupNorm):
            layer.__class__ = _MetaGroupNorm
    return network.train()


@lru_cache(maxsize=16)
def _build_meta_backbone(depth: int, freeze_stages: int, batch_norm: str) -> IntermediateLayerGetter:
    """Builds a backbone, shared by networks with the same frozen stages: it takes ten times as long as the rest."""
    with without_values():
        body = build_body(Model.model_validate({"depth": depth}))
    for layer in body.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.__class__ = _MetaBatchNorm
    return body


class _MetaBatchNorm(nn.BatchNorm2d):
    """Batch norm that saves the same tensors for the backward pass; PyTorch imports its compiler for a meta tensor."""

    def forward(self, input: Tensor) -> Tensor:
        assert self.running_mean is not None and self.running_var is not None
        statistics = (self.running_mean, self.running_var, *(torch.empty_like(self.running_mean) for _ in range(2)))
        return _SaveForBackward.apply(input, self.weight, *statistics)


class _SaveForBackward(torch.autograd.Function):
    """Saves its arguments for the backward pass, which is never run; returns a tensor like the first."""

    @staticmethod
    def forward(context: Any, *tensors: Tensor) -> Tensor:
        context.save_for_backward(*tensors)
        return torch.empty_like(tensors[0])


class _MetaGroupNorm(nn.GroupNorm):
    """Group norm that saves the same tensor for the backward pass but skips PyTorch's shape inference (5 ms a call)."""

    def forward(self, input: Tensor) -> Tensor:
        return _SaveForBackward.apply(input, self.weight)


class _Pass(NamedTuple):
    """The costs of a forward pass.

    Attributes:
        outputs: The output tensors; their graph keeps every counted storage alive, so that no id is reused.
        operations: Multiplications and additions.
        saved: Bytes of each storage saved for the backward pass, by its id, without weights.
    """

    outputs: tuple[Tensor, ...]
    operations: int
    saved: dict[int, int]


@lru_cache(maxsize=16)
def _count_backbone_pass(body: IntermediateLayerGetter, batch_size: int, height: int, width: int) -> _Pass:
    pixels = torch.empty(batch_size, 3, height, width, device="meta")
    return _count_pass([body], lambda: body(pixels).values())


def _count_heads_pass(heads: list[nn.Module], levels: tuple[Tensor, ...]) -> _Pass:
    """Counts the heads on all levels as one row of locations, because their costs only depend on the total number.

    The saved row itself is replaced by the levels, which the pyramid may have saved already.
    """
    locations = sum(level.shape[-2:].numel() for level in levels)
    row = torch.empty(*levels[0].shape[:2], 1, locations, device="meta")
    counted = _count_pass(heads, lambda: (head((row,)) for head in heads))
    saved = {storage: size for storage, size in counted.saved.items() if storage not in _get_storage(row)}
    for level in levels:
        saved.update(_get_storage(level))
    return counted._replace(saved=saved)


def _count_pass(modules: list[nn.Module], forward: Callable[[], Iterable[Tensor]]) -> _Pass:
    """Runs a forward pass and counts the operations of its convolutions and the tensors it saves."""
    operations, saved = 0, dict[int, int]()

    def count_operations(layer: nn.Conv2d, _: object, output: Tensor) -> None:
        nonlocal operations
        operations += 2 * output.numel() * layer.weight[0].numel()

    def record_saved(tensor: Tensor) -> Tensor:
        saved.update(_get_storage(tensor))
        return tensor

    layers = (layer for module in modules for layer in module.modules())
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]  # other operations are negligible
    hooks = [layer.register_forward_hook(count_operations) for layer in convolutions]
    try:
        with torch.autograd.graph.saved_tensors_hooks(record_saved, lambda tensor: tensor), _WithoutCompiler():
            outputs = tuple(forward())
    finally:
        for hook in hooks:
            hook.remove()
    weights = {storage for module in modules for each in module.parameters() for storage in _get_storage(each)}
    return _Pass(outputs, operations, {storage: size for storage, size in saved.items() if storage not in weights})


class _WithoutCompiler(TorchFunctionMode):
    """Replaces functions for which PyTorch imports its compiler if a tensor is on the meta device.

    The same tensors are saved for the backward pass.
    """

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if function is torch.cat and len(args[0]) == 1:
            return args[0][0]
        if function is nn.functional.relu and not named.get("inplace"):
            return _Relu.apply(*args)
        return (Tensor.add_ if function is Tensor.add else function)(*args, **named)


class _Relu(torch.autograd.Function):
    """Saves its result for the backward pass, which is never run."""

    @staticmethod
    def forward(context: Any, tensor: Tensor) -> Tensor:
        result = torch.empty_like(tensor)
        context.save_for_backward(result)
        return result


def _get_storage(tensor: Tensor) -> dict[int, int]:
    """Returns the size in bytes of a tensor's storage by its id; views of one tensor share a storage."""
    storage = tensor.untyped_storage()
    return {storage._cdata: storage.nbytes()}
