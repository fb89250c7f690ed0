"""Loading of weights by name or path, building a network with them, and saving them."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor
from torchvision.models import get_model_weights
from torchvision.models.detection import RetinaNet_ResNet50_FPN_V2_Weights, RetinaNet_ResNet50_FPN_Weights

from core.config import Config, Model
from core.io.paths import ASSETS
from core.retinanet.backbone import NORM_EPS
from core.retinanet.model import RetinaNet, build_model
from core.weights import state_dict
from core.weights.architecture import (
    BODY,
    BOX_HEAD,
    CLASS_HEAD,
    LOGITS,
    Architecture,
    WeightsError,
    modernise,
    recognise,
)
from core.weights.half import to_half
from core.weights.metadata import build_metadata, read_metadata

WITHOUT_HEADS = ("imagenet", "random")  # weights of the backbone or none; the rest is initialised at random
BUILTIN = ASSETS / "builtin.safetensors"
COCO = {"coco": RetinaNet_ResNet50_FPN_Weights.COCO_V1, "coco_v2": RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1}
COCO_NORM_EPS = {"coco": 0.0, "coco_v2": NORM_EPS}  # when v1 was trained, torchvision's frozen batch norms had no ε
COCO_SETTINGS = {  # torchvision's for the training of both
    **{f"anchors.size_p{level}": 4 * 2**level for level in range(3, 8)},
    "anchors.scales": (1.0, 2 ** (1 / 3), 2 ** (2 / 3)),
    "anchors.ratios": (0.5, 1.0, 2.0),
    "anchors.convention": "torchvision",
    "inference.image_size": 800,
    "inference.max_image_size": 1333,
}
HEAD_SETTINGS = ("model.num_convs", "model.head_norm")


def has_new_heads(model: Model) -> bool:
    """True if the heads are initialised at random, whatever the source of the other weights."""
    return model.heads == "new" or model.weights in WITHOUT_HEADS


class Weights(NamedTuple):
    """Weights and the description of their network, before a model is built from them.

    Attributes:
        name: The requested name (builtin, coco, …) or path.
        state: Tensors by torchvision's keys; only those of the backbone for imagenet, none for random.
        architecture: The architecture of their network; None for imagenet and random, which do not determine the heads.
        class_names: One per class, K; empty if the architecture is None.
        category_ids: The category of each class in COCO results, K.
        settings: The settings that the weights were trained with or require, by path.
        norm_eps: ε of the ResNet's batch norms.
    """

    name: str
    state: Mapping[str, Tensor]
    architecture: Architecture | None
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    settings: Mapping[str, Any]
    norm_eps: float


def load_weights(name: str, *, depth: int | None = None) -> Weights:
    """Loads weights by name or path and checks them, without building a network.

    Args:
        name: builtin, coco, coco_v2, imagenet, random, or the path of a `.safetensors`, `.pth` or `.pt` file.
        depth: Layers of the ResNet backbone; required for imagenet only.

    Raises:
        WeightsError: The weights are not available, damaged, or not those of a RetinaNet.
    """
    if name == "random":
        return Weights(name, {}, None, (), (), {}, NORM_EPS)
    if name == "imagenet":
        return _load_imagenet(depth)
    if name in COCO:
        return _load_coco(name)
    if name == "builtin":
        if not BUILTIN.is_file():
            raise WeightsError(f"The built-in weights are missing: put {BUILTIN} back, or choose imagenet or random.")
        return _load_file(name, BUILTIN)
    return _load_file(name, Path(name))


def weights_for(config: Config) -> Weights:
    """Loads the weights that a configuration names, without their heads if `model.heads` is new.

    Raises:
        WeightsError: As `load_weights`.
    """
    weights = load_weights(config.model.weights, depth=config.model.depth)
    return drop_heads(weights) if config.model.heads == "new" else weights


def drop_heads(weights: Weights) -> Weights:
    """Returns the weights of backbone and pyramid alone; they allow any classes, anchors and head settings."""
    state = {key: value for key, value in weights.state.items() if not key.startswith((CLASS_HEAD, BOX_HEAD))}
    settings = {path: value for path, value in weights.settings.items() if path not in HEAD_SETTINGS}
    return weights._replace(state=state, architecture=None, class_names=(), category_ids=(), settings=settings)


def adopt(config: Config, weights: Weights) -> Config:
    """Returns a configuration with the settings that the weights require; explicit settings take precedence.

    The adopted settings count as explicit in the result, so keep the original to change weights later.

    Raises:
        WeightsError: An explicit setting contradicts the weights.
    """
    explicit = config.explicit_values()
    _refuse_contradictions(explicit, weights)
    required = {path: value for path, value in weights.settings.items() if path not in explicit}
    adopted = config.replace({**required, "model.weights": weights.name})
    _refuse_other_anchors(adopted, weights)
    return adopted


def build(config: Config, weights: Weights, *, num_classes: int | None = None, new_classes: bool = False) -> RetinaNet:
    """Builds a network with weights, in evaluation mode.

    Args:
        config: Settings from `adopt`.
        weights: Weights, copied into the network; the parts they lack are initialised at random.
        num_classes: Number of classes, K; None for that of the weights.
        new_classes: Whether the classes are different ones; the last class layer is then initialised with the prior π.

    Raises:
        WeightsError: The settings or the number of classes contradict the weights.
    """
    _refuse_contradictions(config.to_flat(), weights)
    _refuse_other_anchors(config, weights)
    model = build_model(
        config.model,
        num_classes=_choose_num_classes(weights, num_classes, new_classes=new_classes),
        anchors_per_location=config.anchors.per_location,
        norm_eps=weights.norm_eps,
    )
    used = {key: value for key, value in weights.state.items() if not (new_classes and key.startswith(LOGITS))}
    model.load_state_dict({**model.state_dict(), **used})  # `recognise` has checked that no key is missing
    return model.eval()


def save_weights(
    path: str | Path,
    model: RetinaNet,
    config: Config,
    class_names: Sequence[str],
    category_ids: Sequence[int],
    *,
    half: bool = False,
) -> None:
    """Saves a network with its metadata as a safetensors file, whose tensors torchvision can load unchanged.

    Args:
        path: Path of the file, with the suffix `.safetensors`.
        model: The network.
        config: The settings it was trained with.
        class_names: One per class, K.
        category_ids: The category of each class in COCO results, K.
        half: Whether to store tensors as float16 where that holds their values; loading converts them back.

    Raises:
        WeightsError: The settings or the names do not belong to this network, or the file cannot be written.
    """
    state = model.state_dict()
    architecture = recognise(state, name="The network")
    metadata = build_metadata(config, class_names, category_ids, model.norm_eps)
    read_metadata(metadata, architecture, name=str(path))  # refuses what could not be read back
    if half:
        state = to_half(state)
    state_dict.write(Path(path), state, {"format": "pt", **metadata})


def _load_imagenet(depth: int | None) -> Weights:
    if depth is None:
        raise WeightsError("The imagenet weights depend on the depth of the backbone: say which (depth).")
    state = state_dict.download(get_model_weights(f"resnet{depth}").DEFAULT, name="imagenet")
    body = {BODY + key: value for key, value in state.items() if not key.startswith("fc.")}
    return Weights("imagenet", body, None, (), (), {"model.depth": depth}, NORM_EPS)


def _load_coco(name: str) -> Weights:
    state = modernise(state_dict.download(COCO[name], name="COCO"))
    architecture = recognise(state, name=f"The {name} file")
    class_names = tuple(COCO[name].meta["categories"])
    settings = {**architecture.settings, **COCO_SETTINGS}
    category_ids = tuple(range(len(class_names)))  # torchvision's classes have COCO's numbers, including the gaps
    return Weights(name, state, architecture, class_names, category_ids, settings, COCO_NORM_EPS[name])


def _load_file(name: str, path: Path) -> Weights:
    file = state_dict.read(path)
    state = modernise(file.state)
    architecture = recognise(state, name=str(path))
    weights = partial(Weights, name, state, architecture)
    if "config" in file.metadata:
        return weights(*read_metadata(file.metadata, architecture, name=str(path)))
    labels = tuple(range(architecture.num_classes))
    return weights(tuple(f"class {label}" for label in labels), labels, architecture.settings, NORM_EPS)


def _refuse_contradictions(values: Mapping[str, Any], weights: Weights) -> None:
    for path, needed in weights.settings.items():
        if path.startswith("model.") and values.get(path, needed) != needed:
            raise WeightsError(
                f"{path} = {values[path]} contradicts the weights {weights.name}, which need {needed}: "
                f"set {path} to {needed} or choose other weights."
            )


def _refuse_other_anchors(config: Config, weights: Weights) -> None:
    if weights.architecture and config.anchors.per_location != weights.architecture.anchors_per_location:
        anchors, needed = config.anchors, weights.architecture.anchors_per_location
        raise WeightsError(
            f"anchors.scales × anchors.ratios = {len(anchors.scales)} × {len(anchors.ratios)} = {anchors.per_location} "
            f"anchors per location contradicts the weights {weights.name}, which need {needed}: "
            f"choose {needed} in all, or other weights."
        )


def _choose_num_classes(weights: Weights, requested: int | None, *, new_classes: bool) -> int:
    known = weights.architecture.num_classes if weights.architecture else None
    count = known if requested is None else requested
    if count is None:
        raise WeightsError(f"The weights {weights.name} have no classes: say how many there are (num_classes).")
    if count < 1:
        raise WeightsError(f"A network for {count} classes is not possible: there must be at least 1 (num_classes).")
    if known not in (None, count) and not new_classes:
        raise WeightsError(
            f"The weights {weights.name} have {known} classes, but {count} are requested: choose weights with {count} "
            "classes, or train these on the new classes (new_classes)."
        )
    return count
