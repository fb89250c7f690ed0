"""Uploaded files that only one handler works with.

Gradio names an upload after its content: the same file uploaded by two visitors is one file on the disk. A handler
therefore takes a file of its own and leaves the other one, for which another may be waiting, to age.
"""

import atexit
import secrets
import shutil
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock

import gradio as gr

from core.errors import UserError
from core.io.parts import make_part, sweep_parts
from playground.support.shared_folder import explain_disk

OWN = "own"  # the folder of the files that handlers have taken, which goes when this process ends, however it ends
WAITING_SECONDS = 3600  # longer than any event waits for its turn


class UploadError(UserError):
    """An upload that is gone, or that cannot be kept."""


class Uploads:
    """The files that the handlers of this process have taken from a folder of uploads; all methods are thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stack = ExitStack()
        self._folder: Path | None = None

    def take(self, upload: Path) -> Path:
        """Returns a new file of the same name and content, which is its caller's to remove with `drop`.

        Raises:
            UploadError: The upload is gone, or the disk does not take another file.
        """
        own = Path(secrets.token_hex(8), upload.name)
        try:
            own = self._open() / own
            own.parent.mkdir()
            _link(upload, own)
        except FileNotFoundError:
            self.drop(own)
            raise UploadError(f"{upload.name} did not arrive: upload it again.") from None
        except OSError as error:
            self.drop(own)
            raise UploadError(f"The server cannot take {upload.name}, because {explain_disk(error)}.") from None
        return own

    def drop(self, own: Path) -> None:
        """Removes a file that was taken; any other stays."""
        if self._folder and own.parent.parent == self._folder:
            shutil.rmtree(own.parent, ignore_errors=True)

    def _open(self) -> Path:
        """Returns the folder of the files that were taken; sweeps what nobody needs any more."""
        uploads = Path(gr.utils.get_upload_folder())
        with self._lock:
            if self._folder is None or not self._folder.is_dir():
                uploads.mkdir(parents=True, exist_ok=True)
                sweep_parts(uploads, OWN)  # of processes that were killed
                self._folder = self._stack.enter_context(make_part(uploads / OWN))
                self._folder.mkdir()
        _sweep(uploads)
        return self._folder

    def close(self) -> None:
        """Removes all files that were taken."""
        self._stack.close()


def _link(upload: Path, own: Path) -> None:
    """Makes a file of the same content: the same bytes on the disk where the system can, else a copy."""
    try:
        own.hardlink_to(upload)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(upload, own)


def _sweep(uploads: Path) -> None:
    """Removes the zips that no event can be waiting for any more."""
    for path in uploads.glob("*/*.zip"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > WAITING_SECONDS:
                path.unlink()


UPLOADS = Uploads()
atexit.register(UPLOADS.close)
