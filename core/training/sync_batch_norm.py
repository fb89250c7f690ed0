"""Batch norms synchronised across processes on any device (PyTorch's own `SyncBatchNorm` needs CUDA)."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.retinanet.preprocess import PAD_TO
from core.training.records import TrainingError


class AllReduceSum(torch.autograd.Function):
    """The sum of a tensor over all processes, through which gradients flow back to every process."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        """Returns the sum of the values of all processes."""
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        """Returns the sum of the gradients of all processes."""
        return AllReduceSum.apply(gradient)


class SyncBatchNorm(nn.BatchNorm2d):
    """A batch norm over the batches of all processes; in evaluation mode an ordinary `nn.BatchNorm2d`.

    It keeps running statistics with a fixed momentum, as all norms of the backbone do.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, maps: Tensor) -> Tensor:
        """Normalises feature maps [B, C, H, W], B being this process's share; in training all processes must call."""
        if not self.training:
            return super().forward(maps)
        values = maps.float()
        count = AllReduceSum.apply(values.new_tensor(values.numel() / values.shape[1]))
        mean = AllReduceSum.apply(values.sum((0, 2, 3))) / count  # [C]
        variance = AllReduceSum.apply((values - mean[:, None, None]).square().sum((0, 2, 3))) / count  # [C]
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight / (variance + self.eps).sqrt()
        shift = self.bias - mean * scale
        return (values * scale[:, None, None] + shift[:, None, None]).to(maps.dtype)


def convert_batch_norms(model: nn.Module) -> None:
    """Replaces a network's batch norms, in place, by `SyncBatchNorm`; parameters and statistics are shared tensors."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.BatchNorm2d:
                setattr(module, name, _convert(child))


def _convert(norm: nn.BatchNorm2d) -> SyncBatchNorm:
    converted = SyncBatchNorm(norm.num_features, eps=norm.eps, momentum=norm.momentum)
    converted.weight, converted.bias = norm.weight, norm.bias
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        setattr(converted, name, getattr(norm, name))
    return converted.train(norm.training)


def require_statistics(model: nn.Module, pixels: Tensor, processes: int, parts: int = 1) -> None:
    """Raises `TrainingError` if the last batch norms of a backbone would compute statistics of a single value.

    Args:
        model: The network.
        pixels: A batch of this process, or a part of it, [B, 3, H, W].
        processes: Number of processes that train together.
        parts: Number of parts in which the batch of a process is computed.
    """
    count, _, height, width = pixels.shape
    values = processes * count * (height // PAD_TO) * (width // PAD_TO)
    if values < 2 and any(norm.training for norm in model.modules() if isinstance(norm, nn.BatchNorm2d)):
        remedy = "lower training.accumulation, raise" if parts > 1 else "raise training.batch_size or"
        raise TrainingError(
            f"One picture of {width}×{height} px leaves the last batch norms a single value per channel, which has no "
            f"statistics: {remedy} inference.image_size, or set model.batch_norm to frozen."
        )
