"""Adding data sets to the library: uploaded zips, and folders on the server's disk."""

from pathlib import Path

from core.config import Config
from core.data.folders import require_format
from core.data.untrusted import DataError, quote
from core.data.zips.importing import unpacked
from core.io.paths import hide_folder
from playground.albums.service import ALBUMS
from playground.data.checking import Progress, require_trainable
from playground.data.stored.library import DataSetLibrary
from playground.data.stored.records import StoredDataSet, compute_stamp
from playground.data.stored.split_history import digest_lists, read_lists
from playground.support.sizes import measure_folder
from playground.support.visitors import VISITORS


def add_zip(
    library: DataSetLibrary,
    archive: Path,
    title: str,
    config: Config,
    progress: Progress,
    *,
    owner: str,
    format: str | None,
) -> StoredDataSet:
    """Unpacks, checks and adds an uploaded data set, see `DataSets.add_zip`; others work in the library meanwhile."""
    library.prepare()
    target = library.folder / "upload"  # it gets its name when it is added
    try:
        with unpacked(archive, target, library.bounds.zip, format=format) as root:
            check = require_trainable(root, config, progress, title, format)
            size, lists = measure_folder(root), digest_lists(read_lists(root))

            def make(name: str) -> StoredDataSet:
                return StoredDataSet(name, library.folder / name, True, size, 0, check, owner, format, lists)

            return library.add(title, size, owner, make, root)
    except DataError as error:
        message = hide_folder(hide_folder(str(error), target, title), archive, title)
        error.args = (message.replace(archive.name, title),)
        raise


def add_folder(
    library: DataSetLibrary,
    folder: Path,
    text: str,
    config: Config,
    progress: Progress,
    *,
    owner: str,
    format: str | None,
) -> StoredDataSet:
    """Checks and adds a folder on the server's disk, see `DataSets.add_folder`; one that is known is checked again.

    Args:
        library: The library.
        folder: The folder.
        text: What the visitor typed, which names the folder in messages.
        config: The anchors and image sizes to check the data set against.
        progress: Called with the number of pictures checked and their total.
        owner: The visitor who adds it.
        format: The key of its annotation format; None to detect it.
    """
    if ALBUMS.contains(folder) or ALBUMS.folder.is_relative_to(folder):
        raise DataError(f"{quote(text)} holds pictures of visitors, which are private: name another folder.")
    try:
        require_format(folder, format)
        check = require_trainable(folder, config, progress, folder.name, format)
        stamp, lists = compute_stamp(folder, uploaded=False), digest_lists(read_lists(folder))
    except DataError as error:
        error.args = (hide_folder(str(error), folder, quote(text)),)
        raise
    with library.changing():
        if known := library.find_folder(folder):
            return _replace_known(
                library, known, known._replace(check=check, stamp=stamp, format=format, lists=lists), owner
            )

        def make(name: str) -> StoredDataSet:
            return StoredDataSet(name, folder, False, 0, stamp, check, owner, format, lists)

        return library.add(folder.name, 0, owner, make, None)


def _replace_known(library: DataSetLibrary, known: StoredDataSet, new: StoredDataSet, visitor: str) -> StoredDataSet:
    """Stores what checking a known folder has found; what others use stays as it is.

    Raises:
        NotYoursError: Another visitor has chosen its format.
        DataError: It has changed, and is in use.
    """
    if new == known:
        return known
    if new.format != known.format:
        VISITORS.require(known.owner, visitor, f"The data set {known.name}")
    with library.alone(known.name):
        return library.put(new)


def find_allowed(allowed: Path | None, text: str) -> Path:
    """Returns the folder that a visitor typed, relative to the one that the operator allows.

    Raises:
        DataError: There is none, or it is outside.
    """
    if allowed is None:
        raise DataError("Folders on the server cannot be used here: upload a zip.")
    try:
        folder = (allowed / text.strip()).resolve()
        inside = folder.is_relative_to(allowed) and folder.is_dir()
    except (OSError, ValueError, RuntimeError):  # characters that no file system allows, or a loop of links
        inside = False
    if not inside or not text.strip():
        raise DataError(f"{quote(text)} is not a folder inside the one that the operator allows: name one inside it.")
    return folder
