"""References to pictures of data sets: the data set, the split and the index of the picture."""

from dataclasses import dataclass, replace
from typing import TypeGuard

from core.config import ConfigError
from core.data.dataset import SPLITS

SCENES = "scenes"  # the source of held-out scenes; every other source is the name of a data set


@dataclass(frozen=True)
class ImageRef:
    """A reference to a picture of a data set.

    Attributes:
        source: `SCENES`, or the name of a data set in the library.
        split: One of `core.data.dataset.SPLITS`.
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
        if not source or split not in SPLITS or not is_number or int(number) < 1 or text.count("/") != 2:
            raise ConfigError(f"data = {text[:100]!r} is not allowed: it must be like name/{SPLITS[0]}/1.")
        return cls(source, split, int(number) - 1)


def is_from_data_set(image_ref: ImageRef | None) -> TypeGuard[ImageRef]:
    """True for a picture of a visitor's data set, False for a scene or no reference."""
    return image_ref is not None and image_ref.source != SCENES
