"""The records that a training run yields: steps, evaluations and their progress."""

import math
from typing import TYPE_CHECKING, NamedTuple

from core.errors import UserError

if TYPE_CHECKING:  # the scheduler reads the folders of runs, and starts without PyTorch
    from core.evaluation.coco_metrics import Metrics

TOLERANCE = 0.05  # relative rise of the held-out loss that early stopping overlooks


class TrainingError(UserError):
    """Training cannot continue; the message says why and which setting to change."""


class DivergedError(TrainingError):
    """The losses of a run became non-finite or too large."""


class StepRecord(NamedTuple):
    """One training step.

    Attributes:
        step: Number of the step, from 1.
        classification: Classification loss.
        box: Box loss, multiplied by its weight.
        learning_rate: Learning rate of the step.
        foreground: Foreground anchors in the batch, summed over all processes.
        gradient_norm: Norm of the gradient before clipping.
        images_per_second: Throughput of all processes together, including loading.
        class_shares: What the foreground of each class and, last, background paid of the classification loss, 0 … 1;
            () if that is not known, see `core.training.optimization.class_shares`.
    """

    step: int
    classification: float
    box: float
    learning_rate: float
    foreground: int
    gradient_norm: float
    images_per_second: float
    class_shares: tuple[float, ...] = ()


class EvaluationProgress(NamedTuple):
    """Progress of an evaluation; the run can be stopped whenever one is yielded.

    Attributes:
        step: Steps trained before the evaluation.
        done: Images evaluated so far.
        total: Images to evaluate.
    """

    step: int
    done: int
    total: int


class HeldOutLosses(NamedTuple):
    """The training loss of the evaluated images as one batch, in evaluation mode; NaN without images.

    Attributes:
        classification: Classification loss.
        box: Box loss, multiplied by its weight.
    """

    classification: float
    box: float

    @property
    def total(self) -> float:
        """Sum of classification and weighted box loss."""
        return self.classification + self.box


def has_risen(loss: float, lowest: float) -> bool:
    """True if a held-out loss is clearly above the lowest so far, or is not a number.

    Smaller differences are noise where held-out images are few, and at the end of a schedule the scores become better
    while they become surer, which the loss punishes.
    """
    return not (math.isfinite(loss) and loss <= (1 + TOLERANCE) * lowest)


class EvaluationRecord(NamedTuple):
    """The COCO metrics and the held-out loss after a number of training steps.

    Attributes:
        step: Steps trained before the evaluation.
        metrics: The COCO metrics.
        losses: The held-out losses.
        rare_ap: Mean AP of the classes that are rare in training, see `DataSet.rare_classes`; NaN if none is.
    """

    step: int
    metrics: "Metrics"
    losses: HeldOutLosses
    rare_ap: float = math.nan


Record = StepRecord | EvaluationProgress | EvaluationRecord
