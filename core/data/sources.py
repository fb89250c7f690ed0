"""Opens the data for training and evaluation: rendered scenes, or a folder in any format of `core.data.formats`."""

from functools import cached_property
from pathlib import Path

import numpy as np

from core.config import Scenes
from core.data.dataset import SPLITS, DataSet, require_split
from core.data.folders import open_folder
from core.data.untrusted import DataError
from core.scenes.render import CLASS_NAMES, expected_objects, lay_out_visible, render_scene
from core.structures import Sample

SCENES_PER_SPLIT = 500_000_000  # split n renders scenes from n times this number on, so that splits never overlap

SHARED = 1000  # scenes whose objects are laid out to find the shares of classes


class SceneData(DataSet):
    """Rendered scenes as a data set.

    Args:
        scenes: The settings of the renderer.
        length: Number of scenes, at most `SCENES_PER_SPLIT`.
        split: One of `SPLITS`.

    Raises:
        DataError: The length is out of range or the split is unknown.
    """

    class_names = CLASS_NAMES

    def __init__(self, scenes: Scenes, length: int, split: str) -> None:
        require_split(split)
        require_scene_count(length)
        self._scenes = scenes
        first = SPLITS.index(split) * SCENES_PER_SPLIT
        self._indices = range(first, first + length)

    @property
    def class_counts(self) -> np.ndarray:
        """The number of objects of each class that the settings lead to expect, if all find room, float64 [K]."""
        return expected_objects(self._scenes) * len(self)

    @cached_property
    def class_shares(self) -> np.ndarray:
        """The share of scenes with objects of each class, among the first thousand, float64 [K]; kept."""
        return self._share_classes(min(len(self), SHARED))

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels of a scene's objects, int64 [M], without painting it."""
        return np.array([placed.item.label for placed in lay_out_visible(self._scenes, self._indices[index])], np.int64)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        return render_scene(self._scenes, self._indices[index])


def require_scene_count(count: int) -> None:
    """Raises `DataError` unless a split can have that number of scenes."""
    if not 1 <= count <= SCENES_PER_SPLIT:
        raise DataError(f"Cannot render {count:,} scenes: ask for 1 to {SCENES_PER_SPLIT:,}.")


def open_data(
    source: str, split: str, scenes: Scenes, length: int, *, format: str | None = None, strict: bool = False
) -> DataSet:
    """Opens a data set.

    Args:
        source: "scenes", or a folder in any format of `core.data.formats`.
        split: One of `SPLITS`.
        scenes: The settings of rendered scenes.
        length: Number of rendered scenes; ignored for a folder.
        format: The key of a folder's annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.

    Raises:
        core.data.folders.AmbiguousFormatError: The folder can be read in several formats.
        DataError: The data set or the split does not exist, or it cannot be used.
    """
    if source == "scenes":
        return SceneData(scenes, length, split)
    return open_folder(Path(source), split, format=format, strict=strict)
