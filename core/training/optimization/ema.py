"""The exponential moving average (EMA) of a network's weights (Polyak and Juditsky 1992; `training.ema_decay`)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

RAMP = 10  # the decay grows as (1 + n) / (RAMP + n), so that the average soon forgets the initial weights


def build_average(model: nn.Module, decay: float) -> AveragedModel:
    """Returns a copy of a network that averages its weights: call `update_parameters(model)` after each step.

    Update n moves the average towards the weights by the share 1 − min(decay, (1 + n) / (10 + n)). The running
    statistics of batch norms are averaged in the same way; counters are copied.

    Args:
        model: The network being trained.
        decay: Decay of the average, 0 to 1.
    """

    @torch.no_grad()
    def update(average: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        share = 1 - min(decay, (1 + int(count)) / (RAMP + int(count)))
        for mean, value in zip(average, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, share)
            else:  # counters
                mean.copy_(value)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)
