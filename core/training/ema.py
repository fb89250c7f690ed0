"""The exponential moving average of a network's weights (Polyak 1992; `training.ema_decay`)."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

RAMP = 10  # steps after which the memory reaches half its length: the average must forget the weights it began with


def averaged(model: nn.Module, decay: float) -> AveragedModel:
    """Returns a copy of a network that follows it: `update_parameters(model)` after each step.

    Step n weighs 1 − min(decay, (1 + n) / (10 + n)). Running statistics of batch norms are averaged alike.

    Args:
        model: The network that trains.
        decay: Memory of the average, 0 … 1.
    """

    def follow(average: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        share = 1 - min(decay, (1 + int(count)) / (RAMP + int(count)))
        for mean, value in zip(average, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, share)
            else:  # counters
                mean.copy_(value)

    return AveragedModel(model, multi_avg_fn=torch.no_grad()(follow), use_buffers=True)
