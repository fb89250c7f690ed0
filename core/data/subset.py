"""A part of a data set's training pictures, drawn at random so that every class appears."""

from collections.abc import Mapping

import numpy as np

from core.data.raw import RawData, judge_boxes
from core.data.untrusted import DataError
from core.io.text import count_noun


def draw_training_pictures(splits: Mapping[str, RawData], pictures: int, seed: int) -> dict[str, RawData]:
    """Returns the splits of a data set with a part of the training pictures; the other splits stay whole.

    Args:
        splits: The splits, as annotated.
        pictures: Number of training pictures.
        seed: Seeds the draw.

    Raises:
        DataError: There is no training split, or it has fewer pictures than that.
    """
    if "train" not in splits:
        raise DataError("There is no training split to draw pictures from: make splits first (command split).")
    return {**splits, "train": draw_subset(splits["train"], pictures, seed)}


def draw_subset(raw: RawData, pictures: int, seed: int) -> RawData:
    """Draws pictures of a split at random, but so that every class with usable objects appears if possible.

    As long as a class is missing, a picture with as many missing classes as possible is drawn, of several the one with
    the rarest classes. The order of the pictures is kept.

    Args:
        raw: The split, as annotated.
        pictures: Number of pictures.
        seed: Seeds the draw.

    Raises:
        DataError: The split has fewer pictures than that, or none is asked for.
    """
    if not 1 <= pictures <= len(raw.images):
        raise DataError(
            f"{count_noun(pictures, 'picture')} cannot be drawn from {count_noun(len(raw.images), 'picture')}: "
            f"ask for 1 to {len(raw.images):,}."
        )
    order = np.random.default_rng(seed).permutation(len(raw.images))
    chosen = _cover_classes(_find_classes(raw)[order], pictures)
    others = sorted(set(range(len(order))).difference(chosen))
    chosen += others[: pictures - len(chosen)]
    return raw._replace(images=[raw.images[number] for number in sorted(order[chosen].tolist())])


def _find_classes(raw: RawData) -> np.ndarray:
    """Returns which classes have usable objects in which pictures, bool [N, K]; crowd regions are none."""
    counts = [len(image.labels) for image in raw.images]
    usable = judge_boxes(raw.images).valid & ~np.concatenate([image.crowd for image in raw.images])
    labels = np.concatenate([image.labels for image in raw.images])
    present = np.zeros((len(counts), len(raw.class_names)), dtype=bool)
    present[np.repeat(np.arange(len(counts)), counts)[usable], labels[usable]] = True
    return present


def _cover_classes(present: np.ndarray, most: int) -> list[int]:
    """Returns at most so many rows of [N, K] that together have every class, chosen greedily; of equals the first."""
    chosen: list[int] = []
    counts = present.sum(axis=0)
    missing = counts > 0
    while missing.any() and len(chosen) < most:
        values = 1 + 1 / (len(counts) * counts[missing])  # the number of classes counts first, then their rarity
        chosen.append(int((present[:, missing] @ values).argmax()))
        missing &= ~present[chosen[-1]]
    return chosen
