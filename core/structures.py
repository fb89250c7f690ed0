"""The two things that travel: a picture with its objects, and what a detector says of it."""

from typing import NamedTuple, Self

from torch import Tensor


class Sample(NamedTuple):
    """A picture and its ground truth.

    Attributes:
        image: uint8 [3, H, W], RGB.
        boxes: float32 [M, 4], xyxy pixels.
        labels: int64 [M], 0 … K−1.
        crowd: bool [M]; crowd regions (COCO `iscrowd`, VOC `difficult`) neither train nor count in evaluation.
        image_id: The data set's number of this picture.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    crowd: Tensor
    image_id: int


class Detections(NamedTuple):
    """What a detector found in one picture, best first.

    Attributes:
        boxes: float32 [N, 4], xyxy pixels of the original picture.
        scores: float32 [N].
        labels: int64 [N], 0 … K−1.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


class GroundTruth(NamedTuple):
    """What evaluation needs of a `Sample`, without its picture.

    Attributes:
        boxes: float32 [M, 4], xyxy pixels.
        labels: int64 [M], 0 … K−1.
        crowd: bool [M]; detections on them count neither for nor against.
    """

    boxes: Tensor
    labels: Tensor
    crowd: Tensor

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Returns the sample's objects."""
        return cls(sample.boxes, sample.labels, sample.crowd)
