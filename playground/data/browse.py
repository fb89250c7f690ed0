"""Browsing the pictures of a data set: the bar above the picture."""

import json
from typing import NamedTuple

from core.data.dataset import SPLITS
from playground.albums.album import ALL, MINE, SHARED, AlbumError
from playground.albums.service import ALBUMS
from playground.data.datasets import DATA
from playground.data.image_ref import PHOTOGRAPHS, SCENES, UPLOAD, ImageRef, is_from_album
from playground.data.photographs import find_photographs
from playground.data.sources import MAX_SCENES, SCENES_SPLIT


class Browsing(NamedTuple):
    """The selected pictures that the arrows step through, such as those of a cell of the confusion matrix.

    Attributes:
        label: What the pictures have in common.
        position: Which of them is on the page, from 0; None if it is none of them.
        total: The number of selected pictures.
    """

    label: str
    position: int | None
    total: int


class OwnPicture(NamedTuple):
    """The visitor's upload that no album holds: its name, and whether it is on show."""

    name: str
    is_shown: bool


def build_bar(
    image_ref: ImageRef | None,
    title: str,
    browsing: Browsing | None,
    visitor: str = "",
    upload: OwnPicture | None = None,
    *,
    film: str = "",
) -> str:
    """Returns the value of the bar above the picture, as JSON.

    Args:
        image_ref: The picture on the page, None for the generated scene or an uploaded picture.
        title: The name of this picture.
        browsing: The selected pictures, None if the arrows step through the whole split.
        visitor: Who sees the bar.
        upload: The visitor's upload, None if there is none.
        film: The name of the picture that a run's film shows instead, "" for none.
    """
    is_upload = upload is not None and upload.is_shown
    splits = count_pictures(image_ref, visitor)
    photographs = [[PHOTOGRAPHS, PHOTOGRAPHS]] if find_photographs() else []
    data_sets = [[name, name] for name in DATA.library.names()]
    unread = [[name, f"{name} (cannot be read)"] for name in DATA.library.list_unread()]
    choice = {"label": browsing.label, "at": browsing.position, "count": browsing.total} if browsing else None
    return json.dumps(
        {
            "sources": [
                ["", "generated scene"],
                *([[UPLOAD, f"my picture: {upload.name}"]] if upload else []),
                [SCENES, "held-out scenes"],
                *photographs,
                *_list_albums(image_ref, visitor),
                *data_sets,
                *unread,
            ],
            "source": image_ref.source if image_ref else UPLOAD if is_upload else "",
            "scene": image_ref is None and not is_upload,
            "splits": list(splits),
            "split": image_ref.split if image_ref else "",
            "index": image_ref.index if image_ref else 0,
            "count": splits.get(image_ref.split, 0) if image_ref else 0,
            "name": title,
            "choice": choice,
            "film": film,
        }
    )


def _list_albums(image_ref: ImageRef | None, visitor: str) -> list[list[str]]:
    """Returns key and name of the visitor's album, and of the shared one on show."""
    mine = ALBUMS.of(visitor)
    listed = [[mine.key, MINE]] if mine else []
    if is_from_album(image_ref) and image_ref.source not in [key for key, _ in listed]:
        listed.append([image_ref.source, SHARED])
    return listed


def count_pictures(image_ref: ImageRef | None, visitor: str = "") -> dict[str, int]:
    """Returns the number of pictures in each split of a data set, {} if there is none that the visitor may see."""
    if is_from_album(image_ref):
        try:
            return ALBUMS.get(image_ref.source, visitor).counts()
        except AlbumError:
            return {}
    if image_ref is not None and image_ref.source == PHOTOGRAPHS:
        return {ALL: len(find_photographs())}
    if image_ref is None or image_ref.source not in (SCENES, *DATA.library.names()):
        return {}
    return {SCENES_SPLIT: MAX_SCENES} if image_ref.source == SCENES else DATA.library.get(image_ref.source).splits


def choose_picture(
    current: ImageRef | None, source: object, split: object, index: object, visitor: str = ""
) -> ImageRef | None:
    """Returns the picture that was chosen in the bar, None for the generated scene.

    Args:
        current: The picture on the page.
        source: The chosen data set. This and the rest come from the browser and can be anything.
        split: The chosen split; another data set opens with its first split.
        index: The chosen picture; it is moved into the split.
        visitor: Who chooses.
    """
    if not isinstance(source, str) or not source:
        return None
    counts = count_pictures(ImageRef(source, SPLITS[0]), visitor)
    same_source = current is not None and current.source == source
    split = split if same_source and isinstance(split, str) and split in counts else next(iter(counts), SPLITS[0])
    number = index if same_source and isinstance(index, int) and not isinstance(index, bool) else 0
    return ImageRef(source, split, min(max(number, 0), max(counts.get(split, 1) - 1, 0)))
