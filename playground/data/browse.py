"""Going through the pictures of a data set."""

import json
from typing import NamedTuple

from core.data.dataset import SPLITS
from playground.data.datasets import DATA
from playground.data.image_ref import SCENES, ImageRef
from playground.data.sources import MOST_SCENES, SCENES_SPLIT


class Choice(NamedTuple):
    """Pictures that belong together, such as those of a cell of the confusion matrix.

    Attributes:
        label: What they are.
        at: Which of them is on show, None for none.
        count: How many there are.
    """

    label: str
    at: int | None
    count: int


def value(place: ImageRef | None, title: str, choice: Choice | None) -> str:
    """Returns the component's value.

    Args:
        place: Of the picture on show, None for the scene of the dials or an uploaded picture.
        title: Of the picture on show.
        choice: Through which the arrows lead.
    """
    splits = counts(place)
    named = ([name, name] for name in DATA.library.names())
    return json.dumps(
        {
            "sources": [["", "the scene of the dials"], [SCENES, "held-out scenes"], *named],
            "source": place.source if place else "",
            "splits": list(splits),
            "split": place.split if place else "",
            "index": place.index if place else 0,
            "count": splits.get(place.split, 0) if place else 0,
            "name": title,
            "choice": choice and choice._asdict(),
        }
    )


def counts(place: ImageRef | None) -> dict[str, int]:
    """Returns the splits of a place's data set with their pictures; none where it is not kept any more."""
    if place is None or place.source not in (SCENES, *DATA.library.names()):
        return {}
    return {SCENES_SPLIT: MOST_SCENES} if place.source == SCENES else DATA.library.get(place.source).splits


def chosen(place: ImageRef | None, source: object, split: object, index: object) -> ImageRef | None:
    """Returns the place that was chosen in the bar, of which the browser may say anything; None for the scene."""
    if not isinstance(source, str) or not source:
        return None
    known = counts(ImageRef(source, SPLITS[0]))
    same = place is not None and place.source == source
    split = split if same and split in known else next(iter(known), SPLITS[0])
    number = index if same and type(index) is int else 0
    return ImageRef(source, split, min(max(number, 0), max(known.get(split, 1) - 1, 0)))
