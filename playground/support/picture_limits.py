"""The limits of a picture that the page keeps and shows."""

import torch
from torch import Tensor

MAX_BOXES = 500  # that a visitor can draw
MAX_SIDE = 2048  # px; larger pictures are scaled down, since the network's input is hardly longer than 1,300 px


def limit_size(image: Tensor) -> Tensor:
    """Scales an image [3, H, W] down until no side is longer than `MAX_SIDE`."""
    longer = max(image.shape[1:])
    if longer <= MAX_SIDE:
        return image
    size = [max(1, round(side * MAX_SIDE / longer)) for side in image.shape[1:]]
    resized = torch.nn.functional.interpolate(image[None].float(), size, mode="bilinear", antialias=True)
    return resized[0].round().to(torch.uint8)
