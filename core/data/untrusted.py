"""Files of data sets that nobody vouches for: bounded reading, paths that stay inside, and what to say of them."""

from pathlib import Path

from core.errors import UserError

MAX_NAME = 1000  # characters of a path
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


class DataError(UserError):
    """A data set that cannot be used; the message names the file, says what is wrong and what to do."""


def inside(folder: Path, name: str, *, root: Path, source: Path) -> Path:
    """Joins a name from an annotation file to a folder.

    Args:
        folder: Where the name is looked for.
        name: Relative path, not trusted.
        root: The data set's folder, already resolved, which the result must not leave, links followed.
        source: The file that holds the name.

    Raises:
        DataError: The path is absolute, climbs up, or leaves the root.
    """
    error = DataError(f"{source} names the picture {shown(name)}, which is no path inside {root}: correct it.")
    relative = Path(name)
    climbs = relative.is_absolute() or ".." in relative.parts or "\\" in name
    if climbs or not relative.parts or len(name) > MAX_NAME:
        raise error
    try:
        resolved = (folder / relative).resolve()
    except (OSError, ValueError, RuntimeError):  # characters no file system has, links in a circle
        raise error from None
    if not resolved.is_relative_to(root):
        raise error
    return folder / relative


def shown(value: object) -> str:
    """Returns a value from an untrusted file as a message may show it: quoted, at most 100 characters."""
    text = repr(value)
    return text if len(text) <= 100 else text[:99] + "…"


def read_bounded(path: Path, limit: int) -> bytes:
    """Reads a file of at most `limit` bytes.

    Raises:
        DataError: The file cannot be read or is larger.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the file.") from None
    if len(content) > limit:
        size = f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} KB"
        raise DataError(f"{path} is larger than {size}: split the data set into smaller ones.")
    return content
