"""Importance maps from random masks: the mean prediction where a pixel is in sight (RISE 2018, D-RISE 2021)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from core.explain.hiding import BATCH, rate_hidden
from core.explain.target import Subject

CELLS = 16  # of a mask's grid along each side
KEPT = 0.5  # chance of a cell to stay in sight


def map_occlusion(subject: Subject, *, masks: int, seed: int) -> Tensor:
    """Returns how much better the prediction survives where each pixel is in sight, float32 [H, W].

    D-RISE weights each mask by the similarity of the best detection that is left, which may come from any anchor. A
    dense detector has one anchor for each box, so that here the same anchor is asked again. Unlike there, the weights
    are centred: otherwise pixels that happen to be in sight more often would stand out.

    Args:
        subject: The prediction.
        masks: Number of random masks, each of which costs a forward pass.
        seed: Seed of the masks.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = subject.pixels.shape[-2:]
    total, seen_total, both = 0.0, torch.zeros(height, width), torch.zeros(height, width)
    for start in range(0, masks, BATCH):
        seen = draw_masks(min(BATCH, masks - start), height, width, generator)
        rated = rate_hidden(subject, 1 - seen.to(subject.pixels.device)).cpu()
        total += rated.sum().item()
        seen_total += seen.sum(dim=0)
        both += torch.einsum("b,bhw->hw", rated, seen)
    return (both - total / masks * seen_total) / masks


def draw_masks(count: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Returns how far each pixel is in sight under random masks, float32 [count, height, width], 0 … 1.

    A coarse grid of cells, each in sight or hidden, is enlarged with soft edges and shifted by a part of a cell.
    """
    down, across = math.ceil(height / CELLS), math.ceil(width / CELLS)
    cells = (torch.rand(count, 1, CELLS + 1, CELLS + 1, generator=generator) < KEPT).float()
    size = ((CELLS + 1) * down, (CELLS + 1) * across)
    y = torch.randint(down, (count,), generator=generator).tolist()
    x = torch.randint(across, (count,), generator=generator).tolist()
    enlarged = F.interpolate(cells, size, mode="bilinear", align_corners=False)[:, 0]
    places = zip(enlarged, y, x, strict=True)
    return torch.stack([mask[top : top + height, left : left + width] for mask, top, left in places])
