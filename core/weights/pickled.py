"""Reading of PyTorch's pickled files without running anything from them: tensors in plain containers alone."""

import os
import re
import zipfile
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import IO, Any

import torch

from core.weights.architecture import WeightsError
from core.weights.foreign import UNPACK, refuse_foreign_class
from core.weights.pickle_check import Storages, TooMuch, check_pickle

MAX_PICKLE = 10**7  # bytes of what a file holds beside its tensors; a large network with its optimizer has a tenth
MIN_GROWN = 2**26  # bytes; a smaller archive may grow as it likes
MAX_GROWTH = 4  # PyTorch does not compress, and numbers of weights can hardly be compressed
PICKLES = 5  # in a file without an archive: magic number, version, system, content and the order of the storages
FORBIDDEN = re.compile(r"[Uu]nsupported (?:global: )?(?:GLOBAL|class) ([\w.]{1,100})")  # in PyTorch's refusal


class Unread:
    """Placeholder for an object that is not needed; none of the object's code runs.

    Args:
        arguments: Those of the object.
    """

    def __init__(self, *arguments: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        """Ignores the state of the object."""


class _Structure:
    """A file without an archive around its pickles, of which Python reads at most `MAX_PICKLE` bytes.

    PyTorch reads the values of the tensors by the file's descriptor, so that these do not count.

    Args:
        file: The file.
        name: Its name in the message.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.fileno, self.seek, self.tell = file.fileno, file.seek, file.tell
        self._file, self._name, self._left = file, name, MAX_PICKLE

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes.

        Raises:
            WeightsError: Too many bytes are read.
        """
        if not 0 <= size <= self._left:
            raise too_much(self._name)
        self._left -= size
        return self._file.read(size)

    def readline(self) -> bytes:
        """Returns the next line; raises as `read`."""
        line = self._file.readline(self._left + 1)
        if len(line) > self._left:
            raise too_much(self._name)
        self._left -= len(line)
        return line


def _make_dict(*arguments: Any) -> dict[Any, Any]:
    """Stands for a dictionary with default values, which are not needed."""
    return {}


# What training scripts put beside the tensors: options, NumPy's numbers, paths and times.
UNREAD = (
    *("argparse.Namespace", "numpy.dtype", "numpy.ndarray", "decimal.Decimal", "uuid.UUID"),
    *(f"pathlib{module}.{system}Path" for module in ("", "._local") for system in ("Posix", "Windows")),
    *(f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta", "timezone")),
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("list", "dict", "int", "float")),
    *(f"numpy.{package}.multiarray.{name}" for package in ("core", "_core") for name in ("scalar", "_reconstruct")),
)
ALLOWED: list[Any] = [*((Unread, name) for name in UNREAD), (_make_dict, "collections.defaultdict")]
HARMLESS = frozenset((*UNREAD, "collections.defaultdict"))
ARCHIVE = b"PK\x03\x04"  # with which files begin that PyTorch opens as an archive
_lock = Lock()  # PyTorch has one table of allowed objects for all threads


def unpickle(path: Path, *, max_bytes: int) -> Any:
    """Returns what a `.pth` or `.pt` file holds, on the CPU.

    Raises:
        WeightsError: The file is damaged, too large, or holds objects that could run code.
    """
    name = str(path)
    with path.open("rb") as file:
        try:
            is_archive = file.read(len(ARCHIVE)) == ARCHIVE
            (_check_archive if is_archive else _check_plain)(file, name, max_bytes)
            file.seek(0)
            return _load(file if is_archive else _Structure(file, name))
        except WeightsError:
            raise
        except TooMuch:
            raise too_much(name) from None
        except Exception as error:  # zipfile and PyTorch raise many types for a damaged or hostile file
            forbidden = FORBIDDEN.search(str(error))
            if forbidden:
                refuse_foreign_class(forbidden[1], name=name)
            what = f" (a {forbidden[1]}, which could run code)" if forbidden else ""
            raise _damaged(name, what) from None


def check_bytes(size: int, name: str, max_bytes: int) -> None:
    """Raises `WeightsError` for more bytes than are read."""
    if size > max_bytes:
        raise WeightsError(
            f"{name} holds {size / 1e9:.1f} GB; at most {max_bytes / 1e9:.0f} GB are read: choose a RetinaNet."
        )


def _load(file: Any) -> Any:
    """Loads with `ALLOWED`, which stays forbidden to everybody else."""
    with _lock, torch.serialization.safe_globals(ALLOWED):
        return torch.load(file, map_location="cpu", weights_only=True)


def too_much(name: str) -> WeightsError:
    """Returns the error of a file that describes more than a network needs."""
    return WeightsError(f"{name} holds too much beside its tensors: save model.state_dict() alone.")


def _damaged(name: str, what: str = "") -> WeightsError:
    advice = "save model.state_dict() alone, as .safetensors or .pth"
    return WeightsError(f"{name} is damaged or holds more than tensors{what}: {advice}.")


def _check_archive(file: IO[bytes], name: str, max_bytes: int) -> None:
    """Refuses an archive that unpacks to more than fits in memory, holds a program, or takes long to read."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    size, stored = sum(entry.file_size for entry in entries), file.seek(0, os.SEEK_END)
    check_bytes(size, name, max_bytes)
    if size > max(MIN_GROWN, MAX_GROWTH * stored):
        raise WeightsError(f"{name} grows more than {MAX_GROWTH}-fold when it is unpacked: save it again with PyTorch.")
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise WeightsError(
            f"{name} is a TorchScript program: save its state_dict() alone, as .safetensors or .pth, and choose that."
        )
    if not any(entry.filename.endswith("/data.pkl") for entry in entries):
        raise WeightsError(f"{name} is a zip archive that PyTorch did not write: {UNPACK}.")
    if any(entry.filename.endswith(".pkl") and entry.file_size > MAX_PICKLE for entry in entries):
        raise TooMuch
    _check_records(file, name, max_bytes)


def _check_records(file: IO[bytes], name: str, max_bytes: int) -> None:
    """Refuses an archive by what PyTorch finds in it, which may differ from what Python does.

    PyTorch finds names whatever their case, so that one record could be read under many names.
    """
    file.seek(0)
    reader = torch._C.PyTorchFileReader(file)
    if reader.get_record_size("data.pkl") > MAX_PICKLE:
        raise TooMuch
    storages = check_pickle(BytesIO(reader.get_record("data.pkl")), HARMLESS)
    records = set(reader.get_all_records())
    for key, count in storages.values.items():
        record = f"data/{key}" if isinstance(key, str) else ""
        if record not in records or reader.get_record_size(record) < count:
            raise _damaged(name)
    _check_elements(storages, name, max_bytes)


def _check_plain(file: IO[bytes], name: str, max_bytes: int) -> None:
    """Refuses a file without an archive that takes long to read, or announces more values than it has."""
    file.seek(0)
    head = BytesIO(file.read(MAX_PICKLE + 1))
    try:
        pickles: list[Storages] = [check_pickle(head, HARMLESS) for _ in range(PICKLES)]
    except ValueError:
        if head.tell() > MAX_PICKLE:
            raise TooMuch from None
        raise
    if sum(pickles[-2].values.values()) > file.seek(0, os.SEEK_END) or not pickles[-1].listed:
        raise _damaged(name)
    _check_elements(pickles[-2], name, max_bytes)


def _check_elements(storages: Storages, name: str, max_bytes: int) -> None:
    """Refuses tensors that repeat few values so often that they would not fit in memory."""
    if storages.elements > max_bytes:
        check_bytes(4 * storages.elements, name, max_bytes)
