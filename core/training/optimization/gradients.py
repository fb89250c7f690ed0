"""The gradient of a batch: of all images at once, or of parts of it one after the other (`training.accumulation`)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from core.config import Config
from core.retinanet.losses import AnchorLosses, ForegroundAverage, GradientAverage, Losses, batch_losses, total_loss
from core.retinanet.model import RetinaNet
from core.retinanet.precision import compute_in
from core.retinanet.preprocess import Batch, prepare
from core.structures import Sample
from core.training.distributed import pad_across_processes
from core.training.feature_cache import FeatureCache
from core.training.optimization.class_shares import find_shares, sum_by_class
from core.training.sync_batch_norm import require_statistics


class BatchGradient:
    """Computes the losses of batches and their gradients.

    With `training.accumulation` the memory holds the computation of a part of the batch at a time. The gradient is that
    of the whole batch up to rounding, its normaliser included: what the earlier parts have added is divided by the
    foreground of the batch as soon as that is known. Only live batch norms differ: each part has its own statistics.

    Args:
        model: The network whose gradients are computed.
        prepared: The same network as the accelerator has prepared it.
        config: All settings.
        accelerator: The processes; each has its share of the batch.

    Attributes:
        foreground: Average number of foreground anchors, for the normaliser "moving_average".
        bins: Average number of scores per bin of GHM-C.
        cache: The feature maps of a frozen backbone, if they are kept.
        class_weights: The weight of each class, float32 [K]; None for none.
        class_shares: What the foreground of each class and, last, background paid of the classification loss of the
            last batch, of all processes; () if it is not known, see `sum_by_class`.
    """

    def __init__(self, model: RetinaNet, prepared: nn.Module, config: Config, accelerator: Accelerator) -> None:
        self._model, self._prepared, self._config, self._accelerator = model, prepared, config, accelerator
        self.foreground = ForegroundAverage()
        self.bins = GradientAverage(config.loss.ghm_momentum)
        self.cache: FeatureCache | None = None
        self.class_weights: Tensor | None = None
        self.class_shares: tuple[float, ...] = ()
        self._sums: list[Tensor | None] = []  # of the parts of a batch, see `sum_by_class`

    def compute(self, samples: Sequence[Sample]) -> tuple[Losses, int]:
        """Computes the gradient of this process's share of a batch; that of an earlier batch must have been cleared.

        Returns:
            The losses of the share, detached, and the number of foreground anchors of all processes.

        Raises:
            TrainingError: A part is too small for the statistics of live batch norms.
        """
        self._sums = []
        batch, losses, foreground = self._prepare(samples), None, torch.zeros((), dtype=torch.int64)
        *earlier, last = split_evenly(len(samples), self._config.training.accumulation)
        for part in earlier:
            with self._accelerator.no_sync(self._prepared):  # the processes exchange gradients with the last part
                images = self._forward(_take(batch, part), samples[part])
                losses = _add(losses, self._add_gradient(images, len(samples)))
            foreground = foreground + _count_foreground(images)
        images = self._forward(_take(batch, last), samples[last])
        foreground = self._accelerator.reduce(foreground.to(batch.pixels.device) + _count_foreground(images), "sum")
        counts = self._average_bins(images)
        divisor = self._average_foreground(int(foreground))
        losses = losses and self._divide(losses, divisor)
        self.class_shares = self._find_shares()
        return _add(losses, self._add_gradient(images, len(samples), divisor, counts)), int(foreground)

    def _prepare(self, samples: Sequence[Sample]) -> Batch:
        """Prepares all images together: those of a part are padded as in the whole batch."""
        batch = prepare([sample.image.to(self._accelerator.device) for sample in samples], self._config.inference)
        return batch._replace(pixels=pad_across_processes(self._accelerator, batch.pixels))

    def _forward(self, batch: Batch, samples: Sequence[Sample]) -> list[AnchorLosses]:
        """Returns the losses of each anchor of each image."""
        training, processes = self._config.training, self._accelerator.num_processes
        parts = min(training.accumulation, training.batch_size // processes)
        require_statistics(self._model, batch.pixels, processes, parts)
        with compute_in(training.precision, batch.pixels.device):
            maps = self.cache.maps([sample.image for sample in samples], batch.pixels) if self.cache else None
            outputs = self._prepared(batch.pixels, maps)
        images = batch_losses(outputs, batch, samples, self._config, self.class_weights)
        self._sums.append(sum_by_class(images, self._config.loss.normaliser))
        return images

    def _find_shares(self) -> tuple[float, ...]:
        known = [each for each in self._sums if each is not None]
        if len(known) < len(self._sums):
            return ()
        return find_shares(self._accelerator.reduce(torch.stack(known).sum(dim=0), "sum"))

    def _add_gradient(
        self, images: list[AnchorLosses], batch_size: int, divisor: float = 1.0, counts: Tensor | None = None
    ) -> Losses:
        """Adds the gradient of some images of a batch, and returns their part of its losses, detached."""
        losses = total_loss(images, self._config.loss, divisor, counts)
        share = len(images) / batch_size if self._config.loss.normaliser == "image" else 1.0  # of a mean over images
        losses = Losses(*(loss * share for loss in losses))
        self._accelerator.backward(losses.total)
        return Losses(*(loss.detach() for loss in losses))

    def _divide(self, losses: Losses, divisor: float) -> Losses:
        """Divides the sums of the earlier parts, and their gradients, by the normaliser of the batch."""
        if self._config.loss.normaliser == "image":  # each image has its own
            return losses
        for parameter in self._model.parameters():
            if parameter.grad is not None:
                parameter.grad.div_(divisor)
        return Losses(*(loss / divisor for loss in losses))

    def _average_bins(self, images: list[AnchorLosses]) -> Tensor | None:
        """Returns the average counts of GHM-C per process, since gradients are averaged over the processes."""
        bins = [image.bins.counts for image in images if image.bins is not None]
        return self.bins.update(self._accelerator.reduce(torch.stack(bins).sum(dim=0), "mean")) if bins else None

    def _average_foreground(self, foreground: int) -> float:
        """Returns the loss normaliser per process, since gradients are averaged over the processes."""
        moving = self._config.loss.normaliser == "moving_average"
        return (self.foreground.update(foreground) if moving else max(foreground, 1)) / self._accelerator.num_processes


def split_evenly(count: int, parts: int) -> list[slice]:
    """Splits images into parts whose sizes differ by at most one, and no more parts than there are images."""
    parts = min(parts, count)
    ends = [count * number // parts for number in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def _take(batch: Batch, part: slice) -> Batch:
    return Batch(batch.pixels[part], batch.sizes[part], batch.originals[part])


def _count_foreground(images: Sequence[AnchorLosses]) -> Tensor:
    return torch.stack([image.foreground for image in images]).sum()


def _add(losses: Losses | None, more: Losses) -> Losses:
    return Losses(*map(torch.add, losses, more)) if losses else more
