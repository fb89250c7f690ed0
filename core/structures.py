"""The data structures that all packages share: an image with its objects, and the detections in an image."""

from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:  # a data set is read and checked without PyTorch
    from torch import Tensor


class Sample(NamedTuple):
    """An image and its ground truth.

    Attributes:
        image: uint8 [3, H, W], RGB.
        boxes: float32 [M, 4], xyxy pixels.
        labels: int64 [M], 0 … K−1.
        crowd: bool [M]; crowd regions (COCO `iscrowd`, VOC `difficult`) are used neither in training nor in evaluation.
        image_id: The data set's number of this image.
    """

    image: "Tensor"
    boxes: "Tensor"
    labels: "Tensor"
    crowd: "Tensor"
    image_id: int


class Detections(NamedTuple):
    """The objects a detector found in one image, by descending score.

    Attributes:
        boxes: float32 [N, 4], xyxy pixels of the original image.
        scores: float32 [N].
        labels: int64 [N], 0 … K−1.
    """

    boxes: "Tensor"
    scores: "Tensor"
    labels: "Tensor"


class GroundTruth(NamedTuple):
    """The objects of a `Sample` without its image, as evaluation needs them.

    Attributes:
        boxes: float32 [M, 4], xyxy pixels.
        labels: int64 [M], 0 … K−1.
        crowd: bool [M]; detections that match crowd regions are neither true nor false positives.
        size: Height and width of the image in pixels; None if they are not known.
    """

    boxes: "Tensor"
    labels: "Tensor"
    crowd: "Tensor"
    size: tuple[int, int] | None = None

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Returns the ground truth of a sample."""
        height, width = sample.image.shape[-2:]
        return cls(sample.boxes, sample.labels, sample.crowd, (height, width))
