"""Batch norms that normalise by the batches of all processes together, on any device (PyTorch's own need CUDA)."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class SumOfAll(torch.autograd.Function):
    """The sum of a tensor over all processes; each of them gets the gradients of all."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        """Returns the sum."""
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """Returns the sum of the gradients."""
        return SumOfAll.apply(gradient)


class SharedBatchNorm(nn.BatchNorm2d):
    """A batch norm whose mean and variance are those of all processes' batches; in evaluation mode as any other."""

    def forward(self, maps: Tensor) -> Tensor:
        """Normalises maps [B, C, H, W], B of this process, in which every process must take part when training."""
        if not self.training:
            return super().forward(maps)
        values = maps.float()
        count = SumOfAll.apply(values.new_tensor(values.numel() / values.shape[1]))
        mean = SumOfAll.apply(values.sum((0, 2, 3))) / count  # [C]
        variance = SumOfAll.apply((values - mean[:, None, None]).square().sum((0, 2, 3))) / count  # [C]
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight / (variance + self.eps).sqrt()
        shift = self.bias - mean * scale
        return (values * scale[:, None, None] + shift[:, None, None]).to(maps.dtype)


def share_norms(model: nn.Module) -> None:
    """Makes the batch norms of a network, in place, such ones; parameters and statistics stay the same tensors."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.BatchNorm2d:
                setattr(module, name, _shared(child))


def _shared(norm: nn.BatchNorm2d) -> SharedBatchNorm:
    shared = SharedBatchNorm(norm.num_features, eps=norm.eps, momentum=norm.momentum)
    shared.weight, shared.bias = norm.weight, norm.bias
    shared.running_mean, shared.running_var = norm.running_mean, norm.running_var
    shared.num_batches_tracked = norm.num_batches_tracked
    return shared.train(norm.training)
