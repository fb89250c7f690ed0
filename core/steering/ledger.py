"""The gradient ledger: what each anchor and each group of anchors adds to the gradient on a head's last convolution."""

from typing import NamedTuple

import torch
from torch import Tensor

from core.steering.last_convolution import LastConvolution, add_up_gradients, measure_norms, project

TINY = torch.finfo(torch.float32).tiny


class Groups(NamedTuple):
    """The gradients of several groups of anchors.

    Attributes:
        norms: Their norms, [G].
        pulls: The share of each in the gradient of all anchors: its inner product with that, over the square of that
            one's norm. Those of groups that divide all anchors add up to 1; one that pulls the other way has a negative
            share. float32 [G].
        cosines: Cosine of the angle of each two, [G, G]: 1 if they agree, 0 if neither helps nor hinders the other,
            −1 if they undo each other. 0 for a group without a gradient.
        agreements: Cosine of the angle of each with the gradient of all anchors, [G].
    """

    norms: Tensor
    pulls: Tensor
    cosines: Tensor
    agreements: Tensor

    @property
    def norm_shares(self) -> Tensor:
        """The share of each group in the sum of their norms, [G], which does not ask whether they agree."""
        return self.norms / self.norms.sum().clamp(min=TINY)


class Ledger(NamedTuple):
    """The gradient on the weight of a head's last convolution, by anchors, and by levels and kinds of anchors.

    Attributes:
        length: The norm of the gradient of all anchors together.
        norms: That of each anchor, [N].
        pulls: Each anchor's share, as in `Groups`, [N].
        products: Inner products of the gradients of each kind on each level with each other, float64
            [levels, G, levels, G].
        object_pulls: The share of each object's foreground anchors, [M].
    """

    length: float
    norms: Tensor
    pulls: Tensor
    products: Tensor
    object_pulls: Tensor

    @property
    def agreements(self) -> Tensor:
        """The cosine of each anchor's gradient with that of all together, [N]."""
        return _agree(self.pulls, self.norms, self.length)

    @property
    def kinds(self) -> Groups:
        """The gradients of each kind on all levels together."""
        return _compare(self.products.sum(dim=(0, 2)))

    @property
    def levels(self) -> Groups:
        """The gradients of all kinds together on each level."""
        return _compare(self.products.sum(dim=(1, 3)))

    @property
    def cells(self) -> Groups:
        """The gradients of each kind on each level, those of the first level first."""
        return _compare(self.products.flatten(2).flatten(0, 1))


def _agree(pulls: Tensor, norms: Tensor, length: float) -> Tensor:
    """Returns the cosine of gradients with a sum of norm `length`, by their shares in it and their norms."""
    return torch.where(norms > 0, pulls * length / norms.clamp(min=TINY), 0.0).clamp(-1, 1)


def _compare(products: Tensor) -> Groups:
    """Returns groups by the inner products of their gradients, float64 [G, G]."""
    norms = products.diagonal().clamp(min=0).sqrt()
    both = norms[:, None] * norms
    cosines = torch.where(both > 0, products / both.clamp(min=TINY), 0.0).clamp(-1, 1)
    square = products.sum()  # of the norm of all together
    pulls = products.sum(dim=1) / square.clamp(min=TINY)
    agreements = _agree(pulls, norms, square.clamp(min=0).sqrt().item())
    return Groups(norms.float(), pulls.float(), cosines.float(), agreements.float())


@torch.inference_mode()
def open_ledger(last: LastConvolution, kinds: Tensor, owners: Tensor, objects: int) -> Ledger:
    """Computes the ledger of a head.

    Args:
        last: Its last convolution.
        kinds: Groups that divide the anchors with a gradient, bool [G, N], see `core.steering.kinds`.
        owners: int64 [N], the object of each foreground anchor, −1 for all others.
        objects: Number of objects, M.
    """
    of_cells = add_up_gradients(last, kinds)  # [levels, G, A·W, C, 3, 3]
    flat = of_cells.flatten(2).flatten(0, 1)
    products = (flat @ flat.T).double().view(*of_cells.shape[:2], *of_cells.shape[:2])
    whole = of_cells.sum(dim=(0, 1))
    square = whole.square().sum().clamp(min=TINY)
    pulls = project(last, whole) / square
    owned = owners >= 0
    return Ledger(
        length=whole.norm().item(),
        norms=measure_norms(last),
        pulls=pulls,
        products=products,
        object_pulls=pulls.new_zeros(objects).index_add(0, owners[owned], pulls[owned]),
    )
