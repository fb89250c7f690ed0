"""Data sets in folders, whatever their format: reads them, opens the splits and replaces them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.data.dataset import SPLITS, FolderData, require_split
from core.data.files import FolderFiles, list_files
from core.data.raw import RawData, RawImage
from core.data.reading.cache import CONTENTS, Key
from core.data.reading.collection import pause_collection
from core.data.reading.contents import FolderContents
from core.data.reading.format_detection import read_in_its_format, require_known_format
from core.data.reading.pictures import get_relative
from core.data.reading.storage import load_contents, write_contents
from core.data.splits import SPLITS_FILE, random_split, stratified_split, write_splits
from core.data.untrusted import DataError
from core.data.zips.archives import describe_archives
from core.io.atomic import require_writable
from core.io.moving import remove
from core.reader import Kind, limits_for, read_apart
from core.reader.tasks import Progress

GIVEN = "given"
SPLIT_METHODS: dict[str, Callable[[Sequence[RawImage], Sequence[float], int], list[list[int]]]] = {
    "random": lambda images, shares, seed: random_split(len(images), shares, seed),
    "stratified": lambda images, shares, seed: stratified_split(
        [image.labels[~image.crowd] for image in images], shares, seed
    ),
}
STORED = "contents.npz"  # what the other process answers with


def read_data_set(folder: Path, format: str | None = None, strict: bool = False) -> FolderContents:
    """Reads a data set's annotations and finds its pictures, without opening any.

    Args:
        folder: The data set's folder; its files may lie at any depth.
        format: The key of an annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.

    Raises:
        AmbiguousFormatError: The folder can be read in several formats.
        DataError: There is no data set, it cannot be used as a whole, or it is not perfect and `strict` is set.
    """
    contents = examine_data_set(folder, format, strict)
    _require_usable(folder, contents)
    return contents


def examine_data_set(folder: Path, format: str | None = None, strict: bool = False) -> FolderContents:
    """Reads a data set as `read_data_set` does, but returns also one with refusals."""
    with pause_collection():
        files = list_files(folder)
        return CONTENTS.get(files, Key(format, strict), lambda: _read(files, Key(format, strict)))


def require_format(folder: Path, format: str | None = None) -> None:
    """Raises `DataError` if a folder has no annotation files that are known, or that have this format."""
    limits, arguments = limits_for(Kind.DATA_SETS, folder), {"folder": str(folder), "format": format}
    if limits is None:
        require_format_for_parent(arguments)
        return
    with read_apart("format", arguments, name=str(folder), limits=limits, refusal=DataError):
        pass  # there is a data set


def require_format_for_parent(arguments: dict[str, Any], *_: object) -> None:
    """Does `require_format` for another process."""
    require_known_format(list_files(Path(arguments["folder"])), arguments["format"])


def open_folder(folder: Path, split: str, *, format: str | None = None, strict: bool = False) -> FolderData:
    """Opens a split of a folder: one that its annotations or the names of its files define, or one made by `split`.

    Args:
        folder: The data set's folder.
        split: One of `SPLITS`.
        format: The key of an annotation format; None to detect it.
        strict: Refuse the first picture or box that cannot be used, instead of leaving it out.

    Raises:
        AmbiguousFormatError: The folder can be read in several formats.
        DataError: The split does not exist, or the data set cannot be used.
    """
    require_split(split)
    contents = read_data_set(folder, format, strict)
    return FolderData(get_split(folder, contents, split), contents.reading, contents.left_out)


def get_split(folder: Path, contents: FolderContents, split: str) -> RawData:
    """Returns a split of a data set; raises `DataError` if there is none."""
    if split not in contents.splits:
        if (folder / SPLITS_FILE).is_file():
            raise DataError(f"{folder / SPLITS_FILE} lists no picture for {split}: create it again with other shares.")
        raise DataError(
            f"The data set {folder} has no split {split}, only {', '.join(contents.splits) or 'empty ones'}: choose "
            f"another one, or make splits with: split --data {folder}"
        )
    return contents.splits[split]


def find_splits(folder: Path, format: str | None = None) -> tuple[str, ...]:
    """Returns the splits of a folder; raises the errors of `read_data_set`."""
    return tuple(read_data_set(folder, format).splits)


def read_folder(folder: Path, split: str, format: str | None = None) -> RawData:
    """Returns the annotations of a split; raises the errors of `open_folder`."""
    require_split(split)
    return get_split(folder, read_data_set(folder, format), split)


def read_all_splits(folder: Path, format: str | None = None) -> RawData:
    """Returns the annotations of all pictures, whatever their splits; raises the errors of `read_data_set`.

    Images are renumbered if their ids are not distinct across splits.

    Raises:
        DataError: The splits contain the same image.
    """
    with pause_collection():
        files, key = list_files(folder), Key(format, strict=False, use_lists=False)
        contents = CONTENTS.get(files, key, lambda: _read(files, key))
    _require_usable(folder, contents)
    images = contents.images
    if len({image.image_id for image in images}) < len(images):
        images = [image._replace(image_id=number) for number, image in enumerate(images)]
    return contents.unlisted._replace(images=images)


def list_names(folder: Path, images: Sequence[RawImage]) -> list[str]:
    """Returns the images' names in `SPLITS_FILE`: their paths relative to the folder."""
    return [get_relative(folder, image.path) for image in images]


