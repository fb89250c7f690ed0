"""An album: the pictures of one visitor with the objects that the visitor has drawn."""

import re
from typing import NamedTuple

from core.data.dataset import SPLITS
from core.data.untrusted import DataError
from core.io.text import count_noun

ALL = "all"  # beside `SPLITS`: all pictures of an album, whether they are labelled or not
MINE, SHARED = "My pictures", "Shared pictures"  # names of the visitor's own album, and of another one
_KEY = re.compile("my-[0-9a-f]{16}")

Box = tuple[float, float, float, float]


class AlbumError(DataError):
    """An album that cannot be opened, or a change of one that is not possible."""


class AlbumPicture(NamedTuple):
    """A picture of an album.

    Attributes:
        file: The name of its file.
        title: The name for people.
        width: In pixels, of the stored picture.
        height: In pixels, of the stored picture.
        boxes: The objects, xyxy in pixels of the stored picture.
        labels: Their classes, 0 … K−1.
        labelled: True once objects are drawn, or the picture is marked as one without objects. Only such pictures are
            trained on and evaluated.
        rejected: Suggested boxes that the visitor rejected.
        split: The split that the visitor chose, "" to have it made.
        made: The split that was made, "" before the picture is labelled; counts if none is chosen.
        scaled: True if the picture was larger and has been scaled down.
    """

    file: str
    title: str
    width: int
    height: int
    boxes: tuple[Box, ...] = ()
    labels: tuple[int, ...] = ()
    labelled: bool = False
    rejected: tuple[Box, ...] = ()
    split: str = ""
    made: str = ""
    scaled: bool = False

    @property
    def used_in(self) -> str:
        """The split that the picture is in: chosen or made; "" if it is not labelled."""
        return (self.split or self.made) if self.labelled else ""


class Removed(NamedTuple):
    """A removed picture that can be restored: the picture, its former index and the time of removal in seconds."""

    picture: AlbumPicture
    place: int
    time: float


class Unread(NamedTuple):
    """The entries of a record that are damaged, as JSON: they are written again as they are, for whoever can read them.

    Attributes:
        pictures: Those of pictures.
        removed: Those of pictures that could be restored.
    """

    pictures: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Album(NamedTuple):
    """The pictures of one visitor.

    Attributes:
        key: The source of its pictures in references and links.
        owner: The visitor, see `playground.support.visitors`.
        shared: True if everyone who knows the key may look at it and use it.
        class_names: The names of classes 0 … K−1.
        class_colours: Their colours, "#rrggbb".
        pictures: In the order in which they were added.
        used: Unix time in seconds of the last use, to within an hour.
        removed: Pictures that can be restored, the latest last.
        stamp: Changes with everything but `used`.
        lost: The number of further pictures that cannot be read any more: those whose file is gone until the album is
            changed, those whose entry is damaged for good.
        unread: The damaged entries.
        is_previous: True if the record is damaged as a whole: this is the album before its last change.
    """

    key: str
    owner: str
    shared: bool = False
    class_names: tuple[str, ...] = ()
    class_colours: tuple[str, ...] = ()
    pictures: tuple[AlbumPicture, ...] = ()
    used: float = 0.0
    removed: tuple[Removed, ...] = ()
    stamp: str = ""
    lost: int = 0
    unread: Unread = Unread()
    is_previous: bool = False

    @property
    def labelled(self) -> int:
        """The number of labelled pictures."""
        return sum(each.labelled for each in self.pictures)

    def indices(self, split: str) -> tuple[int, ...]:
        """Returns the indices of a split's pictures in the album; `ALL` has them all."""
        return tuple(index for index, each in enumerate(self.pictures) if split in (ALL, each.used_in))

    def counts(self) -> dict[str, int]:
        """Returns the number of pictures in `ALL` and in each split that has any."""
        used = [each.used_in for each in self.pictures]
        return {ALL: len(used), **{split: used.count(split) for split in SPLITS if split in used}}

    def picture(self, index: int) -> AlbumPicture:
        """Returns a picture.

        Raises:
            AlbumError: There is no such picture.
        """
        if not 0 <= index < len(self.pictures):
            raise AlbumError(
                f"There is no picture {index + 1} here, since the album has "
                f"{count_noun(len(self.pictures), 'picture')}: choose another one."
            )
        return self.pictures[index]

    def with_picture(self, index: int, picture: AlbumPicture) -> "Album":
        """Returns the album with another picture in one place; raises as `picture`."""
        self.picture(index)
        return self._replace(pictures=(*self.pictures[:index], picture, *self.pictures[index + 1 :]))

    def name_for(self, visitor: str) -> str:
        """Returns the name that a visitor sees."""
        return MINE if visitor == self.owner else SHARED


def is_album_key(text: str) -> bool:
    """True if a text can be the key of an album."""
    return bool(_KEY.fullmatch(text))
