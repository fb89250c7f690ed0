"""A backup of the state that a training step changes before it ends: the last completed step stays available."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from core.retinanet.losses import ForegroundAverage, GradientAverage
from core.retinanet.model import RetinaNet


class StepBackup(NamedTuple):
    """The buffers and averages before a step, which the step changes while it computes.

    Attributes:
        buffers: The model's buffers, such as the running statistics of the batch norms, which the forward pass updates.
        foreground_average: The average number of foreground anchors.
        gradient_counts: The average number of scores per bin of GHM-C; None before the first step.
    """

    buffers: Mapping[str, Tensor]
    foreground_average: float
    gradient_counts: Tensor | None

    @classmethod
    def of(cls, model: RetinaNet, average: ForegroundAverage, gradients: GradientAverage) -> "StepBackup":
        """Returns a copy of the present state."""
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        return cls(buffers, average.value, gradients.counts)  # counts are replaced, never changed

    def restore_buffers(self, model: RetinaNet) -> None:
        """Gives a model the buffers before the step."""
        for name, buffer in model.named_buffers():
            buffer.copy_(self.buffers[name])

    def replace_buffers(self, state: dict[str, Any]) -> dict[str, Any]:
        """Returns a model's state dict with the buffers before the step."""
        return state | {name: buffer for name, buffer in self.buffers.items() if name in state}
