"""The `DataSet` interface, and `FolderData`: data sets in a folder, with checked boxes and images decoded on access."""

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from core.data.images import open_image
from core.data.left_out import NOTHING, LeftOut
from core.data.raw import JudgedBoxes, RawData, RawImage, describe_clipped, judge_boxes, name_images, place_objects
from core.data.untrusted import DataError
from core.errors import PictureError
from core.structures import Sample

SPLITS = ("train", "val", "test")
RARE = 0.1  # of the objects of the most frequent class


class DataSet(ABC):
    """Images with their objects, by index.

    Attributes:
        class_names: The class names of labels 0 … K−1.
        dropped: Number of boxes left out because they have no area inside their image or are not finite.
        reading: How the annotations were read, as sentences for people; "" for rendered scenes.
        left_out: What could not be used of the whole data set, all its splits together.
    """

    class_names: tuple[str, ...]
    dropped: int = 0
    reading: str = ""
    left_out: LeftOut = NOTHING

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category ids of labels 0 … K−1 in COCO results files: 1 … K unless the data set defines other ids."""
        return tuple(range(1, len(self.class_names) + 1))

    def image_name(self, index: int) -> str:
        """Returns an image's name for display, without decoding the image."""
        return f"picture {index + 1}"

    @property
    def class_counts(self) -> np.ndarray:
        """The number of usable objects of each class, crowd regions aside, float64 [K]; expected ones of scenes."""
        labels = np.concatenate([np.zeros(0, np.int64), *map(self.labels_of, range(len(self)))])
        return np.bincount(labels, minlength=len(self.class_names)).astype(np.float64)

    @property
    def rare_classes(self) -> list[str]:
        """The names of the classes with objects, but less than a tenth of those of the most frequent one."""
        counts = self.class_counts
        rare = (counts > 0) & (counts < RARE * counts.max(initial=0))
        return [name for name, is_rare in zip(self.class_names, rare.tolist(), strict=True) if is_rare]

    @property
    def class_shares(self) -> np.ndarray:
        """The share of images with usable objects of each class, float64 [K]; of scenes that of the first ones."""
        return self._share_classes(len(self))

    def _share_classes(self, images: int) -> np.ndarray:
        """Returns the share of the first images that have usable objects of each class, float64 [K]."""
        counts = np.zeros(len(self.class_names))
        for index in range(images):
            counts[np.unique(self.labels_of(index))] += 1
        return counts / max(1, images)

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels of an image's usable objects, crowds aside, int64 [M]; none of a damaged picture."""
        try:
            sample = self[index]
        except PictureError:
            return np.zeros(0, np.int64)
        labels: np.ndarray = sample.labels[~sample.crowd].numpy()
        return labels

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of images."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """Returns one image with its objects; raises `IndexError` past the end."""


class FolderData(DataSet):
    """A data set in a folder; images are decoded on access, and none is opened before.

    Args:
        raw: The content of the annotation files.
        reading: How they were read, as sentences for people.
        left_out: What could not be used of the whole data set.
    """

    def __init__(self, raw: RawData, reading: str = "", left_out: LeftOut = NOTHING) -> None:
        self.class_names = raw.class_names
        self.left_out, self._reading = left_out, reading
        self._category_ids = raw.category_ids
        self._images = raw.images

    @cached_property
    def reading(self) -> str:  # type: ignore[override]
        """How the annotations were read, as sentences for people, and which boxes of the split are clipped."""
        return self._reading + describe_clipped(self._images, self.judged)

    @cached_property
    def judged(self) -> JudgedBoxes:
        """The boxes of all images, one image after the other, as far as the annotations tell their sizes."""
        return judge_boxes(self._images)

    @cached_property
    def dropped(self) -> int:  # type: ignore[override]
        """Number of boxes left out because they have no area inside their image or are not finite.

        Of an image whose size is not annotated only those that any size would leave out.
        """
        return int((~self.judged.valid).sum())

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels as annotated; the image is not opened, so its size is not checked."""
        return self._usable_labels[index]

    @cached_property
    def _usable_labels(self) -> list[np.ndarray]:
        ends = np.cumsum([len(image.labels) for image in self._images])
        valid = np.split(self.judged.valid, ends[:-1]) if len(ends) else []
        return [image.labels[good & ~image.crowd] for image, good in zip(self._images, valid, strict=True)]

    @cached_property
    def _names(self) -> list[str]:
        return name_images(self._images)

    @cached_property
    def digest(self) -> str:
        """A digest of the images, independent of their order."""
        return hashlib.sha256("\0".join(sorted(self._names)).encode(errors="surrogateescape")).hexdigest()[:16]

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The category ids of the annotation files."""
        return self._category_ids

    @property
    def images(self) -> list[RawImage]:
        """The images as annotated, which need not be opened to measure their objects."""
        return self._images

    def image_name(self, index: int) -> str:
        """Returns the path of an image's file, without the folders that all of the split have in common."""
        return self._names[index]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:
        """Decodes an image and returns it with its objects.

        Raises:
            IndexError: The index is past the end.
            PictureError: The image cannot be decoded.
            DataError: The image's size differs from the annotated one, so its boxes would be misplaced.
        """
        image = self._images[index]
        pixels = open_image(image.path)
        height, width = pixels.shape[1:]
        if image.size and image.size != (width, height):
            raise DataError(
                f"{image.path} has {width}×{height} pixels (upright), but {image.source} says "
                f"{image.size[0]}×{image.size[1]}: correct the size, or save the picture without EXIF rotation."
            )
        import torch  # which a process that reads or checks annotations does without

        boxes, labels, crowd = map(torch.from_numpy, place_objects(image, (width, height)))
        return Sample(pixels, boxes, labels, crowd, image.image_id)


def require_split(split: str) -> None:
    """Raises `DataError` unless the split is one of `SPLITS`."""
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}: choose one of {', '.join(SPLITS)}.")
