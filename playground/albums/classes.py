"""The classes of an album: any names, each with a colour; they are added, renamed, merged and recoloured."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from core.data.untrusted import quote
from core.data.writers.names import is_plain
from playground.albums.album import Album, AlbumError, AlbumPicture
from playground.canvas.view import BLACK, CLASSES, WHITE

MAX_CLASSES, MAX_CLASS_NAME = 50, 40  # classes of an album, characters of a name
# White and black do not stand out from every picture.
PALETTE = tuple(colour.lower() for colour in CLASSES if colour not in (WHITE, BLACK))
_COLOUR = re.compile("#[0-9a-fA-F]{6}")


class Classes(NamedTuple):
    """The names and colours of classes 0 … K−1."""

    names: tuple[str, ...]
    colours: tuple[str, ...]

    def find(self, name: str) -> int | None:
        """Returns the index of a class, whatever the case of its name; None if there is none."""
        folded = [each.casefold() for each in self.names]
        return folded.index(name.casefold()) if name.casefold() in folded else None


def clean_class_name(name: object) -> str:
    """Returns the name of a class without blanks around it.

    Args:
        name: The name that a visitor typed; untrusted.

    Raises:
        AlbumError: It is empty, too long, or has characters that not every format of data sets can hold.
    """
    text = name.strip() if isinstance(name, str) else ""
    if not text or not is_plain(text) or not text.isprintable():
        raise AlbumError(f"{quote(name)} cannot be the name of a class: type letters, digits or other visible signs.")
    if len(text) > MAX_CLASS_NAME:
        raise AlbumError(
            f"The name of a class can have at most {MAX_CLASS_NAME} characters, not {len(text):,}: shorten it."
        )
    return text


def add_classes(album: Album, names: Sequence[object]) -> tuple[Album, list[int]]:
    """Returns the album with the classes that it lacks, and the index of each name in it.

    Args:
        album: The album.
        names: Untrusted.

    Raises:
        AlbumError: A name is not allowed, or there would be too many classes.
    """
    classes, indices = Classes(album.class_names, album.class_colours), []
    if len(names) > MAX_CLASSES:
        raise _too_many()
    for name in map(clean_class_name, names):
        index = classes.find(name)
        if index is None:
            index = len(classes.names)
            classes = Classes((*classes.names, name), (*classes.colours, _choose_colour(classes.colours)))
        indices.append(index)
    if len(classes.names) > MAX_CLASSES:
        raise _too_many()
    return album._replace(class_names=classes.names, class_colours=classes.colours), indices


def rename_class(album: Album, index: int, name: object) -> Album:
    """Returns the album with another name for a class.

    Raises:
        AlbumError: There is no such class, the name is not allowed, or another class has it.
    """
    text, classes = clean_class_name(name), _require_classes(album, index)
    if classes.find(text) not in (None, index):
        raise AlbumError(f"There is a class {text} already: merge the two instead.")
    return album._replace(class_names=(*classes.names[:index], text, *classes.names[index + 1 :]))


def merge_classes(album: Album, index: int, into: int) -> Album:
    """Returns the album with the objects of a class given to another; the class itself is gone.

    Raises:
        AlbumError: There is no such class, or both are the same.
    """
    classes = _require_classes(album, index, into)
    if index == into:
        raise AlbumError(f"The class {classes.names[index]} cannot be merged with itself: choose another one.")
    kept = [each for each in range(len(classes.names)) if each != index]
    to = {each: kept.index(into if each == index else each) for each in range(len(classes.names))}
    pictures = tuple(_relabel(each, to) for each in album.pictures)
    removed = tuple(each._replace(picture=_relabel(each.picture, to)) for each in album.removed)
    names, colours = (tuple(values[each] for each in kept) for values in classes)
    return album._replace(class_names=names, class_colours=colours, pictures=pictures, removed=removed)


def recolour_class(album: Album, index: int, colour: object) -> Album:
    """Returns the album with another colour for a class.

    Raises:
        AlbumError: There is no such class, or the colour is not one.
    """
    classes = _require_classes(album, index)
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise AlbumError(f"{quote(colour)} is not a colour: choose one from the palette.")
    return album._replace(class_colours=(*classes.colours[:index], colour.lower(), *classes.colours[index + 1 :]))


def _relabel(picture: AlbumPicture, to: dict[int, int]) -> AlbumPicture:
    return picture._replace(labels=tuple(to[label] for label in picture.labels))


def _require_classes(album: Album, *indices: object) -> Classes:
    for index in indices:
        if type(index) is not int or not 0 <= index < len(album.class_names):
            raise AlbumError("There is no such class any more: choose one from the list.")
    return Classes(album.class_names, album.class_colours)


def _choose_colour(taken: Sequence[str]) -> str:
    """Returns the first colour of the palette that fewest classes have."""
    return min(PALETTE, key=taken.count)


def _too_many() -> AlbumError:
    return AlbumError(f"An album can have at most {MAX_CLASSES} classes: merge some first.")
