"""The anchors that OHEM trains on (paper, section 5.1, "Online Hard Example Mining")."""

import torch
from torch import Tensor
from torchvision.ops import nms

from core.config import Loss
from core.retinanet.suppression.hard import first_survivors


def select_hardest(values: Tensor, anchors: Tensor, foreground: Tensor, usable: Tensor, loss: Loss) -> Tensor:
    """Selects the anchors of OHEM: by descending loss, after NMS, optionally three background per foreground anchor.

    Args:
        values: Loss of each anchor, [N].
        anchors: [N, 4].
        foreground: bool [N].
        usable: bool [N]: anchors that may be selected.
        loss: Number of anchors, NMS threshold and ratio (paper, section 5.1, "Online Hard Example Mining").

    Returns:
        bool [N]: the selected anchors.
    """
    order = values.masked_fill(~usable, -torch.inf).argsort(descending=True, stable=True)[: int(usable.sum())]
    count = loss.ohem_anchors
    if loss.ohem_one_to_three:
        positive = _suppress(order[foreground[order]], count // 4, values, anchors, loss.ohem_nms_threshold)
        negative_count = min(3 * len(positive), count - len(positive))
        negative = _suppress(order[~foreground[order]], negative_count, values, anchors, loss.ohem_nms_threshold)
        chosen = torch.cat([positive, negative])
    else:
        chosen = _suppress(order, count, values, anchors, loss.ohem_nms_threshold)
    return torch.zeros_like(usable).index_fill(0, chosen, True)


def _suppress(order: Tensor, count: int, values: Tensor, anchors: Tensor, threshold: float) -> Tensor:
    """Returns the first `count` indices of `order` that survive NMS."""
    if threshold == 1:
        return order[:count]
    return first_survivors(order, count, lambda some: some[nms(anchors[some], values[some], threshold)])
