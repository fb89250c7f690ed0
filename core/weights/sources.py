"""Where a network's weights come from, the settings that follow from them, and saving them again."""

import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor
from torchvision.models import get_model_weights
from torchvision.models.detection import RetinaNet_ResNet50_FPN_V2_Weights, RetinaNet_ResNet50_FPN_Weights

from core.config import Config, ConfigError, Model
from core.io.paths import ASSETS
from core.retinanet.backbone import NORM_EPS
from core.retinanet.model import RetinaNet, build_model
from core.weights import state_dict
from core.weights.architecture import (
    BODY,
    BOX_HEAD,
    CLASS_HEAD,
    LOGITS,
    SHAPE_SETTINGS,
    Architecture,
    WeightsError,
    modernise,
    recognise,
)

WITHOUT_HEADS = ("imagenet", "random")  # the rest of the network starts at random
BUILTIN = ASSETS / "builtin.safetensors"
COCO = {"coco": RetinaNet_ResNet50_FPN_Weights.COCO_V1, "coco_v2": RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1}
COCO_NORM_EPS = {"coco": 0.0, "coco_v2": NORM_EPS}  # v1 was trained when torchvision's frozen norms had no ε
COCO_SETTINGS = {  # what torchvision trained both with
    **{f"anchors.size_p{level}": 4 * 2**level for level in range(3, 8)},
    "anchors.scales": (1.0, 2 ** (1 / 3), 2 ** (2 / 3)),
    "anchors.ratios": (0.5, 1.0, 2.0),
    "anchors.convention": "torchvision",
    "inference.image_size": 800,
    "inference.max_image_size": 1333,
}
TRAINED_WITH = (*SHAPE_SETTINGS, "inference.image_size", "inference.max_image_size")  # and all of the anchors
HEAD_SETTINGS = ("model.num_convs", "model.head_norm")
MAX_NAME = 100  # characters of a class name in a file


def has_new_heads(model: Model) -> bool:
    """Whether the heads of a network start at random, whatever the rest of it starts from."""
    return model.heads == "new" or model.weights in WITHOUT_HEADS


class Weights(NamedTuple):
    """Weights before they are in a network.

    Attributes:
        name: What was asked for: builtin, coco, …, or a path.
        state: Tensors by torchvision's keys; the body's alone for imagenet, none for random.
        architecture: The network they belong to; None for imagenet and random, which leave the heads free.
        class_names: One a class, K; empty where the architecture is None.
        category_ids: What COCO-results files call each class, K.
        settings: What they were trained with or need, by path.
        norm_eps: ε of the body's batch norms.
    """

    name: str
    state: Mapping[str, Tensor]
    architecture: Architecture | None
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    settings: Mapping[str, Any]
    norm_eps: float


