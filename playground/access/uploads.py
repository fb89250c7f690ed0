"""Takes the files that visitors upload, in place of Gradio's own route.

That one keeps fields of a form in memory whatever their size, leaves the part of an upload that breaks off for good,
and fails where the disk is full.
"""

import os
import re
import secrets
import shutil
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from gradio.route_utils import API_PREFIX, GradioMultiPartParser, GradioUploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.io.moving import remove, replace
from core.io.paths import make_portable
from core.io.troubles import FULL
from playground.access.refusals import refuse

PATH = f"{API_PREFIX}/upload"
FORM = 64 * 1024  # bytes of a form around its file
KEPT_FREE = 100 * 2**20  # bytes of the disk that uploads leave to the runs
FORBIDDEN = '<>:"|?*'  # in names of files of some systems
LONGEST_STEM, LONGEST_ENDING = 50, 12  # characters of a name, in bytes four times as many
TOO_LARGE = "The file is too large: {} MB are allowed."
EXCEEDED = "File size exceeded"  # begins the error of Gradio's parser
BROKEN = "The file did not arrive: upload it again."


class _Parser(GradioMultiPartParser):
    """Takes a form with one file and nothing else."""

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_part.file is None:
            raise MultiPartException(BROKEN)

    def remove(self) -> None:
        """Removes what has arrived."""
        for file in self._files_to_close_on_error:
            file.close()
            remove(Path(file.name))


def route() -> Route:
    """Returns the route."""
    return Route(PATH, _take, methods=["POST"])


async def _take(request: Request) -> Response:
    most, folder = request.app.get_blocks().max_file_size, Path(request.app.uploaded_file_dir)
    sent = request.headers.get("content-length", "")
    length = int(sent) if sent.isdecimal() and len(sent) < 20 else 0
    if "content-type" not in request.headers:
        return refuse(PATH, 400, BROKEN)
    if length > most + FORM:
        return refuse(PATH, 413, TOO_LARGE.format(most // 2**20))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < length + KEPT_FREE:
            return refuse(PATH, 507)
        return await _receive(request, folder, most)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return refuse(PATH, 507)


async def _receive(request: Request, folder: Path, most: int) -> Response:
    """Returns the path under which the page refers to the file, in a list."""
    chunks = _bounded(request, most + FORM)
    parser = _Parser(request.headers, chunks, max_files=1, upload_dir=folder, max_file_size=most)
    is_taken = False
    try:
        form = await parser.parse()
        path = _keep(form.getlist("files"), folder)
        request.app.get_blocks().upload_file_set.add(path)
        is_taken = True
        return JSONResponse([path])
    except (MultiPartException, ValueError) as error:  # the parser's own errors of a form's boundary are no subclass
        is_large = EXCEEDED in str(error)
        return refuse(PATH, 413, TOO_LARGE.format(most // 2**20)) if is_large else refuse(PATH, 400, BROKEN)
    finally:
        if not is_taken:
            parser.remove()


def _keep(files: Sequence[object], folder: Path) -> str:
    """Moves a file to where Gradio looks for uploads, a new folder with the file's own name; returns the path.

    Raises:
        MultiPartException: None has arrived.
    """
    file = next(iter(files), None)
    if not isinstance(file, GradioUploadFile):
        raise MultiPartException(BROKEN)
    file.file.close()
    place = folder / secrets.token_hex(16)
    place.mkdir()
    path = place / clean_name(file.filename or "")
    replace(Path(str(file.file.name)), path)
    return str(path)


def clean_name(text: str) -> str:
    """Returns a name that every system allows, with the ending of the name that the browser sent."""
    last = re.split(r"[/\\]", text)[-1]
    stem, ending = os.path.splitext("".join(each for each in last if each.isprintable() and each not in FORBIDDEN))
    stem = stem.strip(" .")[:LONGEST_STEM].rstrip(" .") or "file"
    return make_portable(stem + ending[:LONGEST_ENDING].rstrip(" ."))


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """Yields what is sent.

    Raises:
        MultiPartException: It is more than `most` bytes.
    """
    async for chunk in request.stream():
        most -= len(chunk)
        if most < 0:
            raise MultiPartException(EXCEEDED)
        yield chunk
