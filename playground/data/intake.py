"""Takes a picture that the browser has uploaded into the visitor's album."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from core.errors import PictureError, UserError
from core.io.moving import remove
from core.reader import reading_for
from playground.albums.album import AlbumError
from playground.albums.pictures import clean_title
from playground.albums.service import ALBUMS
from playground.data.picture import key_in_album
from playground.support.visitors import sender_of, visitor_of
from playground.support.wording import name_knobs

# The name that the browser's script gives a file. It is random, as is its folder: nobody else can know the path.
UPLOADED = re.compile("[0-9a-f]{32}")


def take(request: object, sender: gr.Request) -> dict[str, Any]:
    """Takes an uploaded picture into the sender's album, and removes the upload; the browser calls it by this name.

    Args:
        request: A dict with the `path` of the upload and the `name` of the file, see `read_upload`; and `album`, what
            the answer to the one before it in the same upload said, "" for the first.
        sender: Without a cookie there is no album to take it into: the upload stays, and the page shows it.

    Returns:
        `pixels_key`: names the picture, None if it was not saved; `album`: key of its album, "" for none; `scaled`:
            True if it is scaled down; `error`: a sentence, "" for none; `stop`: True if no other picture would be
            taken either.
    """
    answer: dict[str, Any] = {"pixels_key": None, "album": "", "scaled": False, "error": "", "stop": False}
    visitor = visitor_of(sender)
    try:
        path, name = read_upload(request)
        if visitor:
            try:
                with reading_for(*sender_of(sender)):
                    album, index = ALBUMS.add(visitor, path, name, _album_before(request))
            finally:
                remove(path)  # with its metadata, which the album's copy does not have
                with suppress(OSError):
                    path.parent.rmdir()
            answer |= {"pixels_key": key_in_album(album, index), "album": album.key}
            answer["scaled"] = album.pictures[index].scaled
    except UserError as error:
        return answer | {"error": name_knobs(error), "stop": isinstance(error, AlbumError)}
    return answer


def _album_before(request: object) -> str:
    album = request.get("album") if isinstance(request, dict) else None
    return album if isinstance(album, str) else ""


def read_upload(request: object) -> tuple[Path, str]:
    """Returns the file of an upload and its name for people.

    Args:
        request: A dict with `path` and `name`; untrusted.

    Raises:
        PictureError: `path` is not that of an upload.
    """
    path, name = (request.get(key) if isinstance(request, dict) else None for key in ("path", "name"))
    if not isinstance(path, str) or not isinstance(name, str) or "\0" in path:
        raise PictureError("The page sent something that is not a picture: reload it.")
    try:
        file, uploads = Path(path).resolve(), Path(gr.utils.get_upload_folder()).resolve()
        found = file.parent.parent == uploads and UPLOADED.fullmatch(file.name) and file.is_file()
    except (OSError, ValueError, RuntimeError):  # characters that no file system allows, or a loop of links
        found = False
    if not found:
        raise PictureError("The picture did not arrive: upload it again.")
    return file, clean_title(name)
