"""The album of a picture on the page."""

from playground.albums.album import Album
from playground.albums.service import ALBUMS
from playground.data.image_ref import ImageRef, is_from_album


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
