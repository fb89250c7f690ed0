"""The deletion metric of an importance map: the most important pixels are hidden first (RISE 2018, section 4.2)."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.explain.hiding import rate_hidden
from core.explain.target import Subject

AREAS = (0.0, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # hidden pixels, in areas of the box


class Deletion(NamedTuple):
    """The deletion curve: the prediction that remains as a growing area of its picture is hidden.

    Attributes:
        areas: Hidden pixels, as shares of the box's area.
        left: The score or the IoU that remains, as a share of that for the whole picture, float32 [6].
    """

    areas: tuple[float, ...]
    left: Tensor

    @property
    def area(self) -> float:
        """The area under the curve: the lower, the better the map."""
        return torch.trapezoid(self.left, torch.tensor(self.areas)).item()


def delete(subject: Subject, importance: Tensor, box_area: float) -> Deletion:
    """Hides the pixels of a picture in the order of their importance, the most important first.

    Args:
        subject: The prediction.
        importance: [H, W]; among equal ones, those further up and left come first.
        box_area: Area of the predicted box, px².
    """
    order = importance.flatten().argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    hidden = torch.stack([(rank < area * box_area).view_as(importance) for area in AREAS])
    rated = rate_hidden(subject, hidden.to(subject.pixels)).cpu()
    return Deletion(AREAS, rated / rated[0].clamp(min=torch.finfo(rated.dtype).tiny))


def draw_in_box(like: Tensor, box: tuple[float, float, float, float], seed: int) -> Tensor:
    """Returns a map to compare with: the pixels of a box in a random order, then the others in a random order.

    Args:
        like: A map, [H, W], whose shape and device it gets.
        box: x1, y1, x2, y2.
        seed: Seed of the order.
    """
    order = torch.rand(like.shape, generator=torch.Generator().manual_seed(seed))
    x1, y1, x2, y2 = (max(0, round(edge)) for edge in box)
    order[y1:y2, x1:x2] += 1
    return order.to(like.device)
