"""Where a picture of a data set is: the data set, its split, and its number there."""

from typing import NamedTuple, TypeGuard

from core.config import ConfigError
from core.data.dataset import SPLITS

SCENES = "scenes"  # held-out scenes made with the dials, beside the names of data sets


class ImageRef(NamedTuple):
    """A picture of a data set.

    Attributes:
        source: `SCENES`, or the name of a data set that is kept.
        split: One of `core.data.dataset.SPLITS`.
        index: Of the picture, from 0.
    """

    source: str
    split: str
    index: int = 0

    @property
    def link(self) -> str:
        """Names it in links, pictures counted from 1."""
        return f"{self.source}/{self.split}/{self.index + 1}"

    @classmethod
    def from_link(cls, text: str) -> "ImageRef | None":
        """Reads what `link` writes; None for "".

        Raises:
            ConfigError: It is no such place.
        """
        if not text:
            return None
        source, split, number = (*text.split("/"), "", "")[:3]
        counted = number.isascii() and number.isdecimal() and 0 < len(number) < 10
        if not source or split not in SPLITS or not counted or int(number) < 1 or text.count("/") != 2:
            raise ConfigError(f"data = {text[:100]!r} is not allowed: it must be like name/{SPLITS[0]}/1.")
        return cls(source, split, int(number) - 1)


def is_kept(place: ImageRef | None) -> TypeGuard[ImageRef]:
    """Whether a picture is in a data set that a visitor brought, and not a scene."""
    return place is not None and place.source != SCENES
