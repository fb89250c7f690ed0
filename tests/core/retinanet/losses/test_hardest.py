import torch
from torchvision.ops import box_iou

from core.config import Loss
from core.retinanet.losses import select_hardest


def spread(count: int) -> torch.Tensor:
    """Boxes that do not touch."""
    x = torch.arange(count) * 20.0
    return torch.stack([x, x * 0, x + 10, x * 0 + 10], dim=1)


def test_ohem_keeps_the_hardest_usable():
    values = torch.tensor([5.0, 4, 3, 2, 1])
    usable = torch.tensor([True, False, True, True, True])
    chosen = select_hardest(
        values, spread(5), torch.zeros(5, dtype=torch.bool), usable, Loss(kind="ohem", ohem_anchors=2)
    )
    assert chosen.tolist() == [True, False, True, False, False]


def test_ohem_nms_leaves_one_of_overlapping_anchors():
    anchors = torch.cat([spread(1).repeat(6, 1), spread(4)[1:]])
    values = torch.arange(9, 0, -1.0)
    all_of = torch.ones(9, dtype=torch.bool)
    loss = Loss(kind="ohem", ohem_anchors=3)
    assert select_hardest(values, anchors, ~all_of, all_of, loss).nonzero().flatten().tolist() == [0, 6, 7]
    off = select_hardest(values, anchors, ~all_of, all_of, Loss(kind="ohem", ohem_anchors=3, ohem_nms_threshold=1))
    assert off.nonzero().flatten().tolist() == [0, 1, 2]


def test_ohem_searches_past_duplicates():
    """The requested number of anchors is found, however many duplicates come first."""
    anchors = torch.cat([spread(1).repeat(500, 1), spread(10)])
    all_of = torch.ones(510, dtype=torch.bool)
    chosen = select_hardest(torch.arange(510, 0, -1.0), anchors, ~all_of, all_of, Loss(kind="ohem", ohem_anchors=10))
    assert chosen.sum() == 10 and (box_iou(anchors[chosen], anchors[chosen]) > 0.7).sum() == 10


def test_ohem_one_to_three():
    foreground = torch.zeros(40, dtype=torch.bool)
    foreground[[30, 39]] = True  # easy ones, which would not be selected by their loss
    loss = Loss(kind="ohem", ohem_anchors=16, ohem_one_to_three=True)
    chosen = select_hardest(torch.arange(40, 0, -1.0), spread(40), foreground, torch.ones(40, dtype=torch.bool), loss)
    assert chosen[foreground].all() and chosen[~foreground].sum() == 6
