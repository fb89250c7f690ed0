"""The detections that average precision counts, in the picture on show or in all pictures of an evaluation."""

from typing import NamedTuple

from torch import Tensor

from core.errors import UserError
from core.evaluation.counting import Counting, count_detections
from core.evaluation.detection_matching import ImageOverlaps, compute_overlaps
from core.structures import Detections, GroundTruth
from playground.evaluations.results import EvaluationResult
from playground.pipeline.pipeline import Pipeline
from playground.steps.dials import Dials
from playground.support.cache import Cache

_counts = Cache()


class Material(NamedTuple):
    """Pictures with their detections and objects, the input of average precision.

    Attributes:
        key: Identifies them in caches.
        overlaps: Of each picture.
        class_names: Names of the classes that they are labelled with.
        picture_names: Names of the pictures, () for the picture on show alone.
        dropped: Number of detections of classes that the pictures are not labelled with.
        beyond: Number of detections beyond the best `MAX_DETECTIONS` of their class in a picture, which do not count.
    """

    key: object
    overlaps: tuple[ImageOverlaps, ...]
    class_names: tuple[str, ...]
    picture_names: tuple[str, ...] = ()
    dropped: int = 0
    beyond: int = 0


class Choice(NamedTuple):
    """A count in progress: the material, its class (None for all), the ordered detections, and how many are counted."""

    material: Material
    label: int | None
    counting: Counting
    so_far: int


def of_picture(pipeline: Pipeline) -> Material:
    """Returns the picture on show; detections of classes that it is not labelled with are dropped, but counted.

    Raises:
        UserError: The weights do not know a class of the picture, or there are no objects to find.
    """
    if not len(pipeline.objects[0]):
        raise UserError("This picture has no objects, so that nothing can be found: choose or draw one with objects.")
    pipeline.labels  # noqa: B018 (raises WeightsError if the weights do not know a class of the picture)
    own, found = pipeline.picture.class_names, pipeline.detections
    labels = pipeline.own_labels[found.labels]
    keep = labels >= 0
    detections = Detections(found.boxes[keep], found.scores[keep], labels[keep])
    overlaps = compute_overlaps([detections], [GroundTruth.of(pipeline.picture.sample)])
    key = (pipeline.outputs_key, pipeline.picture.objects_key, own, pipeline.config.inference, pipeline.config.anchors)
    beyond = len(detections.boxes) - len(overlaps[0].detection)
    return Material(key, tuple(overlaps), own, dropped=int((~keep).sum()), beyond=beyond)


def kept_boxes(pipeline: Pipeline) -> Tensor:
    """Returns the boxes [D, 4] of the detections that `of_picture` keeps, in pixels of the resized picture."""
    order = pipeline.fates.order
    return pipeline.fates.box[order][pipeline.own_labels[pipeline.candidates.label[order]] >= 0]


def of_evaluation(result: EvaluationResult) -> Material:
    """Returns all pictures of an evaluation."""
    found = sum(len(image.detections.boxes) for image in result.images)
    beyond = found - sum(len(each.detection) for each in result.overlaps)
    return Material(result.id, result.overlaps, result.class_names, result.names, beyond=beyond)


def choose(material: Material, dials: Dials) -> Choice:
    """Returns what the dials choose; a class that the material does not have counts as all classes."""
    label = material.class_names.index(dials.of) if dials.of in material.class_names else None

    def compute() -> Counting:
        return count_detections(material.overlaps, len(material.class_names), dials.match, label)

    counting = _counts.get((material.key, label, dials.match), compute)
    return Choice(material, label, counting, min(dials.counted, len(counting.detections)))
