"""What is evaluated where a picture is on show, and the key of the result."""

from collections.abc import Hashable, Sequence

from core.config import POSTPROCESSING, Config, ConfigError, Effect, knobs
from core.evaluation.slices.along_dial import set_dial
from playground.data.image_ref import PHOTOGRAPHS, SCENES, ImageRef
from playground.data.sources import SCENES_SPLIT, source_key
from playground.pipeline.networks import network_of

SCORE = "inference.score_threshold"
MAX_SEARCHED = 64  # pictures of a search for rescues, each about as much work as 20 of an evaluation


def evaluated_split(image_ref: ImageRef | None) -> ImageRef:
    """Returns the first picture of the split to evaluate: that of the picture on the page, or held-out scenes."""
    if image_ref is None or image_ref.source == PHOTOGRAPHS:  # which have no objects
        return ImageRef(SCENES, SCENES_SPLIT)
    return image_ref.with_index(0)


def evaluation_key(config: Config, image_ref: ImageRef | None, visitor: str = "") -> Hashable:
    """Returns everything that the result of an evaluation depends on.

    Raises:
        WeightsError: The weights are not available or contradict the settings.
        DataError: There is no such data set, or the visitor may not see it.
    """
    split, network = evaluated_split(image_ref), network_of(config)  # whatever the threshold
    settings = with_low_threshold(config).cache_key(Effect.FORWARD, Effect.ANCHORS, *POSTPROCESSING)
    return network.key, source_key(split, config.scenes, visitor), settings, config.training.eval_images


def curve_key(config: Config, dial: str, values: Sequence[float]) -> Hashable:
    """Returns everything that a curve along a dial of the scenes depends on, whatever value the dial itself has.

    Args:
        config: The settings.
        dial: One of `core.evaluation.slices.along_dial.SCENE_DIALS`.
        values: The values, at least one.

    Raises:
        WeightsError: The weights are not available or contradict the settings.
        ConfigError: There is no value, or the dial cannot have the first one.
    """
    if not values:
        raise ConfigError("There is no value to measure at: choose a lowest value below the highest one.")
    return dial, tuple(values), evaluation_key(set_dial(config, dial, values[0]), None)


def search_key(config: Config, image_ref: ImageRef | None, visitor: str = "") -> Hashable:
    """Returns everything that the rescues over a split depend on; raises as `evaluation_key`."""
    split, network = evaluated_split(image_ref), network_of(config)
    settings = config.cache_key(Effect.FORWARD, Effect.ANCHORS, *POSTPROCESSING)
    count = limit_pictures(config).training.eval_images
    return "rescues", network.key, source_key(split, config.scenes, visitor), settings, count


def limit_pictures(config: Config) -> Config:
    """Returns settings under which no more pictures are evaluated than a search for rescues may have."""
    count = min(config.training.eval_images or MAX_SEARCHED, MAX_SEARCHED)
    training = config.training.model_copy(update={"eval_images": count})  # without validation, as below
    return config.model_copy(update={"training": training})


def with_low_threshold(config: Config) -> Config:
    """Returns settings with a low score threshold, which average precision needs whatever the page shows."""
    threshold = min(config.inference.score_threshold, knobs()[SCORE].default)
    # No validation, which would cost time at every response of the page: a lower threshold contradicts nothing.
    inference = config.inference.model_copy(update={"score_threshold": threshold})
    return config.model_copy(update={"inference": inference})
