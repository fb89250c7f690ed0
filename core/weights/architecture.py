"""The architecture of a RetinaNet, inferred from the keys and shapes of its state dict alone."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.config import Config, ConfigError, Model
from core.errors import UserError
from core.retinanet.model import build_model, without_values

# Blocks in layer1 … layer4 and whether they are bottlenecks (He et al., 2015, table 1).
RESNETS: dict[tuple[tuple[int, ...], bool], int] = {
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
}
# Settings that determine the state dict; the other settings of the network concern initialisation and training.
SHAPE_SETTINGS = ("model.depth", "model.fpn_channels", "model.num_convs", "model.head_norm", "model.p6_source")
BODY, FPN = "backbone.body.", "backbone.fpn."
CLASS_HEAD, BOX_HEAD = "head.classification_head.", "head.regression_head."
LOGITS = CLASS_HEAD + "cls_logits."

# Before torchvision 0.14, convolutions were not wrapped in a module, and ReLUs counted as layers of the heads.
OLD_FPN_KEY = re.compile(r"(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)")
OLD_HEAD_KEY = re.compile(r"(head\.(?:classification|regression)_head\.conv)\.(\d{1,4})\.(weight|bias)", re.ASCII)


class WeightsError(UserError):
    """Weights that are not available, damaged or incompatible; the message says which, why and what to do."""


class Architecture(NamedTuple):
    """The architecture of a network, as far as its state dict determines it.

    Attributes:
        depth: Layers of the ResNet backbone.
        fpn_channels: Channels of every pyramid level.
        num_convs: 3×3 convolutions in each head.
        head_norm: "none" or "group"; None without head convolutions, where both are possible.
        p6_source: "c5" or "p5"; None if both maps have as many channels, so that the shapes are the same.
        anchors_per_location: Number of anchors per location, A.
        num_classes: Number of classes, K.
    """

    depth: int
    fpn_channels: int
    num_convs: int
    head_norm: str | None
    p6_source: str | None
    anchors_per_location: int
    num_classes: int

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that the architecture determines, by path."""
        values = {path: getattr(self, path.removeprefix("model.")) for path in SHAPE_SETTINGS}
        return {path: value for path, value in values.items() if value is not None}


def modernise(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames keys of older torchvision versions and adds the batch counters that frozen batch norms do not store."""
    result = {}
    heads = [match for key in state if (match := OLD_HEAD_KEY.fullmatch(key))]
    alternate = all(int(match[2]) % 2 == 0 for match in heads)  # every second layer of an old head was a ReLU
    for key, value in state.items():
        if match := OLD_FPN_KEY.fullmatch(key):
            key = f"{match[1]}.0.{match[2]}"
        elif alternate and (match := OLD_HEAD_KEY.fullmatch(key)):
            key = f"{match[1]}.{int(match[2]) // 2}.0.{match[3]}"
        result[key] = value
        if key.endswith("running_var"):
            counter = key.removesuffix("running_var") + "num_batches_tracked"
            result.setdefault(counter, state.get(counter, torch.tensor(0)))
    return result


def recognise(state: Mapping[str, Tensor], *, name: str = "This state dict") -> Architecture:
    """Infers the architecture of a state dict with torchvision's current keys (see `modernise`).

    Args:
        state: Tensors by key; only their shapes are used.
        name: Name of the state dict in the error message.

    Raises:
        WeightsError: A key is missing, unknown or has the wrong shape, or the settings do not allow such a network.
    """
    try:
        architecture = _infer(state)
        _check_keys_and_shapes(state, architecture)
    except (_MismatchError, ConfigError) as error:
        raise WeightsError(
            f"{name} does not look like a RetinaNet: {str(error).rstrip('.')}. Choose a state dict saved here or by "
            "torchvision's RetinaNet."
        ) from None
    return architecture


class _MismatchError(Exception):
    """The first difference between a state dict and that of a RetinaNet."""


def _infer(state: Mapping[str, Tensor]) -> Architecture:
    channels = _conv_shape(state, FPN + "layer_blocks.0.0.weight")[0]
    c5 = _conv_shape(state, FPN + "inner_blocks.2.0.weight")[1]
    p6_input = _conv_shape(state, FPN + "extra_blocks.p6.weight")[1]
    num_convs = _count_keys(state, CLASS_HEAD + "conv.{}.0.weight")
    head_norm = "group" if CLASS_HEAD + "conv.0.1.weight" in state else "none"
    boxes, scores = _conv_shape(state, BOX_HEAD + "bbox_reg.weight")[0], _conv_shape(state, LOGITS + "weight")[0]
    anchors = boxes // 4
    if not anchors or boxes % 4 or not scores or scores % anchors:
        raise _MismatchError(
            f"{boxes} box and {scores} class outputs per location do not belong to a whole number of anchors"
        )
    return Architecture(
        depth=_infer_depth(state),
        fpn_channels=channels,
        num_convs=num_convs,
        head_norm=head_norm if num_convs else None,
        p6_source=None if c5 == channels else "p5" if p6_input == channels else "c5",
        anchors_per_location=anchors,
        num_classes=scores // anchors,
    )


def _conv_shape(state: Mapping[str, Tensor], key: str) -> torch.Size:
    """Returns the shape of the weights of a convolution."""
    if key not in state:
        raise _MismatchError(f"missing key {key}")
    if state[key].dim() != 4:
        raise _MismatchError(f"{key} has shape {list(state[key].shape)} and not the four dimensions of a convolution")
    return state[key].shape


def _count_keys(state: Mapping[str, Tensor], pattern: str) -> int:
    count = 0
    while pattern.format(count) in state:
        count += 1
    return count


def _infer_depth(state: Mapping[str, Tensor]) -> int:
    _conv_shape(state, BODY + "conv1.weight")
    blocks = tuple(_count_keys(state, f"{BODY}layer{stage}.{{}}.conv1.weight") for stage in range(1, 5))
    depth = RESNETS.get((blocks, BODY + "layer1.0.conv3.weight" in state))
    if depth is None:
        raise _MismatchError(f"no ResNet-{', '.join(map(str, RESNETS.values()))} has {blocks} blocks in its stages")
    return depth


def _check_keys_and_shapes(state: Mapping[str, Tensor], architecture: Architecture) -> None:
    """Raises `_MismatchError` at the first different key, or `ConfigError` if the settings do not allow the network."""
    model = Config.from_flat(architecture.settings).model
    expected = _expected_shapes(model, architecture.num_classes, architecture.anchors_per_location)
    for key, shape in expected.items():
        if key not in state:
            raise _MismatchError(f"missing key {key}")
        if state[key].shape != shape:
            raise _MismatchError(f"{key} has shape {list(state[key].shape)} instead of {list(shape)}")
    for key in state:
        if key not in expected:
            raise _MismatchError(f"unexpected key {key}")


@lru_cache(maxsize=16)
def _expected_shapes(model: Model, num_classes: int, anchors_per_location: int) -> dict[str, torch.Size]:
    with without_values():
        network = build_model(model, num_classes=num_classes, anchors_per_location=anchors_per_location)
    return {key: value.shape for key, value in network.state_dict().items()}
