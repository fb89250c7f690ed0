import pytest
import torch

from core.config import Loss
from core.retinanet.losses import AnchorLosses, ForegroundAverage, total_loss


def image(classification: float, box: float, foreground: int) -> AnchorLosses:
    values = torch.tensor([classification, 0.0]), torch.tensor([box, 0.0])
    return AnchorLosses(*values, torch.ones(2, dtype=torch.bool), torch.tensor(foreground))


def test_normalisers_by_hand():
    images = [image(8.0, 4.0, 4), image(3.0, 0.0, 0)]
    assert [x.item() for x in total_loss(images, Loss(normaliser="image"))] == [(8 / 4 + 3) / 2, (4 / 4 + 0) / 2]
    assert [x.item() for x in total_loss(images, Loss(normaliser="batch"))] == [11 / 4, 1]
    assert [x.item() for x in total_loss(images, Loss(normaliser="moving_average"), 10)] == pytest.approx([1.1, 0.4])


def test_moving_average_starts_at_a_hundred():
    average = ForegroundAverage()
    assert average.update(50) == pytest.approx(95)
    assert average.update(0) == pytest.approx(85.6)  # a count of 0 counts as 1
