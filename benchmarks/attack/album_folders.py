"""Albums whose records somebody has altered, as their owner and others see them, and what is erased of them."""

import json
import shutil
from pathlib import Path
from random import Random

from PIL import Image

from benchmarks.attack.mutations import alter_bytes, alter_value, write_json
from benchmarks.attack.outcome import Attempt, Lost
from core.errors import UserError
from playground.albums.album import ALL
from playground.albums.followers import UNDO_SECONDS
from playground.albums.service import Albums
from playground.albums.storage import PICTURES, RECORD, AlbumStorage

ANN, BOB = "a" * 32, "b" * 32
COUNT = 3  # pictures of each


def attack_album_folders(folder: Path) -> Attempt:
    """Prepares altered records; after an attempt, the other album and all pictures of a damaged one must be there."""
    valid, place = folder / "valid", folder / "albums"
    keys = [_fill(Albums(valid), visitor, folder) for visitor in (ANN, BOB)]

    def attempt(random: Random) -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(valid, place)
        _alter(place / keys[0] / RECORD, random)
        there = _list_pictures(place / keys[0])
        is_whole = _is_whole(place, keys[0])
        try:
            _use(Albums(place), random)
        finally:
            _clean_late(place)
            if not is_whole and _list_pictures(place / keys[0]) != there:
                raise Lost("a picture that a damaged record may name")
            if len(Albums(place).get(keys[1], BOB).pictures) != COUNT:
                raise Lost("another visitor's picture")

    return attempt


def _fill(albums: Albums, visitor: str, folder: Path) -> str:
    for number in range(COUNT):
        Image.new("RGB", (24, 24), (number, 0, 0)).save(folder / "a.png")
        albums.add(visitor, folder / "a.png", "a title")
        albums.set_objects(visitor, number, [(1, 1, 9, 9)], [0], ["cat"])
    return albums.remove(visitor, 0).key if visitor == ANN else albums.require_own(visitor).key


def _alter(record: Path, random: Random) -> None:
    if random.random() < 0.3:
        record.write_bytes(alter_bytes(record.read_bytes(), random))
    else:
        record.write_text(write_json(alter_value(json.loads(record.read_text("utf-8")), random)), "utf-8")


def _is_whole(place: Path, key: str) -> bool:
    """True if nothing shows that the record is damaged: then pictures that it does not name belong to nobody."""
    album = AlbumStorage(place).find(key)
    return album is not None and not any(album.unread) and not album.is_previous


def _use(albums: Albums, random: Random) -> None:
    """Looks at the album and changes it, as its owner does."""
    album = albums.require_own(ANN)
    for index in range(len(album.pictures)):
        albums.open_image(album, index)
        albums.split_stamp(album.key, ALL, ANN)
    for _ in range(random.randint(0, 3)):
        albums.share(ANN, random.random() < 0.5)
        albums.set_split(ANN, random.randrange(COUNT), random.choice(("train", "val", "")))


def _clean_late(place: Path) -> None:
    """Cleans up as if nothing that was removed could be restored any more."""
    albums = Albums(place)
    storage = albums._storage
    now = storage.now()
    storage.now = lambda: now + 2 * UNDO_SECONDS  # type: ignore[method-assign]
    try:
        albums.clean()
    except UserError:  # says which album is damaged
        return


def _list_pictures(folder: Path) -> set[str]:
    return {path.name for path in (folder / PICTURES).iterdir()}
