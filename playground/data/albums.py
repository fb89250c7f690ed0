"""The album of a picture on the page, and the names of folders that were made from one."""

import re

from playground.albums.album import ALL, Album
from playground.albums.export import TRAINING
from playground.albums.samples import to_tensors
from playground.albums.service import ALBUMS
from playground.data.image_ref import ImageRef, is_from_album
from playground.data.picture import Picture, key_in_album


def shown_album(image_ref: ImageRef | None, visitor: str) -> Album | None:
    """Returns the album of a picture, None for any other picture.

    Raises:
        AlbumError: The visitor may not see it, or it is gone.
    """
    if not is_from_album(image_ref):
        return None
    return ALBUMS.get(image_ref.source, visitor)


def index_in(album: Album, image_ref: ImageRef | None) -> int | None:
    """Returns the index of a picture in an album, None if it is not in it."""
    if image_ref is None or image_ref.source != album.key:
        return None
    indices = album.indices(image_ref.split)
    return indices[image_ref.index] if image_ref.index < len(indices) else None


def index_of(album: Album, pixels_key: object) -> int | None:
    """Returns the index of the picture of a `pixels_key` in an album, None if it is not in it."""
    places = (place for place in range(len(album.pictures)) if key_in_album(album, place) == pixels_key)
    return next(places, None)


def find_again(album: Album, image_ref: ImageRef, pixels_key: str) -> ImageRef | None:
    """Returns the reference by which a picture is found now, None if it has been removed.

    Another tab may have removed or labelled pictures since, so that the old reference names another one.

    Args:
        album: The album.
        image_ref: The reference by which it was opened.
        pixels_key: That of the picture.
    """
    index = index_in(album, image_ref)
    if index is not None and key_in_album(album, index) == pixels_key:
        return image_ref
    place = index_of(album, pixels_key)
    return None if place is None else ImageRef(album.key, ALL, place)


def read_objects(picture: Picture, album: Album, index: int) -> Picture:
    """Returns a picture of an album with the objects and classes that it has there now; itself if they are the same."""
    now = picture.with_objects(*to_tensors(album.pictures[index]), album.class_names)
    same = (now.objects_key, now.class_names) == (picture.objects_key, picture.class_names)
    return picture if same else now


def is_training_name(name: str) -> bool:
    """True if a folder of this name was written to train on an album: its weights carry the name."""
    return bool(re.fullmatch(f"{TRAINING}[0-9a-f]{{12}}", name))
