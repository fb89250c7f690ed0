"""Pictures and annotations of data sets: held-out scenes, the data sets in the library, and albums."""

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import NamedTuple

from core.analysis.image_check import ImageFacts, measure_images
from core.analysis.issues import Issue, Issues
from core.analysis.size_check import ClassSizes, measure_sizes
from core.config import Config, Scenes, knobs
from core.data.dataset import DataSet, FolderData
from core.data.folders import read_folder
from core.data.raw import RawImage, measure_size, name_images
from core.data.sources import SceneData
from core.data.untrusted import DataError
from core.errors import UserError
from core.evaluation.damage import read_usable
from core.io.text import count_noun
from core.structures import Sample
from playground.albums.album import ALL, MINE, SHARED, is_album_key
from playground.albums.samples import AlbumSplit
from playground.albums.service import ALBUMS
from playground.data.datasets import DATA, hide_data_set
from playground.data.image_ref import PHOTOGRAPHS, SCENES, ImageRef, is_from_album
from playground.data.photographs import open_photograph
from playground.data.picture import Picture, picture_of_album, picture_of_sample
from playground.support.cache import Cache

SCENES_SPLIT = "val"  # the split of the held-out scenes; no run trains on it
MAX_SCENES = int(knobs()["training.eval_images"].le or 0)  # held-out scenes to browse: all that an evaluation can use
_pictures, _annotations, _facts, _sizes = Cache(), Cache(), Cache(), Cache()


class ObjectSizes(NamedTuple):
    """The sizes of a data set's objects, compared with the anchors.

    Attributes:
        classes: Sizes by class name.
        unmatched: The issue that names the objects without a matching anchor, () if every object has one.
    """

    classes: dict[str, ClassSizes]
    unmatched: tuple[Issue, ...]


def open_source(image_ref: ImageRef, scenes: Scenes, visitor: str = "") -> DataSet:
    """Opens the split that a reference names, whatever its index.

    Args:
        image_ref: Names the split.
        scenes: Settings of held-out scenes.
        visitor: Who wants to see it: albums can be private.

    Raises:
        DataError: There is no such data set or split, it cannot be read, or the visitor may not see it.
    """
    if is_from_album(image_ref):
        return ALBUMS.open_split(image_ref.source, image_ref.split, visitor)
    if image_ref.source == SCENES:
        return SceneData(scenes, MAX_SCENES, image_ref.split)
    return DATA.open_split(image_ref.source, image_ref.split)


def measure_first(data: DataSet, scenes: Scenes) -> tuple[int, int] | None:
    """Returns height and width of the first picture of an opened split, None if it cannot be measured.

    Args:
        data: What `open_source` has returned.
        scenes: Settings of held-out scenes.
    """
    if not isinstance(data, FolderData | AlbumSplit):  # rendered scenes
        return scenes.image_size, scenes.image_size
    try:
        width, height = measure_size(data.images[0])
    except (IndexError, UserError):
        return None
    return height, width


def source_key(image_ref: ImageRef, scenes: Scenes, visitor: str = "") -> Hashable:
    """Returns a key that changes with the pictures of the split.

    Raises:
        DataError: There is no such data set, or the visitor may not see it.
    """
    source, split = image_ref.source, image_ref.split
    if is_from_album(image_ref):
        return source, split, ALBUMS.split_stamp(source, split, visitor)
    return source, split, scenes if source == SCENES else DATA.library.get(source).stamp


def name_source(image_ref: ImageRef, visitor: str = "") -> str:
    """Returns the name of a reference's data set for people."""
    if not is_from_album(image_ref):
        return image_ref.source
    album = ALBUMS.of(visitor)
    return MINE if album and album.key == image_ref.source else SHARED


def open_picture(image_ref: ImageRef, scenes: Scenes, visitor: str = "") -> Picture:
    """Opens a picture of a data set.

    Raises:
        DataError: There is no such picture, its data set cannot be read, or the visitor may not see it.
        PictureError: The picture cannot be opened.
    """
    if image_ref.source == PHOTOGRAPHS:
        return open_photograph(image_ref.index)
    data, index = open_source(image_ref, scenes, visitor), image_ref.index
    if index >= len(data):
        raise DataError(
            f"{name_source(image_ref, visitor)} has {count_noun(len(data), 'picture')} for {image_ref.split}, and no "
            f"picture {index + 1}: choose another one."
        )
    if is_from_album(image_ref):
        album = ALBUMS.get(image_ref.source, visitor)
        place = album.indices(image_ref.split)[index]
        return picture_of_album(album, place, ALBUMS.open_image(album, place))

    def read() -> Picture:
        try:
            picture = picture_of_sample(data.image_name(index), data[index], data.class_names)
            return replace(picture, is_scene=image_ref.source == SCENES)
        except UserError as error:
            error.args = (hide_data_set(str(error), image_ref.source),)
            raise

    picture: Picture = _pictures.get((source_key(image_ref, scenes, visitor), index), read)
    return picture


def find_first_usable(name: str, splits: Iterable[str], config: Config) -> ImageRef:
    """Returns the first picture of a data set that can be used; the very first one if there is none.

    Args:
        name: The name of the data set.
        splits: The names of its splits, at least one.
        config: The image sizes that the network can process.

    Raises:
        DataError: There is no such data set, or it cannot be read.
    """
    first, *others = (ImageRef(name, split) for split in splits)
    for image_ref in (first, *others):
        data = open_source(image_ref, config.scenes)
        for index in range(len(data)):
            if isinstance(read_usable(data, index, config.inference), Sample):
                return image_ref.with_index(index)
    return first


def measure_objects(name: str, config: Config) -> ObjectSizes:
    """Compares the objects of all splits of a data set with the anchors of the settings. No picture is opened.

    Raises:
        DataError: There is no such data set, or its annotations cannot be read any more.
    """
    data_set, facts = DATA.library.get(name), read_annotations(name, config)

    def measure() -> ObjectSizes:
        issues = Issues(data_set.folder)
        images = [image for split in facts.values() for image in split]
        classes = measure_sizes(images, data_set.check.class_names, config, issues)
        return ObjectSizes(classes, issues.to_tuple())

    key = (name, data_set.stamp, _input_size(config), config.anchors, config.matching.fg_iou_threshold)
    sizes: ObjectSizes = _sizes.get(key, measure)
    return sizes


def read_annotations(name: str, config: Config, visitor: str = "") -> dict[str, list[ImageFacts]]:
    """Returns the objects of a data set's pictures at the network's input size, by split.

    Raises:
        DataError: There is no such data set, its annotations cannot be read any more, or the visitor may not see it.
    """
    if is_album_key(name):
        splits = [split for split in ALBUMS.get(name, visitor).counts() if split != ALL]
        return {split: _measure(split, ALBUMS.open_split(name, split, visitor).images, config) for split in splits}
    data_set = DATA.library.get(name)

    def read() -> dict[str, list[RawImage]]:
        return {split: read_folder(data_set.folder, split, data_set.format).images for split in data_set.splits}

    def scale() -> dict[str, list[ImageFacts]]:
        images: dict[str, list[RawImage]] = _annotations.get((name, data_set.stamp), read)
        return {split: _measure(split, images[split], config) for split in images}

    facts: dict[str, list[ImageFacts]] = _facts.get((name, data_set.stamp, _input_size(config)), scale)
    return facts


def _measure(split: str, images: list[RawImage], config: Config) -> list[ImageFacts]:
    return measure_images(images, (f"{split}: {name}" for name in name_images(images)), config.inference)


def _input_size(config: Config) -> tuple[int, int]:
    return config.inference.image_size, config.inference.max_image_size
