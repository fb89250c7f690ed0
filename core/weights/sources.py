"""Loading of weights by name or path, building a network with them, and saving them."""

from collections.abc import Sequence
from pathlib import Path

from core.config import WITHOUT_HEADS, Config, Model
from core.io.paths import ASSETS
from core.retinanet.model import RetinaNet, build_model, without_values
from core.weights import state_dict
from core.weights.architecture import (
    BODY,
    BOX_HEAD,
    CLASS_HEAD,
    LOGITS,
    WeightsError,
    modernise,
    recognise,
)
from core.weights.assumptions import state_settings
from core.weights.contradictions import (
    refuse_other_anchor_count,
    refuse_other_network,
    refuse_other_training,
    trained_settings,
)
from core.weights.download import COCO, published
from core.weights.files import describe_coco, load_file, read_file
from core.weights.metadata import build_metadata, read_metadata
from core.weights.state_dict import to_half
from core.weights.weights import ON_SCENES, Weights

BUILTIN = ASSETS / "builtin.safetensors"
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
        return read_file(name, BUILTIN)._replace(trained_on=ON_SCENES)  # ours: no other process reads it
    return load_file(name, Path(name))


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
    num_classes = _choose_num_classes(weights, num_classes, new_classes=new_classes)
    used = {key: value for key, value in weights.state.items() if not (new_classes and key.startswith(LOGITS))}

    def make() -> RetinaNet:
        return build_model(config.model, num_classes=num_classes, anchors_per_location=config.anchors.per_location)

    with without_values():
        model = make()
    if model.state_dict().keys() <= used.keys():
        model.load_state_dict({key: value.clone() for key, value in used.items()}, assign=True)
    else:  # random numbers are drawn for the whole network, which takes longer than all else here
        model = make()
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
    assumed: Sequence[str] = (),
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
        assumed: What is assumed of it, as in `Weights`.

    Raises:
        WeightsError: The settings or the names do not belong to this network, or the file cannot be written.
    """
    state = model.state_dict()
    architecture = recognise(state, name="The network")
    metadata = build_metadata(config, class_names, category_ids, model.norm_eps, trained_on, assumed)
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
    return describe_coco(name, name, state, recognise(state, name=f"The {name} file"))


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
