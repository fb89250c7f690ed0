"""Where pictures come from beside the scene of the dials: held-out scenes and the data sets that are kept."""

from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

from core.analysis.image_check import ImageFacts, measure_image
from core.analysis.issues import Issue, Issues
from core.analysis.size_check import ClassSizes, measure_sizes
from core.config import Config, Scenes
from core.data.dataset import DataSet, RawImage
from core.data.folders import read_folder
from core.data.sources import SceneData
from core.data.untrusted import DataError
from playground.data.datasets import DATA
from playground.data.image_ref import SCENES, ImageRef
from playground.data.picture import Picture, of_sample
from playground.support.cache import Cache

SCENES_SPLIT = "val"  # of the scenes that are held out, which no training sees
MOST_SCENES = 5000  # that can be looked at one by one
_pictures, _annotated, _looks, _sizes = Cache(16), Cache(3), Cache(4), Cache(16)


class Sizes(NamedTuple):
    """The objects of a data set against the anchors: by class, and those that no anchor fits as an issue, if any."""

    classes: dict[str, ClassSizes]
    unmatched: tuple[Issue, ...]


def open_source(place: ImageRef, scenes: Scenes) -> DataSet:
    """Opens the data set of a place.

    Args:
        place: Its index does not count.
        scenes: The dials of held-out scenes.

    Raises:
        DataError: It is not kept, has no such split, or cannot be used.
    """
    if place.source == SCENES:
        return SceneData(scenes, MOST_SCENES, place.split)
    return DATA.open_split(place.source, place.split)


def source_key(place: ImageRef, scenes: Scenes) -> Hashable:
    """Returns what changes with the pictures of a place's split; raises as `open_source`."""
    stamp = scenes if place.source == SCENES else DATA.library.get(place.source).stamp
    return place.source, place.split, stamp


def picture_at(place: ImageRef, scenes: Scenes) -> Picture:
    """Returns a picture of a data set with its objects.

    Raises:
        DataError, core.data.images.PictureError: It is not there, or cannot be used.
    """
    data = open_source(place, scenes)
    if place.index >= len(data):
        raise DataError(f"{place.source} has {len(data)} pictures for {place.split}: there is no {place.index + 1}.")
    key = (source_key(place, scenes), place.index)
    return _pictures.get(key, lambda: of_sample(data.image_name(place.index), data[place.index], data.class_names))


def sizes_at(name: str, config: Config) -> Sizes:
    """Holds the objects of all splits of a data set against the anchors of the settings, without opening pictures.

    Raises:
        DataError: It is not kept, or its annotations cannot be read any more.
    """
    kept, looks = DATA.library.get(name), looks_of(name, config)
    matching, anchors = config.matching.fg_iou_threshold, config.anchors

    def measured() -> Sizes:
        issues = Issues(kept.folder)
        all_looks = [look for each in looks.values() for look in each]
        classes = measure_sizes(all_looks, kept.check.class_names, config, issues)
        return Sizes(classes, issues.to_tuple())

    return _sizes.get((name, kept.stamp, _seen(config), anchors, matching), measured)


def looks_of(name: str, config: Config) -> dict[str, list[ImageFacts]]:
    """Returns the boxes of a data set's pictures as the network sees them, by split; raises as `sizes_at`."""
    kept = DATA.library.get(name)

    def read() -> dict[str, list[RawImage]]:
        return {split: read_folder(kept.folder, split).images for split in kept.splits}

    def look() -> dict[str, list[ImageFacts]]:
        annotated = _annotated.get((name, kept.stamp), read)
        return {
            split: [measure_image(each, split, config.inference) for each in pictures]
            for split, pictures in annotated.items()
        }

    return _looks.get((name, kept.stamp, _seen(config)), look)


def _seen(config: Config) -> tuple[int, int]:
    return config.inference.image_size, config.inference.max_image_size


def folder_of(place: ImageRef | None) -> Path | None:
    """Returns the folder of a place's data set, None for scenes; counts as no use.

    Raises:
        DataError: It is not kept.
    """
    if place is None or place.source == SCENES:
        return None
    return DATA.library.get(place.source).folder
