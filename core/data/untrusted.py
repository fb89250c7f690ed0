"""Safe access to untrusted data set files: bounded reads, paths that stay inside a folder, quoted values."""

from pathlib import Path

from core.errors import UserError, quote
from core.io.records import read_bytes
from core.io.text import is_text

__all__ = ["IMAGE_SUFFIXES", "MAX_ADDRESS", "MAX_NAME", "DataError", "join_inside", "quote", "read_bounded"]

MAX_NAME = 1000  # characters of a path
MAX_ADDRESS = 10_000  # characters of the address of a picture
# All suffixes of the formats that `core.data.images` decodes.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".avif", ".avifs",
    ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".qoi",
)  # fmt: skip


class DataError(UserError):
    """A data set that cannot be used. The message names the file, the problem and the remedy."""


def join_inside(folder: Path, name: str, *, root: Path, source: Path) -> Path:
    """Joins a name from an annotation file to a folder and checks that the result stays inside the data set.

    Args:
        folder: The folder that the name is relative to.
        name: Relative path, not trusted.
        root: The data set's folder, already resolved. The result must be inside it after following symbolic links.
        source: The file that contains the name, for the error message.

    Raises:
        DataError: The path is empty, absolute or too long, contains `..` or a backslash, leaves the root, or is not
            UTF-8.
    """
    error = DataError(f"{source} names the picture {quote(name)}, which is not a path inside {root}: correct it.")
    relative = Path(name)
    climbs = relative.is_absolute() or ".." in relative.parts or "\\" in name
    if climbs or not relative.parts or len(name) > MAX_NAME or not is_text(name):
        raise error
    try:
        resolved = (folder / relative).resolve()
    except (OSError, ValueError, RuntimeError):  # invalid characters, or links that form a loop
        raise error from None
    if not resolved.is_relative_to(root):
        raise error
    return folder / relative


def read_bounded(path: Path, limit: int) -> bytes:
    """Reads a file of at most `limit` bytes.

    Raises:
        DataError: The file cannot be read or is larger.
    """
    try:
        return read_bytes(path, limit)
    except OSError as error:
        reason = error.strerror or "it is no ordinary file"
        raise DataError(f"{path} cannot be read ({reason}): check the file.") from None
    except ValueError:
        size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} KB"
        raise DataError(f"{path} is larger than {size}: split the data set into smaller ones.") from None
