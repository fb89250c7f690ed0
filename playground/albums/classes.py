"""The classes of an album, each with a colour: they are added, renamed, merged and recoloured."""

from collections.abc import Sequence
from typing import NamedTuple

from playground.albums.album import Album, AlbumError, AlbumPicture
from playground.support.names import (
    MAX_CLASSES,
    check_new_name,
    fold_class_name,
    next_colour,
    read_class_name,
    read_colour,
)


class Classes(NamedTuple):
    """The names and colours of classes 0 … K−1."""

    names: tuple[str, ...]
    colours: tuple[str, ...]


def add_classes(album: Album, names: Sequence[object]) -> tuple[Album, list[int]]:
    """Returns the album with the classes that it lacks, and the index of each name in it.

    Args:
        album: The album.
        names: Untrusted.

    Raises:
        UserError: A name is not allowed, or there would be too many classes.
    """
    known, colours = list(album.class_names), list(album.class_colours)
    indices = []
    for given in names[: MAX_CLASSES + 1]:
        name = read_class_name(given)
        folded = [fold_class_name(each) for each in known]
        if fold_class_name(name) not in folded:
            folded.append(fold_class_name(name))
            known.append(name)
            colours.append(next_colour(colours))
        indices.append(folded.index(fold_class_name(name)))
    if max(len(names), len(known)) > MAX_CLASSES:
        raise AlbumError(f"An album can have at most {MAX_CLASSES} classes: merge some first.")
    return album._replace(class_names=tuple(known), class_colours=tuple(colours)), indices


def rename_class(album: Album, index: int, name: object) -> Album:
    """Returns the album with another name for a class.

    Raises:
        UserError: There is no such class, the name is not allowed, or another class has it.
    """
    names = _require_classes(album, index).names
    text = check_new_name(name, (*names[:index], *names[index + 1 :]))
    return album._replace(class_names=(*names[:index], text, *names[index + 1 :]))


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
        UserError: There is no such class, or the colour is not one.
    """
    colours = _require_classes(album, index).colours
    return album._replace(class_colours=(*colours[:index], read_colour(colour), *colours[index + 1 :]))


def _relabel(picture: AlbumPicture, to: dict[int, int]) -> AlbumPicture:
    return picture._replace(labels=tuple(to[label] for label in picture.labels))


def _require_classes(album: Album, *indices: object) -> Classes:
    for index in indices:
        if type(index) is not int or not 0 <= index < len(album.class_names):
            raise AlbumError("There is no such class any more: choose one from the list.")
    return Classes(album.class_names, album.class_colours)
