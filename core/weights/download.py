"""Download of published weights: once for all processes, with progress, continued where it broke off, and checked."""

import hashlib
import http.client
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import torch
from torchvision.models import WeightsEnum, get_model_weights
from torchvision.models.detection import RetinaNet_ResNet50_FPN_V2_Weights, RetinaNet_ResNet50_FPN_Weights

from core.io.locks import FileLock
from core.io.moving import remove, replace
from core.io.troubles import FORBIDDEN
from core.weights.architecture import WeightsError

COCO = {"coco": RetinaNet_ResNet50_FPN_Weights.COCO_V1, "coco_v2": RetinaNet_ResNet50_FPN_V2_Weights.COCO_V1}
DOWNLOADED = (*COCO, "imagenet")
CHUNK = 2**18  # bytes read at once, after each of which a cancellation is noticed
TIMEOUT = 30.0  # seconds without an answer
SLOWEST, SLOW_SECONDS = 2**16, 60.0  # fewer bytes in so many seconds count as stalled
POLL_SECONDS = 0.2  # between two looks at another process's download
TOO_LARGE = 1.05  # times the published size
MARGIN = 50 * 10**6  # bytes of the disk that stay free
INSTEAD = "or choose builtin or random"
Report = Callable[[int, int], None]  # gets the bytes that are here and their total
CONTENT_LENGTH = re.compile(r"\d{1,15}", re.ASCII)
CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", re.ASCII)


class CancelledError(WeightsError):
    """A download was cancelled; what has arrived is kept for the next time."""


class Published(NamedTuple):
    """Weights that torchvision publishes.

    Attributes:
        name: Their name for people.
        url: Their address; the file's name ends in the beginning of its SHA-256.
        size: Their size in bytes, as published.
    """

    name: str
    url: str
    size: int

    @classmethod
    def of(cls, weights: WeightsEnum, name: str) -> "Published":
        """Returns the description of a member of torchvision's weights."""
        return cls(name, weights.url, round(weights.meta["_file_size"] * 2**20))

    @property
    def file(self) -> Path:
        """Where the file is kept: in PyTorch's folder of downloads, for every program of this user."""
        return Path(torch.hub.get_dir()) / "checkpoints" / Path(self.url).name

    @property
    def is_here(self) -> bool:
        """True if the file has been downloaded."""
        return self.file.is_file()

    @property
    def digest(self) -> str:
        """The beginning of the file's SHA-256, in hexadecimal digits."""
        return self.url.rpartition("-")[2].split(".")[0]


def published(name: str, depth: int | None = None) -> Published:
    """Returns the description of weights that have to be downloaded.

    Args:
        name: One of `DOWNLOADED`.
        depth: Layers of the ResNet backbone, for imagenet.
    """
    if name in COCO:
        return Published.of(COCO[name], "COCO")
    return Published.of(get_model_weights(f"resnet{depth}").DEFAULT, name)


