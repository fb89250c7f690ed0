"""Albums as data sets on the disk: the folder that runs are trained on, and zips to download."""

import hashlib
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from core.data.dataset import SPLITS
from core.data.writers.content import Content, WrittenImage
from core.data.writers.convert import WRITERS
from core.io.moving import remove_tree, rename
from core.io.parts import OwnFolder, make_part
from core.io.troubles import require_temporary
from playground.albums.album import Album, AlbumError, AlbumPicture
from playground.albums.storage import link_or_copy

MIN_LABELLED = 2  # one picture to train on, one that is held out
TOO_FEW = (
    f"Label at least {MIN_LABELLED} pictures to train on them: draw a box around each object, or press No objects here."
)
TRAINING, TRAINING_FORMAT = "training-", "coco"  # of folders for runs: with what their names begin, and their format
MAX_STEM = 40  # characters of a title in the name of a file
DOWNLOADS = "retinanet-albums"  # the folder of a process for downloads

PathOf = Callable[[AlbumPicture], Path]


class Exports:
    """The downloads of this process, which hold private pictures: each in a folder of its own."""

    def __init__(self) -> None:
        self._own = OwnFolder(DOWNLOADS, require_temporary)

    @contextmanager
    def make(self) -> Iterator[Path]:
        """Yields a new folder, which is removed again on an error.

        Raises:
            OSError, PlaceError: It cannot be created.
        """
        folder = self._own.make_folder()
        try:
            yield folder
        except BaseException:
            remove_tree(folder)
            raise

    def clean(self, seconds: float) -> None:
        """Removes downloads that are older than some seconds, and all those of killed processes."""
        self._own.sweep()
        for folder in self._own.folder.glob("*/") if self._own.folder else ():
            if folder.stat().st_mtime < time.time() - seconds:
                remove_tree(folder)


def write_data_set(album: Album, format: str, folder: Path, path_of: PathOf) -> None:
    """Writes the labelled pictures of an album into a new folder.

    Args:
        album: The album.
        format: A key of `WRITERS`.
        folder: The folder, which must not exist.
        path_of: Returns the stored file of a picture.

    Raises:
        OSError: It cannot be written.
    """
    writer, splits = WRITERS[format], _list_splits(album)
    folder.mkdir(parents=True)
    for split, images in splits.items():
        place = folder / writer.pictures.format(split=split)
        place.mkdir(parents=True, exist_ok=True)
        for index, image in images.items():
            link_or_copy(path_of(album.pictures[index]), place / image.name)
    ids = tuple(range(1, len(album.class_names) + 1))
    content = {split: list(images.values()) for split, images in splits.items()}
    writer.write(folder, Content(album.class_names, ids, content))


def write_training_folder(album: Album, folder: Path, path_of: PathOf) -> Path:
    """Writes the folder that `core` trains on and returns it; one for the same pictures and objects is used again.

    Nothing is changed in it later, whatever the visitor draws while a run is training.

    Args:
        album: The album.
        folder: The folder of the album.
        path_of: Returns the stored file of a picture.

    Raises:
        AlbumError: Too few pictures are labelled, or none is in a split that runs need.
        OSError: It cannot be written.
    """
    if lack := find_lack(album):
        raise AlbumError(lack)
    labelled = [each._replace(rejected=()) for each in album.pictures if each.labelled]
    stamp = hashlib.sha256(repr((album.class_names, labelled)).encode()).hexdigest()[:12]
    target = folder / f"{TRAINING}{stamp}"
    if not target.is_dir():
        with make_part(target) as partial:
            write_data_set(album, TRAINING_FORMAT, partial, path_of)
            rename(partial, target)
    return target


def remove_training_folders(folder: Path, needed_by: Callable[[Path], bool]) -> None:
    """Removes the folders of `write_training_folder` that nobody needs; its caller keeps others from making some."""
    for each in folder.glob(f"{TRAINING}*"):
        if not needed_by(each):
            remove_tree(each)


def find_pictures(folder: Path, split: str) -> list[Path]:
    """Returns the pictures of a split in a folder of `write_training_folder`; none without the folder."""
    place = folder / WRITERS[TRAINING_FORMAT].pictures.format(split=split)
    return sorted(place.iterdir()) if place.is_dir() else []


def find_lack(album: Album) -> str:
    """Returns the reason why a run cannot be trained on an album, as a sentence; "" if it can."""
    if album.labelled < MIN_LABELLED:
        return TOO_FEW
    if not any(each.boxes for each in album.pictures if each.used_in == "train"):
        return "No picture for training has an object: draw a box in one, or use another picture for training."
    if "val" not in album.counts():
        return "No picture is held out: use one of them for val, or let the splits be made automatically."
    return ""


def write_zip(album: Album, format: str, folder: Path, path_of: PathOf) -> Path:
    """Writes the labelled pictures of an album as a zip into a folder and returns its path.

    Args:
        album: The album.
        format: A key of `WRITERS`.
        folder: The folder of the zip.
        path_of: Returns the stored file of a picture.

    Raises:
        AlbumError: No picture is labelled.
        OSError: It cannot be written.
    """
    if not album.labelled:
        raise AlbumError("There is nothing to download yet: draw boxes in a picture, or mark it as without objects.")
    content, path = folder / "content", folder / f"my-pictures-{format}.zip"
    write_data_set(album, format, content, path_of)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for each in sorted(content.rglob("*")):
            archive.write(each, each.relative_to(content))
    remove_tree(content)
    return path


def _list_splits(album: Album) -> Mapping[str, dict[int, WrittenImage]]:
    """Returns the labelled pictures of each split that has any, by index."""
    indices = {split: album.indices(split) for split in SPLITS}
    return {split: {index: _describe(album, index) for index in found} for split, found in indices.items() if found}


def _describe(album: Album, index: int) -> WrittenImage:
    picture = album.pictures[index]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(picture.title).stem).strip("-_")[:MAX_STEM] or "picture"
    return WrittenImage(
        name=f"{index + 1:03}-{stem}{Path(picture.file).suffix}",
        size=(picture.width, picture.height),
        image_id=index + 1,
        boxes=np.array(picture.boxes, dtype=np.float64).reshape(-1, 4),
        labels=np.array(picture.labels, dtype=np.int64),
        crowd=np.zeros(len(picture.labels), dtype=bool),
    )
