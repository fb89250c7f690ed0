"""Uploaded files that only one handler works with.

Several events can name the same upload, such as two clicks in a row. A handler therefore takes a file of its own and
leaves the upload, for which another handler may be waiting, to age.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import gradio as gr

from core.errors import UserError
from core.io.moving import link_or_copy, remove, remove_tree
from core.io.parts import OwnFolder
from core.io.paths import is_path
from playground.support.shared_folder import explain_disk

OWN = "own"  # the folder of the files that handlers have taken
WAITING_SECONDS = 3600  # longer than any event waits for its turn


class UploadError(UserError):
    """An upload that is gone, or that cannot be kept."""


class Uploads:
    """The files that the handlers of this process have taken from a folder of uploads; all methods are thread-safe."""

    def __init__(self) -> None:
        self._own = OwnFolder(OWN, find_uploads)

    def take(self, upload: Path) -> Path:
        """Returns a new file of the same name and content, which is its caller's to remove with `drop`.

        Raises:
            UploadError: The upload is gone, or the disk does not take another file.
        """
        own: Path | None = None
        try:
            own = self._own.make_folder() / upload.name
            _sweep(find_uploads())
            link_or_copy(upload, own)
        except OSError as error:
            if own:
                self.drop(own)
            if isinstance(error, FileNotFoundError):
                raise UploadError(f"{upload.name} did not arrive: upload it again.") from None
            raise UploadError(f"The server cannot take {upload.name}, because {explain_disk(error)}.") from None
        return own

    def drop(self, own: Path) -> None:
        """Removes a file that was taken; any other stays."""
        if own.parent.parent == self._own.folder:
            remove_tree(own.parent)

    def close(self) -> None:
        """Removes all files that were taken."""
        self._own.close()


def find_uploads() -> Path:
    """Returns the folder of the uploads."""
    return Path(gr.utils.get_upload_folder())


def find_upload(name: str) -> Path | None:
    """Returns the path of an upload, None if a name is of something else."""
    path = Path(os.path.realpath(name)) if os.path.isabs(name) and is_path(name) else None
    return path if path and path.is_relative_to(find_uploads().resolve()) else None


def _sweep(uploads: Path) -> None:
    """Removes the zips that no event can be waiting for any more, and the empty files that Gradio leaves with each."""
    for path in (*uploads.glob("*/*.zip"), *uploads.glob("tmp*")):
        with suppress(OSError):
            found = path.stat()
            is_done = path.suffix == ".zip" or (path.is_file() and not found.st_size)
            if is_done and time.time() - found.st_mtime > WAITING_SECONDS:
                remove(path)


UPLOADS = Uploads()
