"""The picture on the page: a scene, or somebody's own, with its objects."""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from core.config import Scenes
from core.data.images import open_image
from core.errors import PictureError
from core.retinanet.boxes import rescale
from core.scenes.render import CLASS_NAMES, render_scene
from core.structures import Sample

MAX_SIDE = 2048  # px; larger uploads are shown scaled down, since the network sees at most a good 1,300


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and its objects; the keys tell whether two have the same pixels or objects.

    Attributes:
        name: For people.
        sample: Pixels and ground truth.
        class_names: What the labels mean.
        pixels_key: Hash of the pixels.
        objects_key: Hash of boxes and labels.
        shrunk: By what a place in the data set's picture, x and y, is multiplied.
    """

    name: str
    sample: Sample
    class_names: tuple[str, ...]
    pixels_key: str
    objects_key: str
    shrunk: tuple[float, float] = (1.0, 1.0)

    def with_objects(self, boxes: Tensor, labels: Tensor, class_names: tuple[str, ...]) -> "Picture":
        """Returns the picture with other ground truth: float32 [M, 4] and int64 [M]."""
        crowd = torch.zeros(len(labels), dtype=torch.bool)
        sample = self.sample._replace(boxes=boxes, labels=labels, crowd=crowd)
        return replace(self, sample=sample, class_names=class_names, objects_key=_hash(boxes, labels))


@lru_cache(maxsize=32)
def scene(scenes: Scenes) -> Picture:
    """Returns the scene that the dials and the seed describe."""
    return _picture(f"scene {scenes.seed}", render_scene(scenes, 0), CLASS_NAMES)


def uploaded(path: str, name: str, class_names: tuple[str, ...]) -> Picture:
    """Opens somebody's picture; it has no objects until they are drawn.

    Raises:
        core.data.images.PictureError: It cannot be opened.
    """
    try:
        image = _shrink(open_image(path))
    except PictureError as error:  # where the server keeps it says nothing to them
        raise PictureError(str(error).replace(str(path), name)) from None
    empty = torch.zeros(0, dtype=torch.int64)
    sample = Sample(image, torch.zeros(0, 4), empty, empty.bool(), 0)
    return _picture(name, sample, class_names)


def of_sample(name: str, sample: Sample, class_names: tuple[str, ...]) -> Picture:
    """Returns a picture of a data set with its objects; a large one is scaled down with them."""
    image = _shrink(sample.image)
    down, across = (after / before for after, before in zip(image.shape[1:], sample.image.shape[1:], strict=True))
    boxes = rescale(sample.boxes, across, down)
    return replace(_picture(name, sample._replace(image=image, boxes=boxes), class_names), shrunk=(across, down))


def _shrink(image: Tensor) -> Tensor:
    longer = max(image.shape[1:])
    if longer <= MAX_SIDE:
        return image
    size = [max(1, round(side * MAX_SIDE / longer)) for side in image.shape[1:]]
    resized = torch.nn.functional.interpolate(image[None].float(), size, mode="bilinear", antialias=True)
    return resized[0].round().to(torch.uint8)


def _picture(name: str, sample: Sample, class_names: tuple[str, ...]) -> Picture:
    return Picture(name, sample, class_names, _hash(sample.image), _hash(sample.boxes, sample.labels))


def _hash(*tensors: Tensor) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(repr(tuple(tensor.shape)).encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
