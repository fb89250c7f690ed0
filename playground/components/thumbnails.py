"""Small pictures with boxes, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from torch import Tensor

from core.data.images import shrink
from playground.canvas.canvas import encode
from playground.canvas.view import BLACK, COLOURS, TRUTH
from playground.components.html import join

SIDE = 128  # px; the longest side as it is sent, more than is shown on most screens
QUALITY = 75  # of the JPEG: eight pictures take some 50 kB
MAX_BOXES = 200  # that are drawn on a small picture


class Thumbnail(NamedTuple):
    """A small picture.

    Attributes:
        name: What it shows, for people who do not see it, and as a tooltip.
        image: uint8 [3, H, W], of any size.
        boxes: float32 [M, 4], xyxy in its pixels.
    """

    name: str
    image: Tensor
    boxes: Tensor


def thumbnails(name: str, pictures: Sequence[Thumbnail]) -> Markup:
    """Returns pictures in rows, each in a square, with at most `MAX_BOXES` boxes.

    Args:
        name: The accessible name of all together.
        pictures: The pictures.
    """
    start = Markup('<div class="thumbnails" role="group" aria-label="{}">').format(name)
    return start + join(_draw(each) for each in pictures) + Markup("</div>")


def _draw(picture: Thumbnail) -> Markup:
    height, width = picture.image.shape[1:]
    path = "".join(
        f"M{x1:.1f} {y1:.1f}H{x2:.1f}V{y2:.1f}H{x1:.1f}Z" for x1, y1, x2, y2 in picture.boxes[:MAX_BOXES].tolist()
    )
    lines = join(
        Markup('<path d="{}" stroke="{}" stroke-width="{}"/>').format(path, colour, thickness)
        for colour, thickness in ((BLACK, 3), (COLOURS[TRUTH], 1.5))
    )
    return Markup(
        '<span title="{name}"><img src="{url}" alt="{name}">'
        '<svg viewBox="0 0 {width} {height}" aria-hidden="true">{lines}</svg></span>'
    ).format(
        name=picture.name,
        url=encode(shrink(picture.image, SIDE), "jpeg", QUALITY),
        width=width,
        height=height,
        lines=lines,
    )
