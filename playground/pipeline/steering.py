"""Who steers in the pipeline: the gradient on the heads' last convolutions, by anchor and by group of anchors."""

from collections.abc import Callable, Hashable
from functools import cached_property

import torch
from torch import Tensor

from core.errors import PictureError
from core.steering.kinds import KINDS, sort_by_kind
from core.steering.last_convolution import HeadInputs, LastConvolution, compute_inputs, estimate_gflops, estimate_memory
from core.steering.ledger import Ledger, open_ledger
from core.steering.slopes import Slopes, find_slopes
from playground.pipeline.losses import LossStages
from playground.pipeline.outputs import QUICK_GFLOPS
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

MAX_GFLOPS = 100  # some 2 s on one processor
MAX_BYTES = 200e6  # of the gradients of each kind on each level, while they are compared
_kinds, _inputs, _ledgers = Cache(), Cache(), Cache()


class SteeringStages(LossStages):
    """A picture under settings, up to who steers the training on it.

    Raises as `LossStages`; the ledgers raise `PictureError` if they would take too much time or memory, and
    `PostponedError` if they would be slow and slow results are to be postponed.
    """

    @property
    def kinds(self) -> Tensor:
        """Masks of foreground, hard and easy background anchors, bool [3, N], see `core.steering.kinds`."""
        logits = self.prediction.outputs.logits[0]
        return _kinds.get(self.logits_key, lambda: sort_by_kind(logits, self.match))

    @property
    def class_ledger(self) -> Ledger:
        """Who steers the class subnet."""
        key = self.key_of_loss(self.config.loss)
        width = self.prediction.outputs.logits.shape[2]
        return self._open(key, width, lambda: self._convolution(self._head_inputs.classification, self._slopes.logits))

    @property
    def box_ledger(self) -> Ledger:
        """Who steers the box subnet; α, γ and the kind of the classification loss do not matter to it."""
        loss = self.config.loss
        key = self.logits_key, loss.box_loss, loss.smooth_l1_beta, loss.box_weight, loss.normaliser
        return self._open(key, 4, lambda: self._convolution(self._head_inputs.box, self._slopes.deltas))

    @cached_property
    def _slopes(self) -> Slopes:
        logits, deltas, _ = self.prediction.outputs
        boxes, loss = self.objects[0], self.config.loss
        anchors, weights = self.grid.boxes, self.weigh_classes(loss)
        return find_slopes(logits[0], deltas[0], anchors, self.match, boxes, self.labels, loss, weights)

    @property
    def _head_inputs(self) -> HeadInputs:
        def compute() -> HeadInputs:
            model, levels = self.network.model, self.pyramid.levels
            with all_threads():  # nearly all of both subnets
                return compute_inputs(model, levels)

        return _inputs.get(self.outputs_key, compute)

    def _convolution(self, features: tuple[Tensor, ...], slopes: Tensor) -> LastConvolution:
        return LastConvolution(features, slopes, self.grid)

    def _open(self, key: Hashable, width: int, make: Callable[[], LastConvolution]) -> Ledger:
        """Returns the ledger of a head with a number of outputs for each anchor."""
        key = key, width
        if key not in _ledgers:
            self._require_small(width)

        def compute() -> Ledger:
            owners = torch.where(self.match.foreground, self.match.object, -1)
            return open_ledger(make(), self.kinds, owners, len(self.objects[0]))

        return _ledgers.get(key, compute)

    def _require_small(self, width: int) -> None:
        channels = self.config.model.fpn_channels
        gflops = estimate_gflops(self.grid, channels, width, len(KINDS))
        size = estimate_memory(self.grid, channels, width, len(KINDS))
        if gflops > MAX_GFLOPS or size > MAX_BYTES:
            raise PictureError(
                f"Who steers takes {gflops:,.0f} GFLOP and {size / 1e6:,.0f} MB here, and this page spends at most "
                f"{MAX_GFLOPS} GFLOP and {MAX_BYTES / 1e6:,.0f} MB: lower “Shorter side”, or choose weights of fewer "
                "classes."
            )
        if gflops > QUICK_GFLOPS and self.must_postpone():
            raise PostponedError("Who steers follows once you release the knob.")
