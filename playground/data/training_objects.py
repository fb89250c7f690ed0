"""How many objects of each class a run that is started from the page would train on: class weights follow from them."""

from collections.abc import Mapping
from typing import NamedTuple

from core.config import Scenes
from core.data.dataset import DataSet
from core.data.sources import SceneData
from core.errors import UserError
from core.runs.splits import TRAINING_SCENES
from playground.data.image_ref import ImageRef, is_from_album, training_split
from playground.data.sources import open_source, source_key
from playground.support.cache import Cache

_counts = Cache()


class TrainingObjects(NamedTuple):
    """The objects that training would see.

    Attributes:
        source: What they are from, as a noun.
        counts: The number of each class by name; none if the data has no training pictures.
    """

    source: str
    counts: Mapping[str, float]


def count_training_objects(image_ref: ImageRef | None, scenes: Scenes, visitor: str) -> TrainingObjects:
    """Counts the objects of a run that is started beside this picture: of its data set, its album, or of scenes."""
    if split := training_split(image_ref):
        name = "the album" if is_from_album(split) else f"the data set {split.source}"
        return TrainingObjects(name, _count(split, scenes, visitor))
    expected = SceneData(scenes, TRAINING_SCENES, "train")
    return TrainingObjects(f"{TRAINING_SCENES:,} scenes with these settings, as expected", _by_name(expected))


def _count(image_ref: ImageRef, scenes: Scenes, visitor: str) -> dict[str, float]:
    try:
        key = source_key(image_ref, scenes, visitor)
        counts: dict[str, float] = _counts.get(key, lambda: _by_name(open_source(image_ref, scenes, visitor)))
        return counts
    except UserError:  # there are no training pictures yet, which the start of a run explains
        return {}


def _by_name(data: DataSet) -> dict[str, float]:
    return dict(zip(data.class_names, data.class_counts.tolist(), strict=True))
