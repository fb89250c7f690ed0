"""A split of an album as a data set."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.data.dataset import DataSet
from core.data.raw import RawImage
from core.structures import Sample
from playground.albums.album import Album, AlbumPicture
from playground.albums.storage import PICTURES, RECORD


class AlbumSplit(DataSet):
    """The pictures of a split, or all pictures.

    Args:
        album: The album.
        indices: Those of the split's pictures.
        open_image: Opens a picture of the album by its index.
    """

    def __init__(self, album: Album, indices: Sequence[int], open_image: Callable[[Album, int], Tensor]) -> None:
        self.class_names = album.class_names
        self.indices = tuple(indices)
        self._album, self._open_image = album, open_image

    @property
    def images(self) -> list[RawImage]:
        """The pictures as they are annotated; no file is opened."""
        return [_describe(self._album, index) for index in self.indices]

    def image_name(self, index: int) -> str:
        """Returns the title of a picture."""
        return self._album.pictures[self.indices[index]].title

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels of a picture's objects, int64 [M]; the file is not opened."""
        return np.array(self._album.pictures[self.indices[index]].labels, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Sample:
        place = self.indices[index]
        boxes, labels = to_tensors(self._album.pictures[place])
        return Sample(self._open_image(self._album, place), boxes, labels, torch.zeros(len(labels)).bool(), place + 1)


def to_tensors(picture: AlbumPicture) -> tuple[Tensor, Tensor]:
    """Returns the boxes, float32 [M, 4], and the labels, int64 [M], of a picture's objects."""
    return torch.tensor(picture.boxes).float().reshape(-1, 4), torch.tensor(picture.labels, dtype=torch.int64)


def _describe(album: Album, index: int) -> RawImage:
    picture = album.pictures[index]
    return RawImage(
        path=Path(album.key, PICTURES, picture.file),
        source=Path(album.key, RECORD),
        size=(picture.width, picture.height),
        image_id=index + 1,
        boxes=np.array(picture.boxes, dtype=np.float64).reshape(-1, 4),
        labels=np.array(picture.labels, dtype=np.int64),
        crowd=np.zeros(len(picture.labels), dtype=bool),
    )
