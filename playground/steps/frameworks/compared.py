"""The comparison of the picture on show with a framework, cached for all visitors."""

from core.config import Effect
from core.conventions.comparison import Comparison, compare, require_comparable
from core.conventions.view import Subject
from core.errors import PictureError
from core.weights.sources import WeightsError
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError

MAX_OUTPUTS = 300_000  # anchors that a dozen comparisons look at; with 90 classes about 1 s on one processor
QUICK_OUTPUTS = 50_000  # up to which they take some 0.1 s, and follow a knob while it is dragged
_comparisons = Cache()


def compare_with(pipeline: Pipeline, framework: str) -> Comparison:
    """Returns the comparison of what is made of the picture here with what a framework makes of it.

    Raises:
        ConfigError: The assigner is not max IoU.
        PictureError: There are more anchors than the page compares.
        PostponedError: It has not been computed yet, and slow results are to be postponed.
    """
    require_comparable(pipeline.config, framework)
    pipeline.fates  # noqa: B018 (raises PictureError if NMS would compare too many boxes)
    key = (
        pipeline.key_of_loss(pipeline.config.loss),
        pipeline.config.cache_key(Effect.SELECT, Effect.SUPPRESS),
        framework,
    )
    if key not in _comparisons:
        _require_few(pipeline)
    return _comparisons.get(key, lambda: compare(_make_subject(pipeline), pipeline.config, framework))


def has_known_objects(pipeline: Pipeline) -> bool:
    """True if the picture has objects and the network knows all of their classes."""
    try:
        return len(pipeline.labels) > 0
    except WeightsError:
        return False


def _make_subject(pipeline: Pipeline) -> Subject:
    boxes = pipeline.objects[0]
    known = has_known_objects(pipeline)
    return Subject(
        pipeline.network.model,
        pipeline.prediction,
        pipeline.pyramid.levels[3],
        boxes if known else boxes[:0],
        pipeline.labels if known else pipeline.objects[1][:0],
        pipeline.weigh_classes(pipeline.config.loss),
    )


def _require_few(pipeline: Pipeline) -> None:
    """Raises if the anchors are too many to compare, or so many that it must wait."""
    outputs = len(pipeline.grid.boxes)
    if outputs > MAX_OUTPUTS:
        raise PictureError(
            f"This picture has {outputs:,} anchors here, and the page compares at most {MAX_OUTPUTS:,} with another "
            "framework: lower “Shorter side”, or use the command differ."
        )
    if outputs > QUICK_OUTPUTS and pipeline.must_postpone():
        raise PostponedError("The comparison follows once you release the knob.")
