"""The detections that differ, drawn on the picture."""

from collections.abc import Iterator

from PIL import Image, ImageDraw
from torch import Tensor

from core.conventions.comparison import Comparison
from core.data.images import to_pil

LOST, NEW, HERE, THERE, SAME = "#d55e00", "#cc79a7", "#56b4e9", "#e69f00", "#999999"


def draw_differences(image: Tensor, comparison: Comparison, factors: Tensor) -> Image.Image:
    """Returns a picture with the detections lost, new, changed (as here and as there) and the same.

    Args:
        image: uint8 [3, H, W].
        comparison: Of this picture.
        factors: [4], by which boxes are scaled to it.
    """
    drawing = to_pil(image)
    draw = ImageDraw.Draw(drawing)
    for colour, boxes in _list_boxes(comparison):
        for box in (boxes.cpu() * factors.cpu()).tolist():
            draw.rectangle([round(edge) for edge in box], outline=colour, width=2)
    return drawing


def _list_boxes(comparison: Comparison) -> Iterator[tuple[str, Tensor]]:
    here, there, found = (
        comparison.here.detections.boxes,
        comparison.there.detections.boxes,
        comparison.difference.detections,
    )
    yield SAME, here[found.here[~found.changed]]
    yield HERE, here[found.here[found.changed]]
    yield THERE, there[found.there[found.changed]]
    yield LOST, here[found.lost]
    yield NEW, there[found.new]
