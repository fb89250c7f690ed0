"""References to pictures of data sets: the data set, the split and the index of the picture."""

from dataclasses import dataclass, replace
from typing import TypeGuard

from core.config import ConfigError
from core.data.dataset import SPLITS
from core.errors import quote
from playground.albums.album import ALL, is_album_key

PHOTOGRAPHS = "photographs"  # the source of the photographs among the examples
UPLOAD = "upload"  # stands for a picture that no album holds, which nobody else can open
SCENES = "scenes"  # the source of held-out scenes; every other source is the name of a data set or the key of an album


@dataclass(frozen=True)
class ImageRef:
    """A reference to a picture of a data set.

    Attributes:
        source: `SCENES`, `PHOTOGRAPHS`, the name of a data set in the library, or the key of an album.
        split: One of `core.data.dataset.SPLITS`; also `ALL` for an album, and it alone for photographs.
        index: The index of the picture in the split, from 0.
    """

    source: str
    split: str
    index: int = 0

    def with_index(self, index: int) -> "ImageRef":
        """Returns a reference to another picture of the split."""
        return replace(self, index=index)

    @property
    def link(self) -> str:
        """The reference as links write it, with pictures counted from 1."""
        return f"{self.source}/{self.split}/{self.index + 1}"

    @classmethod
    def from_link(cls, text: str) -> "ImageRef | None":
        """Parses what `link` returns; returns None for "".

        Raises:
            ConfigError: The text is not a reference.
        """
        if not text:
            return None
        source, split, number = (*text.split("/"), "", "")[:3]
        is_number = number.isascii() and number.isdecimal() and 0 < len(number) < 10
        if not source or split not in splits_of(source) or not is_number or int(number) < 1 or text.count("/") != 2:
            raise ConfigError(f"data = {quote(text)} is not allowed: it must be like name/{SPLITS[0]}/1.")
        return cls(source, split, int(number) - 1)


def splits_of(source: str) -> tuple[str, ...]:
    """Returns the names of all splits that a source can have."""
    if source == PHOTOGRAPHS:
        return (ALL,)
    return (ALL, *SPLITS) if is_album_key(source) else SPLITS


def is_from_data_set(image_ref: ImageRef | None) -> TypeGuard[ImageRef]:
    """True for a picture of a data set in the library, False for a scene, a photograph, an album or nothing."""
    if image_ref is None or image_ref.source in (SCENES, PHOTOGRAPHS):
        return False
    return not is_album_key(image_ref.source)


def is_from_album(image_ref: ImageRef | None) -> TypeGuard[ImageRef]:
    """True for a picture of an album."""
    return image_ref is not None and is_album_key(image_ref.source)


def training_split(image_ref: ImageRef | None) -> ImageRef | None:
    """Returns what a run that is started beside a picture trains on, as a split; None for rendered scenes."""
    if is_from_album(image_ref) or is_from_data_set(image_ref):
        return ImageRef(image_ref.source, "train")
    return None
