"""Views of a picture at test time: mirrored and resized, with their candidates mapped back to the picture.

A view is seen like a picture of its own, whole and in tiles, under settings of its own. Its candidates join those of
the picture itself before NMS, which merges them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.config import Config, Inference
from core.retinanet.boxes import mirror
from core.retinanet.postprocess import Candidates, concatenate_candidates
from core.retinanet.preprocess import count_pixels
from core.retinanet.tiles import Tile


class View(NamedTuple):
    """How a picture is seen.

    Attributes:
        scale: Factor of both limits of its sides, `inference.image_size` and `inference.max_image_size`.
        is_mirrored: Whether left and right are exchanged.
    """

    scale: float
    is_mirrored: bool


PLAIN = View(1.0, is_mirrored=False)


def make_views(inference: Inference) -> tuple[View, ...]:
    """Returns the views of a picture; `PLAIN` is the first, and the only one by default."""
    scales = (PLAIN.scale, *(scale for scale in inference.test_time_scales if scale != PLAIN.scale))
    flips = (False, True) if inference.test_time_flip else (False,)
    return tuple(View(scale, is_mirrored) for is_mirrored in flips for scale in scales)


def settings_of(view: View, config: Config) -> Config:
    """Returns the settings under which a view is seen, as the only one."""
    inference = config.inference
    sides = {name: max(1, round(view.scale * getattr(inference, name))) for name in ("image_size", "max_image_size")}
    alone = {"test_time_flip": False, "test_time_scales": (PLAIN.scale,)}
    # No validation: the sides may lie beyond what people can choose.
    return config.model_copy(update={"inference": inference.model_copy(update={**sides, **alone})})


def count_seen_pixels(view: View, config: Config, height: int, width: int, tiles: Sequence[Tile]) -> list[float]:
    """Returns the pixels of all inputs of the network in a view: of the whole picture, then of each of its tiles."""
    inference = settings_of(view, config).inference
    sides = ((height, width), *((y2 - y1, x2 - x1) for x1, y1, x2, y2 in tiles))
    return [count_pixels(*each, inference) for each in sides]


def show(image: Tensor, view: View) -> Tensor:
    """Returns an image [3, H, W] as a view shows it, before it is resized."""
    return image.flip(-1) if view.is_mirrored else image


class Frame(NamedTuple):
    """The coordinates of the boxes of a picture that is seen in one way.

    Attributes:
        factors: [4], by which its boxes are scaled to the original picture.
        width: Of the original picture, px.
    """

    factors: Tensor
    width: int


def map_back(boxes: Tensor, view: View, own: Frame, plain: Frame) -> Tensor:
    """Converts boxes […, 4] from pixels of a resized view to pixels of the plain resized picture."""
    boxes = boxes * own.factors
    if view.is_mirrored:
        boxes = mirror(boxes, own.width)
    return boxes / plain.factors


def join_views(seen: Sequence[Candidates]) -> Candidates:
    """Returns the candidates of all views of a picture as one, in order; of the only one as they are.

    Args:
        seen: The candidates of each view, with boxes in pixels of the plain resized picture.
    """
    if len(seen) == 1:
        return seen[0]
    numbered = [each._replace(view=torch.full_like(each.anchor, number)) for number, each in enumerate(seen)]
    return concatenate_candidates(numbered)
