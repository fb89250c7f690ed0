"""A picture that is bright where a map is high, with boxes on it."""

from collections.abc import Mapping, Sequence

import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional as F

from core.data.images import to_pil

DIMMED = 0.25  # brightness where the map is 0


def draw_map(image: Tensor, importance: Tensor, boxes: Mapping[str, Sequence[float] | None]) -> Image.Image:
    """Returns a picture that is dimmed where a map is low.

    Args:
        image: uint8 [3, H, W].
        importance: The map over the whole picture, from 0 up, of any resolution, [h, w]; its maximum stays as bright as
            the picture.
        boxes: x1, y1, x2, y2 in pixels of the picture, by the colour in which they are drawn, later ones on top; None
            draws nothing.
    """
    share = importance / importance.max().clamp(min=torch.finfo(importance.dtype).tiny)
    fine = F.interpolate(share[None, None], image.shape[1:], mode="bilinear", align_corners=False)[0]  # [1, H, W]
    dimmed = image * (DIMMED + (1 - DIMMED) * fine)
    drawing = to_pil(dimmed.round().to(torch.uint8))
    draw = ImageDraw.Draw(drawing)
    for colour, box in boxes.items():
        if box is not None:
            draw.rectangle([round(edge) for edge in box], outline=colour, width=2)
    return drawing
