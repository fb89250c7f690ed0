"""Loading of weights by name or path, building a network with them, and saving them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from core.config import WITHOUT_HEADS, Config, Model
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
from core.weights.assumptions import (
    COCO_CLASSES,
    TORCHVISION_SETTINGS,
    assume_class_names,
    assume_settings,
    state_settings,
)
from core.weights.class_names import choose_class_names
from core.weights.contradictions import (
    refuse_other_anchor_count,
    refuse_other_network,
    refuse_other_training,
    trained_settings,
)
from core.weights.download import COCO, has_digest, published
from core.weights.half import to_half
from core.weights.metadata import build_metadata, read_metadata
from core.weights.weights import CLASSES, ON_COCO, ON_SCENES, Weights

BUILTIN = ASSETS / "builtin.safetensors"
COCO_NORM_EPS = {"coco": 0.0, "coco_v2": NORM_EPS}  # when v1 was trained, torchvision's frozen batch norms had no ε
HEAD_SETTINGS = ("model.num_convs", "model.head_norm", "model.head_groups")


def has_new_heads(model: Model) -> bool:
    """True if the heads are initialised at random, whatever the source of the other weights."""
    return model.heads == "new" or model.weights in WITHOUT_HEADS


def load_weights(name: str, *, depth: int | None = None) -> Weights:
    """Loads weights by name or path and checks them, without building a network.

    Args:
        name: builtin, coco, coco_v2, imagenet, random, or the path of a file.
        depth: Layers of the ResNet backbone; required for imagenet only.

    Raises:
        WeightsError: The weights are not available, damaged, or not those of a RetinaNet.
    """
    if name == "random":
        return Weights(name, {}, None, (), (), {})
    if name == "imagenet":
        return _load_imagenet(depth)
    if name in COCO:
        return _load_coco(name)
    if name == "builtin":
        if not BUILTIN.is_file():
            raise WeightsError(f"The built-in weights are missing: put {BUILTIN} back, or choose imagenet or random.")
        return _load_file(name, BUILTIN)._replace(trained_on=ON_SCENES)
    return _load_file(name, Path(name))


def weights_for(config: Config, *, free: bool = False) -> Weights:
    """Loads the weights that a configuration names, without their heads if `model.heads` is new.

    Args:
        config: The settings; what the weights do not say is taken from those that are explicit (`state_settings`).
        free: As for `state_settings`.

    Raises:
        WeightsError: As `load_weights`.
    """
    weights = load_weights(config.model.weights, depth=config.model.depth)
    weights = state_settings(weights, config, free=free)
    return drop_heads(weights) if config.model.heads == "new" else weights


def drop_heads(weights: Weights) -> Weights:
    """Returns the weights of backbone and pyramid alone; they allow any classes, anchors and head settings."""
    state = {key: value for key, value in weights.state.items() if not key.startswith((CLASS_HEAD, BOX_HEAD))}
    settings = {path: value for path, value in weights.settings.items() if path not in HEAD_SETTINGS}
    assumed = tuple(path for path in weights.assumed if path in settings)
    return weights._replace(
        state=state,
        architecture=None,
        class_names=(),
        category_ids=(),
        settings=settings,
        assumed=assumed,
        trained_on="",
    )


def adopt(config: Config, weights: Weights, *, free: bool = False) -> Config:
    """Returns a configuration with the settings that the weights require.

    The adopted settings count as explicit in the result, so keep the original to change weights later.

    Args:
        config: The settings; explicit ones take precedence.
        weights: The weights.
        free: Whether explicit settings may differ from those that the weights were trained with, as on the page; those
            of the network itself never may.

    Raises:
        WeightsError: An explicit setting contradicts the weights.
    """
    explicit = config.explicit_values()
    refuse_other_network(explicit, weights)
    required = {path: value for path, value in weights.settings.items() if path not in explicit}
    adopted = config.replace({**required, "model.weights": weights.name})
    refuse_other_anchor_count(adopted, weights)
    if free:
        return adopted
    refuse_other_training(explicit, weights)
    return adopted.replace(trained_settings(weights))  # instead of explicit values that are nearly the same


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
    refuse_other_network(config.to_flat(), weights)
    refuse_other_anchor_count(config, weights)
    model = build_model(
        config.model,
        num_classes=_choose_num_classes(weights, num_classes, new_classes=new_classes),
        anchors_per_location=config.anchors.per_location,
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
    trained_on: str = "",
) -> None:
    """Saves a network with its metadata, in a file whose tensors torchvision can load unchanged.

    Args:
        path: Path of the file, with the suffix `.safetensors`, `.pth` or `.pt`.
        model: The network.
        config: The settings it was trained with.
        class_names: One per class, K.
        category_ids: The category of each class in COCO results, K.
        half: Whether to store tensors as float16 where that holds their values; loading converts them back.
        trained_on: The pictures it was trained on, as in `Weights`.

    Raises:
        WeightsError: The settings or the names do not belong to this network, or the file cannot be written.
    """
    state = model.state_dict()
    architecture = recognise(state, name="The network")
    metadata = build_metadata(config, class_names, category_ids, model.norm_eps, trained_on)
    read_metadata(metadata, architecture, name=str(path))  # refuses what could not be read back
    if half:
        state = to_half(state)
    state_dict.write(Path(path), state, {"format": "pt", **metadata})


def _load_imagenet(depth: int | None) -> Weights:
    if depth is None:
        raise WeightsError("The imagenet weights depend on the depth of the backbone: say which (depth).")
    state = state_dict.download(published("imagenet", depth))
    body = {BODY + key: value for key, value in state.items() if not key.startswith("fc.")}
    return Weights("imagenet", body, None, (), (), {"model.depth": depth})


def _load_coco(name: str) -> Weights:
    state = modernise(state_dict.download(published(name)))
    return _describe_coco(name, name, state, recognise(state, name=f"The {name} file"))


def _describe_coco(name: str, kind: str, state: Mapping[str, Tensor], architecture: Architecture) -> Weights:
    settings = {**architecture.settings, **TORCHVISION_SETTINGS, "model.norm_eps": COCO_NORM_EPS[kind]}
    category_ids = tuple(range(len(COCO_CLASSES)))  # torchvision's classes have COCO's numbers, including the gaps
    return Weights(name, state, architecture, COCO_CLASSES, category_ids, settings, trained_on=ON_COCO)


def _load_file(name: str, path: Path) -> Weights:
    file = state_dict.read(path)
    state = modernise(file.state)
    architecture = recognise(state, name=str(path))
    if "config" in file.metadata:
        found = read_metadata(file.metadata, architecture, name=str(path))
        return Weights(name, state, architecture, *found[:3], trained_on=found.trained_on)
    for kind, member in COCO.items():
        if architecture.num_classes == len(COCO_CLASSES) and has_digest(path, published(kind).digest):
            note = f"{path} is torchvision's {member}, whose settings are known."
            return _describe_coco(name, kind, state, architecture)._replace(notes=(note,))
    return _describe_unknown(name, state, architecture, file)


def _describe_unknown(
    name: str, state: Mapping[str, Tensor], architecture: Architecture, file: state_dict.WeightsFile
) -> Weights:
    """Describes a network by its tensors and, where they say nothing, by assumptions."""
    assumed = assume_settings(architecture)
    named, sentence = choose_class_names(file.class_names, architecture.num_classes, name=name)
    names = named or assume_class_names(architecture.num_classes)
    return Weights(
        name,
        state,
        architecture,
        names,
        tuple(range(len(names))),
        {**architecture.settings, **assumed},
        (*assumed, *([] if named else [CLASSES])),
        (*file.notes, *([sentence] if sentence else [])),
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
