"""A picture of the visitor's own album: every change of its objects and classes is saved at once."""

from collections.abc import Mapping

from core.retinanet.boxes import rescale
from playground.albums.album import ALL, Album, AlbumError
from playground.albums.service import ALBUMS
from playground.canvas.edit import MERGE, RENAME, parse_class_change, parse_edit
from playground.data.albums import index_in, read_objects, shown_album
from playground.data.image_ref import ImageRef
from playground.pipeline.pipeline import Pipeline
from playground.state.user_picture import UserPicture


def draw_own(fields: Mapping[str, object], pipeline: Pipeline, visitor: str) -> UserPicture:
    """Saves what a visitor has drawn on a picture of their album, and returns the picture with it.

    Args:
        fields: Those of the event `edit`, boxes in the coordinates of the network's input; untrusted.
        pipeline: The picture and the settings on show.
        visitor: Who has drawn.

    Raises:
        UserError: The fields are not those of an edit, or the album is somebody else's.
    """
    album, index = require_own(pipeline.image_ref, visitor)
    height, width = pipeline.size
    edit = parse_edit(fields, width, height, album.class_names, free_classes=True)
    names, labels = _drop_unused(edit.class_names, edit.labels.tolist(), album)
    x_factor, y_factor = pipeline.batch.factors[0, :2].tolist()
    boxes, rejected = (rescale(each, x_factor, y_factor).tolist() for each in (edit.boxes, edit.rejected))
    album = ALBUMS.set_objects(visitor, index, boxes, labels, names, rejected)
    return picture_of(album, index, pipeline)


def change_class(fields: Mapping[str, object], pipeline: Pipeline, visitor: str) -> UserPicture:
    """Renames, merges or recolours a class of the visitor's album, and returns the picture on show with it.

    Args:
        fields: Those of the event `classes`; untrusted.
        pipeline: The picture and the settings on show.
        visitor: Who changes it.

    Raises:
        UserError: The fields are not those of such a change, the classes have changed elsewhere, or the album is
            somebody else's.
    """
    album, index = require_own(pipeline.image_ref, visitor)
    change = parse_class_change(fields, album.class_names)
    if change.action == RENAME:
        album = ALBUMS.rename_class(visitor, change.index, change.name)
    elif change.action == MERGE:
        album = ALBUMS.merge_classes(visitor, change.index, change.into)
    else:
        album = ALBUMS.recolour_class(visitor, change.index, change.colour)
    return picture_of(album, index, pipeline)


def require_own(image_ref: ImageRef | None, visitor: str) -> tuple[Album, int]:
    """Returns the visitor's own album and the index of the picture on show in it.

    Raises:
        AlbumError: The picture is in no album, in somebody else's, or gone.
    """
    album = shown_album(image_ref, visitor)
    if album is None or image_ref is None or album.owner != visitor:
        raise AlbumError("This is not one of your own pictures: choose My pictures above the picture.")
    index = index_in(album, image_ref)
    if index is None:
        raise AlbumError("The picture is no longer there: choose another one above the picture.")
    return album, index


def picture_of(album: Album, index: int, pipeline: Pipeline) -> UserPicture:
    """Returns the picture on show with the objects that the album now has; its pixels are not read again.

    It stays in the split that is browsed as long as it belongs to it.
    """
    image_ref, picture = pipeline.image_ref, read_objects(pipeline.picture, album, index)
    split = image_ref.split if image_ref and index in album.indices(image_ref.split) else ALL
    place = album.indices(split).index(index)
    return UserPicture(picture, pipeline.config.scenes, ImageRef(album.key, split, place))


def _drop_unused(names: tuple[str, ...], labels: list[int], album: Album) -> tuple[tuple[str, ...], list[int]]:
    """Returns the classes without those that only suggestions have, and the labels among the rest."""
    kept = [index for index, name in enumerate(names) if index in labels or name in album.class_names]
    return tuple(names[index] for index in kept), [kept.index(label) for label in labels]