def load_weights(name: str, *, depth: int | None = None) -> Weights:
    """Finds weights by name and checks them; nothing is built yet.

    Args:
        name: builtin, coco, coco_v2, imagenet, random, or the path of a `.safetensors`, `.pth` or `.pt` file.
        depth: Layers of the ResNet body; imagenet needs it, the others know theirs.

    Raises:
        WeightsError: They cannot be had, are damaged, or are not a RetinaNet's.
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
    """Returns the weights a configuration asks for, without their heads if those are to be new.

    Raises:
        WeightsError: They cannot be had.
    """
    weights = load_weights(config.model.weights, depth=config.model.depth)
    return without_heads(weights) if config.model.heads == "new" else weights


def without_heads(weights: Weights) -> Weights:
    """Returns the body and the pyramid alone: classes, anchors and the shape of the heads are free."""
    state = {key: value for key, value in weights.state.items() if not key.startswith((CLASS_HEAD, BOX_HEAD))}
    settings = {path: value for path, value in weights.settings.items() if path not in HEAD_SETTINGS}
    return weights._replace(state=state, architecture=None, class_names=(), category_ids=(), settings=settings)


def adopt(config: Config, weights: Weights) -> Config:
    """Lets the settings follow the weights; what was explicitly chosen stays, if the weights allow it.

    The settings taken over count as chosen in the result, so keep the original to change weights later.

    Raises:
        WeightsError: A chosen setting contradicts the weights.
    """
    chosen = config.explicit_values()
    _refuse_contradictions(chosen, weights)
    followed = {path: value for path, value in weights.settings.items() if path not in chosen}
    adopted = config.replace({**followed, "model.weights": weights.name})
    _refuse_other_anchors(adopted, weights)
    return adopted


def build(config: Config, weights: Weights, *, num_classes: int | None = None, new_classes: bool = False) -> RetinaNet:
    """Builds the network of an adopted configuration, with its weights, in evaluation mode.

    Args:
        config: Settings, from `adopt`.
        weights: Copied into the network; where they have nothing, it starts at random.
        num_classes: Number of classes, K; the weights' own if None.
        new_classes: The classes are other ones: the last class layer starts anew, with the prior probability π.

    Raises:
        WeightsError: The settings contradict the weights, or the number of classes does not fit.
    """
    _refuse_contradictions(config.to_flat(), weights)
    _refuse_other_anchors(config, weights)
    model = build_model(
        config.model,
        num_classes=_num_classes(weights, num_classes, new_classes=new_classes),
        anchors_per_location=config.anchors.per_location,
        norm_eps=weights.norm_eps,
    )
    kept = {key: value for key, value in weights.state.items() if not (new_classes and key.startswith(LOGITS))}
    model.load_state_dict({**model.state_dict(), **kept})  # strict; `recognise` has seen that no key is missing
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
    """Saves a network with what is needed to use it: a safetensors file whose tensors torchvision loads unchanged.

    Args:
        path: Of the file, ending in `.safetensors`.
        model: The network.
        config: The settings it was trained with.
        class_names: One a class, K.
        category_ids: What COCO-results files call each class, K.
        half: Store 16 bits a number instead of 32; loading makes them 32 again.

    Raises:
        WeightsError: The settings or the names are not this network's, or the file cannot be written.
    """
    state = model.state_dict()
    architecture = recognise(state, name="The network")
    origin = Path(config.model.weights).name  # a file is given away; where it lay here is nobody's business
    metadata = {
        "config": config.replace({"model.weights": origin}).to_json(),
        "class_names": json.dumps(list(class_names)),
        "category_ids": json.dumps(list(category_ids)),
        "norm_eps": repr(model.norm_eps),
    }
    _interpret(metadata, architecture, name=str(path))  # refuse now what could not be read back
    if half:
        state = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    state_dict.write(Path(path), state, {"format": "pt", **metadata})


def _load_imagenet(depth: int | None) -> Weights:
    if depth is None:
        raise WeightsError("The imagenet weights differ with the depth of the body: say which (depth).")
    state = state_dict.download(get_model_weights(f"resnet{depth}").DEFAULT, name="imagenet")
    body = {BODY + key: value for key, value in state.items() if not key.startswith("fc.")}
    return Weights("imagenet", body, None, (), (), {"model.depth": depth}, NORM_EPS)


def _load_coco(name: str) -> Weights:
    state = modernise(state_dict.download(COCO[name], name="COCO"))
    architecture = recognise(state, name=f"The {name} file")
    class_names = tuple(COCO[name].meta["categories"])
    settings = {**architecture.settings, **COCO_SETTINGS}
    # torchvision numbers its classes as COCO does, with gaps
    return Weights(
        name, state, architecture, class_names, tuple(range(len(class_names))), settings, COCO_NORM_EPS[name]
    )


def _load_file(name: str, path: Path) -> Weights:
    checkpoint = state_dict.read(path)
    state = modernise(checkpoint.state)
    architecture = recognise(state, name=str(path))
    weights = partial(Weights, name, state, architecture)
    if "config" in checkpoint.metadata:
        return weights(*_interpret(checkpoint.metadata, architecture, name=str(path)))
    labels = tuple(range(architecture.num_classes))
    return weights(tuple(f"class {label}" for label in labels), labels, architecture.settings, NORM_EPS)


class _Implied(NamedTuple):
    class_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    settings: dict[str, Any]
    norm_eps: float


def _interpret(metadata: Mapping[str, str], architecture: Architecture, *, name: str) -> _Implied:
    """Reads the metadata that `save_weights` writes; raises `WeightsError` where they are not this network's."""
    try:
        config = Config.from_json(metadata["config"])
        class_names = json.loads(metadata["class_names"])
        category_ids = json.loads(metadata["category_ids"])
        norm_eps = float(metadata["norm_eps"])
    except (ConfigError, KeyError, ValueError, RecursionError) as error:
        raise _bad_metadata(name, f"its settings, class names or ε cannot be read: {error}") from None
    if not isinstance(class_names, list) or not all(isinstance(each, str) and each for each in class_names):
        raise _bad_metadata(name, "its class names are not a list of names")
    if len(class_names) != architecture.num_classes or any(len(each) > MAX_NAME for each in class_names):
        raise _bad_metadata(name, f"not {architecture.num_classes} class names of at most {MAX_NAME} characters")
    if not isinstance(category_ids, list) or [type(each) for each in category_ids] != [int] * len(class_names):
        raise _bad_metadata(name, f"its category numbers are not {len(class_names)} whole numbers")
    if not (math.isfinite(norm_eps) and 0 <= norm_eps < 1):
        raise _bad_metadata(name, f"{norm_eps} is no ε of batch norms")
    if config.anchors.per_location != architecture.anchors_per_location:
        counts = f"{config.anchors.per_location} anchors a place, not {architecture.anchors_per_location}"
        raise _bad_metadata(name, counts)
    settings = config.to_flat()
    for path, needed in architecture.settings.items():
        if settings[path] != needed:
            raise _bad_metadata(name, f"{path} = {settings[path]} where the tensors have {needed}")
    followed = {path: settings[path] for path in settings if path.startswith("anchors.") or path in TRAINED_WITH}
    return _Implied(tuple(class_names), tuple(category_ids), followed, norm_eps)


def _bad_metadata(name: str, reason: str) -> WeightsError:
    return WeightsError(f"The description of the weights in {name} does not fit them: {reason}. Save them again.")


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
            f"anchors a place contradicts the weights {weights.name}, which need {needed}: "
            f"choose {needed} in all or other weights."
        )


def _num_classes(weights: Weights, asked: int | None, *, new_classes: bool) -> int:
    own = weights.architecture.num_classes if weights.architecture else None
    count = own if asked is None else asked
    if count is None:
        raise WeightsError(f"The weights {weights.name} know no classes: say how many there are (num_classes).")
    if count < 1:
        raise WeightsError(f"{count} classes cannot be told apart: there must be at least 1 (num_classes).")
    if own not in (None, count) and not new_classes:
        raise WeightsError(
            f"The weights {weights.name} know {own} classes, but {count} are asked for: choose weights with {count} "
            "classes, or train these on the new classes (new_classes)."
        )
    return count
