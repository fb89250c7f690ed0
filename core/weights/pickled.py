"""Reading of PyTorch's pickled files without running anything from them: tensors in plain containers alone."""

import re
import zipfile
from pathlib import Path
from threading import Lock
from typing import IO, Any

import torch

from core.weights.architecture import WeightsError
from core.weights.foreign import UNPACK, refuse_foreign_class

MAX_PICKLE = 10**7  # bytes of what a file holds beside its tensors; a large network with its optimizer has a tenth
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
    """A file without an archive around its pickles, of which Python reads so many bytes at most.

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
            raise _too_much(self._name)
        self._left -= size
        return self._file.read(size)

    def readline(self) -> bytes:
        """Returns the next line; raises as `read`."""
        line = self._file.readline(self._left + 1)
        if len(line) > self._left:
            raise _too_much(self._name)
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
ARCHIVE = b"PK\x03\x04"  # with which files begin that PyTorch opens as an archive
_lock = Lock()  # PyTorch has one table of allowed objects for all threads


def unpickle(path: Path, *, max_bytes: int) -> Any:
    """Returns what a `.pth` or `.pt` file holds, on the CPU.

    Raises:
        WeightsError: The file is damaged, too large, or holds objects that could run code.
    """
    with path.open("rb") as file:
        try:
            is_archive = file.read(len(ARCHIVE)) == ARCHIVE
            if is_archive:
                _check_archive(file, str(path), max_bytes)
            file.seek(0)
            return _load(file if is_archive else _Structure(file, str(path)))
        except WeightsError:
            raise
        except Exception as error:  # zipfile and PyTorch raise many types for a damaged or hostile file
            forbidden = FORBIDDEN.search(str(error))
            if forbidden:
                refuse_foreign_class(forbidden[1], name=str(path))
            what = f" (a {forbidden[1]}, which could run code)" if forbidden else ""
            advice = "save model.state_dict() alone, as .safetensors or .pth"
            raise WeightsError(f"{path} is damaged or holds more than tensors{what}: {advice}.") from None


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


def _too_much(name: str) -> WeightsError:
    return WeightsError(f"{name} holds too much beside its tensors: save model.state_dict() alone.")


def _check_archive(file: IO[bytes], name: str, max_bytes: int) -> None:
    """Refuses an archive that unpacks to more than fits in memory, or holds a program."""
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    check_bytes(sum(entry.file_size for entry in entries), name, max_bytes)
    if any(entry.filename.endswith("/constants.pkl") for entry in entries):
        raise WeightsError(
            f"{name} is a TorchScript program: save its state_dict() alone, as .safetensors or .pth, and choose that."
        )
    if not any(entry.filename.endswith("/data.pkl") for entry in entries):
        raise WeightsError(f"{name} is a zip archive that PyTorch did not write: {UNPACK}.")
    if any(entry.filename.endswith(".pkl") and entry.file_size > MAX_PICKLE for entry in entries):
        raise _too_much(name)
