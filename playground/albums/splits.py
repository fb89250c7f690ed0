"""Splits of an album's labelled pictures, made where the visitor has chosen none."""

from collections.abc import Sequence

from playground.albums.album import AlbumPicture

VAL_SHARE = 5  # one of so many labelled pictures is held out


def make_splits(pictures: Sequence[AlbumPicture]) -> tuple[AlbumPicture, ...]:
    """Returns the pictures with a made split for each labelled one.

    A picture keeps the split that was made for it when others are added. One of five is held out, at least one; at
    least one is trained on. The test split has only pictures that were chosen for it.
    """
    made = list(pictures)
    for index, picture in enumerate(made):
        if picture.labelled and not picture.split and not picture.made:
            made[index] = picture._replace(made=_choose(made))
    if not _count(made, "train"):
        _move_one(made, "val", "train")
    if _count(made, "train") > 1 and not _count(made, "val"):
        _move_one(made, "train", "val")
    return tuple(made)


def _choose(pictures: Sequence[AlbumPicture]) -> str:
    """Returns the split of the next picture: train for the first one, then val as long as it lacks pictures."""
    train, val = _count(pictures, "train"), _count(pictures, "val")
    return "val" if train and val < max(1, (train + val + 1) // VAL_SHARE) else "train"


def _count(pictures: Sequence[AlbumPicture], split: str) -> int:
    return sum(each.used_in == split for each in pictures)


def _move_one(pictures: list[AlbumPicture], source: str, target: str) -> None:
    """Moves the last picture with a made split from one split to another, if there is one."""
    for index in reversed(range(len(pictures))):
        if pictures[index].used_in == source and not pictures[index].split:
            pictures[index] = pictures[index]._replace(made=target)
            return