def split_folder(folder: Path, by: str, shares: Sequence[float], seed: int, *, format: str | None = None) -> None:
    """Writes lists of images that replace the splits of a folder's annotations, or removes these lists.

    The arguments and errors are those of `make_lists`; it also raises `OutputError` for a read-only folder.
    """
    lists = make_lists(folder, by, shares, seed, format=format)
    require_writable(folder / SPLITS_FILE)
    if lists is None:
        remove(folder / SPLITS_FILE)
    else:
        write_splits(folder, lists)


def make_lists(
    folder: Path, by: str, shares: Sequence[float], seed: int, *, format: str | None = None
) -> dict[str, list[str]] | None:
    """Returns lists of images, as paths relative to a folder, for its new splits; None for those of its annotations.

    Args:
        folder: The data set's folder.
        by: `GIVEN` for the splits of its annotations, or a key of `SPLIT_METHODS`.
        shares: The share of the images in each of `core.data.dataset.SPLITS`.
        seed: Seeds the random choices.
        format: The key of its annotation format; None to detect it.

    Raises:
        AmbiguousFormatError: The folder can be read in several formats.
        DataError: There is no data set, it cannot be read, or it cannot be divided by these shares.
    """
    raw = read_all_splits(folder, format)
    if by == GIVEN:
        return None
    parts = SPLIT_METHODS[by](raw.images, shares, seed)
    names = list_names(folder, raw.images)
    return {split: [names[number] for number in part] for split, part in zip(SPLITS, parts, strict=True)}


def _read(files: FolderFiles, key: Key) -> FolderContents:
    """Reads a folder, by another process if this one is to leave such files to it."""
    limits = limits_for(Kind.DATA_SETS, files.root)
    if limits is None:
        return read_in_its_format(files, key.format, strict=key.strict, use_lists=key.use_lists)
    arguments = {"folder": str(files.root), "key": key}
    with read_apart("data set", arguments, name=str(files.root), limits=limits, refusal=DataError) as answer:
        contents = load_contents(answer.folder / STORED, files)
    if contents is None:
        raise DataError(f"{files.root} cannot be read: this program has changed since it was started, start it again.")
    return contents


def read_for_parent(arguments: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Reads a folder for another process, which gets the contents as a file in a folder."""
    files, key = list_files(Path(arguments["folder"])), Key(*arguments["key"])
    with pause_collection():
        contents = read_in_its_format(files, key.format, strict=key.strict, use_lists=key.use_lists)
    write_contents(folder / STORED, contents, files.root)


def _require_usable(folder: Path, contents: FolderContents) -> None:
    if contents.refusals:
        raise DataError(
            f"{folder} cannot be used: {contents.refusals[0]}{describe_archives(list_files(folder).others)}"
        )
