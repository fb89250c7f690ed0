"""Albums of visitors, in a folder of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from playground.albums.album import Album
from playground.albums.service import ALBUMS, Albums


@contextmanager
def albums_at(root: Path) -> Iterator[None]:
    """Switches the page to the albums of another folder, and back at the end."""
    before = ALBUMS.folder
    ALBUMS.use_folder(root)
    yield
    ALBUMS.use_folder(before)


def fill_album(visitor: str, folder: Path) -> Album:
    """Adds two pictures with an object each, whose names nobody else may learn; the folder gets the uploaded file."""
    for number in range(2):
        Image.new("RGB", (64, 48), (number, 0, 0)).save(folder / "a.png")
        ALBUMS.add(visitor, folder / "a.png", "secret title")
        album = ALBUMS.set_objects(visitor, number, [(1, 2, 30, 40)], [0], ["secret class"])
    return album


def training_folder(albums: Albums, album: Album) -> Path:
    """Returns the folder to train a run on, which nobody keeps any more."""
    with albums.train_on(album) as folder:
        return folder