def has_digest(path: Path, beginning: str) -> bool:
    """True for a file whose SHA-256 begins so."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(beginning)


def fetch(
    weights: Published, report: Report = lambda done, total: None, is_cancelled: Callable[[], bool] = lambda: False
) -> Path:
    """Downloads weights unless they are here, and returns their file.

    While another process or thread downloads them, this one waits and reports its progress.

    Args:
        weights: The weights.
        report: Called with the bytes that are here and their total.
        is_cancelled: Asked several times a second; True ends the download, or the wait.

    Raises:
        CancelledError: It was cancelled.
        WeightsError: They cannot be downloaded or stored; the message says why and what to do.
    """
    file = weights.file
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        while not file.is_file():
            with _hold(file.with_name(f".{file.name}.lock")) as held:
                if is_cancelled():
                    raise CancelledError(f"The download of the {weights.name} weights was cancelled.")
                if held and not file.is_file():
                    _download(weights, part, report, is_cancelled)
                if not held:
                    report(_size(part), weights.size)
                    time.sleep(POLL_SECONDS)
    except HTTPError as error:
        raise _refuse(weights, f"the server answered {error.code}", f"try again, {INSTEAD}") from None
    except (URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = f"no connection? {getattr(error, 'reason', error)}"
        raise _refuse(weights, reason, f"connect and try again, {INSTEAD}") from None
    except OSError as error:
        reason = f"{file.parent}: {error.strerror or error}"
        remedy = "let this user write there" if error.errno in FORBIDDEN else "free some space there"
        raise _refuse(weights, reason, f"{remedy}, {INSTEAD}") from None
    return file


@contextmanager
def _hold(file: Path) -> Iterator[bool]:
    """Holds the lock of a download, unless another one has it; its file is removed in the end."""
    lock = FileLock.try_acquire(file, timeout=0)
    if lock is None:
        yield False
        return
    with lock:
        if not lock.is_on(file):  # another download has removed it between being opened and being locked
            yield False
            return
        try:
            yield True
        finally:
            lock.remove(file)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _download(weights: Published, part: Path, report: Report, is_cancelled: Callable[[], bool]) -> None:
    """Completes the partial file, checks it and moves it to its place."""
    try:
        _receive(weights, part, report, is_cancelled)
    finally:
        if not _size(part):
            remove(part)
    if not has_digest(part, weights.digest):
        remove(part)
        raise _refuse(weights, "the downloaded file has the wrong hash", f"try again, {INSTEAD}")
    replace(part, weights.file)


def _receive(weights: Published, part: Path, report: Report, is_cancelled: Callable[[], bool]) -> None:
    with _open(weights, _size(part)) as answer, part.open("ab") as out:
        done, total = _find_range(answer)
        _check(weights, answer, total, done, part)
        out.truncate(done)
        slow_at, slow_until = done, time.monotonic() + SLOW_SECONDS
        report(done, total or weights.size)
        while chunk := answer.read1(CHUNK):
            if not done and chunk.lstrip()[:1] == b"<":
                raise _web_page(weights)
            done += out.write(chunk)
            report(done, total or weights.size)
            if is_cancelled():
                raise CancelledError(f"The download of the {weights.name} weights was cancelled.")
            if done > weights.size * TOO_LARGE:
                out.truncate(0)
                raise _too_large(weights, done)
            if time.monotonic() > slow_until:
                if done - slow_at < SLOWEST:
                    raise TimeoutError("hardly anything arrives")
                slow_at, slow_until = done, time.monotonic() + SLOW_SECONDS
    if done < total:
        reason = f"it broke off after {done / 1e6:.0f} of {total / 1e6:.0f} MB"
        raise _refuse(weights, reason, f"try again, which continues from there, {INSTEAD}")


def _open(weights: Published, done: int) -> http.client.HTTPResponse:
    """Asks for the file, from the given byte on if the server can do that."""
    headers = {"User-Agent": "torch.hub", **({"Range": f"bytes={done}-"} if done else {})}
    try:
        answer: http.client.HTTPResponse = urlopen(Request(weights.url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if not done or error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        return _open(weights, 0)
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT and _find_range(answer)[0] != done:
        answer.close()
        if not done:
            raise _refuse(weights, "the server sends another part of the file", f"try again later, {INSTEAD}")
        return _open(weights, 0)
    return answer


def _find_range(answer: http.client.HTTPResponse) -> tuple[int, int]:
    """Returns from which byte on the answer has the file, and the file's size, 0 if the server does not say it."""
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        match = CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        return (int(match[1]), int(match[2])) if match else (-1, 0)
    match = CONTENT_LENGTH.fullmatch(answer.headers.get("Content-Length", ""))
    return 0, int(match[0]) if match else 0


def _check(weights: Published, answer: http.client.HTTPResponse, total: int, done: int, part: Path) -> None:
    """Refuses what cannot be the file, and a file that the disk has no room for."""
    if answer.headers.get("Content-Type", "").lower().startswith("text/"):
        raise _web_page(weights)
    if total > weights.size * TOO_LARGE:
        raise _too_large(weights, total)
    free, needed = shutil.disk_usage(part.parent).free, (total or weights.size) - done
    if free < needed + MARGIN:
        reason = f"{part.parent} has {free / 1e6:,.0f} MB free, and {needed / 1e6:,.0f} MB are needed"
        raise _refuse(weights, reason, f"free some space there, {INSTEAD}")


def _web_page(weights: Published) -> WeightsError:
    reason = "a web page came instead of the file, perhaps from a proxy or a login"
    return _refuse(weights, reason, f"open the internet for this machine and try again, {INSTEAD}")


def _too_large(weights: Published, size: int) -> WeightsError:
    reason = f"the file has {size / 1e6:,.0f} MB, but {weights.size / 1e6:,.0f} MB are published"
    return _refuse(weights, reason, f"try again later, {INSTEAD}")


def _refuse(weights: Published, reason: str, remedy: str) -> WeightsError:
    return WeightsError(f"The {weights.name} weights could not be downloaded ({reason}): {remedy}.")
