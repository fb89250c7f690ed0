"""The annotation format of a folder, detected from its files unless it is given, and the folder read in it."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.data.annotations import Format
from core.data.files import FolderFiles
from core.data.formats import FORMATS
from core.data.formats.hints import find_hint
from core.data.formats.json_files import sniff_json
from core.data.reading.contents import FolderContents, read_contents
from core.data.untrusted import DataError, quote
from core.data.zips.archives import describe_archives
from core.io.text import count_noun

MAX_SUFFIXES = 6  # named in the message about a folder without annotations


class AmbiguousFormatError(DataError):
    """A folder whose files can be read in several formats.

    Attributes:
        formats: The keys of these formats, see `core.data.annotations.Format`.
    """

    def __init__(self, message: str, formats: Sequence[str]) -> None:
        super().__init__(message)
        self.formats = tuple(formats)


def read_in_its_format(
    files: FolderFiles, key: str | None, *, strict: bool = False, use_lists: bool = True
) -> FolderContents:
    """Reads a folder in the format with this key, or in the only one that annotates pictures of it.

    Args:
        files: The data set's files.
        key: The key of a format; None to detect it.
        strict: As `read_contents`.
        use_lists: As `read_contents`.

    Raises:
        AmbiguousFormatError: Several formats annotate pictures of the folder.
        DataError: No format does, or the annotations cannot be used as a whole.
    """
    found = {format: paths for format in _choose_formats(key) if (paths := format.find(files))}
    if not found:
        raise _no_data_set(files, key)
    if len(found) == 1:
        return read_contents(files, *next(iter(found.items())), strict=strict, use_lists=use_lists)
    readings: list[FolderContents] = []
    errors: list[DataError] = []
    for format, paths in found.items():
        try:
            readings.append(read_contents(files, format, paths, use_lists=use_lists))
        except DataError as error:
            errors.append(error)
    fitting = [contents for contents in readings if contents.count_annotating()]
    if len(fitting) > 1:
        raise _ambiguous(files, [contents.format for contents in fitting], found)
    if not fitting:
        raise errors[0] if errors else DataError(f"{files.root} cannot be used: {readings[0].refusals[0]}")
    chosen = fitting[0]
    if strict:  # only now, so that being strict does not choose the format
        chosen = read_contents(files, chosen.format, found[chosen.format], strict=True, use_lists=use_lists)
    unread = "".join(f" Not used: {error}" for error in errors)
    return chosen._replace(reading=chosen.reading + unread)


def require_known_format(files: FolderFiles, key: str | None) -> None:
    """Raises `DataError` if a folder has no annotation files that are known, or that have this format."""
    if not any(each.find(files) for each in _choose_formats(key)):
        raise _no_data_set(files, key)


def _choose_formats(key: str | None) -> Sequence[Format]:
    if key is None:
        return FORMATS
    chosen = [format for format in FORMATS if format.key == key]
    if not chosen:
        raise DataError(f"There is no format {quote(key)}: choose one of {', '.join(each.key for each in FORMATS)}.")
    return chosen


def _no_data_set(files: FolderFiles, key: str | None) -> DataError:
    suffixes = Counter(
        PurePosixPath(name).suffix.lower() or "without suffix" for name in (*files.images, *files.others)
    )
    counts = ", ".join(f"{count:,} {suffix}" for suffix, count in suffixes.most_common(MAX_SUFFIXES))
    known = ", ".join(format.name for format in _choose_formats(key))
    damaged = next((path for path in files.find(".json") if sniff_json(path).damaged), None)
    broken = f"; {damaged.relative_to(files.root).as_posix()} is not JSON" if damaged else ""
    links = f"; links to folders are not followed: {', '.join(files.linked_folders)}" if files.linked_folders else ""
    found = f"{counts or 'none'}{broken}{links}"
    return DataError(
        f"The folder {files.root} holds no data set in a known format (its files: {found}): add pictures with "
        f"annotations in one of these formats: {known}.{find_hint(files)}{describe_archives(files.others)}"
    )


def _ambiguous(
    files: FolderFiles, formats: Sequence[Format], found: dict[Format, Sequence[Path]]
) -> AmbiguousFormatError:
    each = "; ".join(
        f"{format.key}: {count_noun(len(found[format]), format.unit.removesuffix('s'))}" for format in formats
    )
    keys = [format.key for format in formats]
    return AmbiguousFormatError(
        f"{files.root} can be read in several formats ({each}): choose one with --format {' or --format '.join(keys)}.",
        keys,
    )
