"""The picture on the page with its objects: a scene, an upload, or a picture of a data set."""

import hashlib
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.config import Scenes
from core.retinanet.boxes import rescale
from core.scenes.render import CLASS_NAMES, render_scene
from core.structures import Sample
from playground.albums.album import Album
from playground.albums.samples import to_tensors
from playground.support.cache import Cache
from playground.support.picture_limits import limit_size, open_limited

_scenes = Cache()


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture and its objects. Two pictures with the same keys have the same pixels and objects.

    Attributes:
        name: The name shown to people.
        sample: Pixels and ground truth.
        class_names: The names of classes 0 … K−1.
        pixels_key: Hash of the pixels.
        objects_key: Hash of boxes, labels and the names of their classes.
        scale: Factors (x, y) from the data set's picture to this one.
        is_scene: True for a rendered scene, generated or held out.
    """

    name: str
    sample: Sample
    class_names: tuple[str, ...]
    pixels_key: str
    objects_key: str
    scale: tuple[float, float] = (1.0, 1.0)
    is_scene: bool = False

    def with_objects(self, boxes: Tensor, labels: Tensor, class_names: tuple[str, ...]) -> "Picture":
        """Returns the picture with other ground truth.

        Args:
            boxes: float32 [M, 4], xyxy pixels.
            labels: int64 [M].
            class_names: The names of classes 0 … K−1.
        """
        crowd = torch.zeros(len(labels), dtype=torch.bool)
        sample = self.sample._replace(boxes=boxes, labels=labels, crowd=crowd)
        return replace(
            self, sample=sample, class_names=class_names, objects_key=_hash_objects(boxes, labels, class_names)
        )


def render_picture(scenes: Scenes) -> Picture:
    """Renders the scene that the settings describe."""

    def render() -> Picture:
        return replace(_make_picture(f"scene {scenes.seed}", render_scene(scenes, 0), CLASS_NAMES), is_scene=True)

    return _scenes.get(scenes, render)


def open_upload(path: str, name: str, class_names: tuple[str, ...]) -> Picture:
    """Opens an uploaded picture, which has no objects until somebody draws them.

    Raises:
        PictureError: It cannot be opened.
    """
    image, _ = open_limited(path, name)
    no_labels = torch.zeros(0, dtype=torch.int64)
    sample = Sample(image, torch.zeros(0, 4), no_labels, no_labels.bool(), 0)
    return _make_picture(name, sample, class_names)


def picture_of_sample(name: str, sample: Sample, class_names: tuple[str, ...]) -> Picture:
    """Returns a picture of a data set with its objects; a large one is scaled down."""
    image = limit_size(sample.image)
    scale_y, scale_x = (after / before for after, before in zip(image.shape[1:], sample.image.shape[1:], strict=True))
    boxes = rescale(sample.boxes, scale_x, scale_y)
    picture = _make_picture(name, sample._replace(image=image, boxes=boxes), class_names)
    return replace(picture, scale=(scale_x, scale_y))


def picture_of_album(album: Album, index: int, image: Tensor) -> Picture:
    """Returns a picture of an album with its objects.

    Args:
        album: The album.
        index: The index of the picture in it.
        image: Its pixels, which never change: each file has a name of its own.
    """
    stored = album.pictures[index]
    boxes, labels = to_tensors(stored)
    sample = Sample(image, boxes, labels, torch.zeros(len(labels)).bool(), index + 1)
    objects_key = _hash_objects(boxes, labels, album.class_names)
    return Picture(stored.title, sample, album.class_names, key_in_album(album, index), objects_key)


def key_in_album(album: Album, index: int) -> str:
    """Returns the `pixels_key` of a picture of an album, whichever index it has."""
    return f"{album.key}/{album.pictures[index].file}"


def _make_picture(name: str, sample: Sample, class_names: tuple[str, ...]) -> Picture:
    objects_key = _hash_objects(sample.boxes, sample.labels, class_names)
    return Picture(name, sample, class_names, _hash(sample.image), objects_key)


def _hash_objects(boxes: Tensor, labels: Tensor, class_names: tuple[str, ...]) -> str:
    """Returns a hash of objects; classes that none of them has do not count."""
    names = [class_names[label] for label in labels.tolist()]
    return hashlib.sha256(f"{_hash(boxes, labels)} {names}".encode(errors="surrogatepass")).hexdigest()


def _hash(*tensors: Tensor) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(repr(tuple(tensor.shape)).encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
