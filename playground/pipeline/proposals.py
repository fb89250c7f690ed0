"""Detections as proposals for the objects of a visitor's own picture, and how sure the weights are of a picture."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from torch import Tensor

from core.config import POSTPROCESSING, Config, Effect
from core.retinanet.boxes import iou_matrix
from playground.data.picture import Picture
from playground.pipeline.networks import network_of
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache
from playground.support.names import MAX_CLASSES, fold_class_name

COUNTS_FROM = 0.5  # score from which a detection counts as one in a summary
DOUBTS_FROM = 0.1  # score from which a detection says how sure the weights are
MAX_OVERLAP = 0.5  # IoU with a box that is there, or was rejected, from which a proposal is none
_summaries = Cache()


class Proposals(NamedTuple):
    """Boxes that the weights propose, best first.

    Attributes:
        boxes: float32 [N, 4], in the pixels of the network's input.
        scores: float32 [N].
        names: The class of each.
    """

    boxes: Tensor
    scores: Tensor
    names: tuple[str, ...]


class PictureSummary(NamedTuple):
    """What the weights find in a picture.

    Attributes:
        counts: Detections with a score of at least `COUNTS_FROM`, by class name.
        doubt: From 0, sure of everything it sees, to 1: all scores are near one half, or it sees nothing.
    """

    counts: Counter[str]
    doubt: float


def propose(pipeline: Pipeline, above: float, *taken: Tensor) -> Proposals:
    """Returns the detections above a score that are neither drawn nor rejected.

    Args:
        pipeline: The picture under the settings, whose score threshold holds as well.
        above: Lowest score.
        taken: Drawn and rejected boxes, float32 [M, 4] each, in the pixels of the network's input.

    Raises:
        WeightsError: The weights do not fit the settings.
    """
    found, fates = pipeline.candidates, pipeline.fates
    kept = fates.order[fates.score[fates.order] >= above]
    for boxes in taken:
        if len(boxes) and len(kept):
            kept = kept[iou_matrix(fates.box[kept], boxes).amax(dim=1) <= MAX_OVERLAP]
    names = tuple(pipeline.network.class_names[label] for label in found.label[kept].tolist())
    return Proposals(fates.box[kept], fates.score[kept], names)


def summarise(pixels_key: str, config: Config, open_picture: Callable[[], Picture]) -> PictureSummary:
    """Returns what the weights of the settings find in a picture, which is opened only if that is not known yet.

    Args:
        pixels_key: That of the picture.
        config: The settings.
        open_picture: Opens the picture.

    Raises:
        UserError: As `propose`, and as `open_picture`.
    """

    def compute() -> PictureSummary:
        pipeline = Pipeline(open_picture(), config)
        scores = pipeline.fates.score[pipeline.fates.order]
        labels = pipeline.candidates.label[pipeline.fates.order][scores >= COUNTS_FROM].tolist()
        names = pipeline.network.class_names
        return PictureSummary(Counter(names[label] for label in labels), measure_doubt(scores))

    return _summaries.get(_key(pixels_key, config), compute)


def is_summarised(pixels_key: str, config: Config) -> bool:
    """True if `summarise` returns without computing anything."""
    return _key(pixels_key, config) in _summaries


def _key(pixels_key: str, config: Config) -> Hashable:
    settings = config.cache_key(Effect.FORWARD, Effect.ANCHORS, *POSTPROCESSING)
    return network_of(config).key, pixels_key, settings


def measure_doubt(scores: Tensor) -> float:
    """Returns how unsure scores are, float32 [N]: the mean of 1 − |2p − 1| above `DOUBTS_FROM`, 1 for none."""
    scores = scores[scores >= DOUBTS_FROM]
    return float((1 - (2 * scores - 1).abs()).mean()) if len(scores) else 1.0


def known_classes(names: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the first list that the second has as well, ignoring case."""
    folded = {fold_class_name(name) for name in wanted}
    return tuple(name for name in names if fold_class_name(name) in folded)


def index_names(names: Sequence[str], album_names: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
    """Returns the classes of an album with those of proposals, and the index of each proposal's class among them.

    Args:
        names: The class of each proposal.
        album_names: The classes of the album, which come first.

    Returns:
        At most `MAX_CLASSES` names, unless the album has more; and an index for each proposal, −1 without room for it.
    """
    classes = list(album_names)
    places = {fold_class_name(name): index for index, name in enumerate(classes)}
    for name in names:
        if fold_class_name(name) not in places and len(classes) < MAX_CLASSES:
            places[fold_class_name(name)] = len(classes)
            classes.append(name)
    return tuple(classes), [places.get(fold_class_name(name), -1) for name in names]
