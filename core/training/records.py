"""What a training reports as it goes: its steps and evaluations."""

from typing import TYPE_CHECKING, NamedTuple

from core.errors import UserError

if TYPE_CHECKING:  # the scheduler reads the folders of runs, and starts without PyTorch
    from core.evaluation.coco_metrics import Metrics


class TrainingError(UserError):
    """A run cannot go on; the message says why and what to turn."""


class StepRecord(NamedTuple):
    """One step of training, counted from 1.

    Attributes:
        step: Number of the step.
        classification: Classification loss.
        box: Weighted box loss.
        learning_rate: Of this step.
        foreground: Foreground anchors in the batch, over all processes.
        gradient_norm: Before clipping.
        images_per_second: Over all processes, loading included.
    """

    step: int
    classification: float
    box: float
    learning_rate: float
    foreground: int
    gradient_norm: float
    images_per_second: float


class EvaluationProgress(NamedTuple):
    """How many of the evaluation's pictures are done; also the moments at which an evaluation can be stopped."""

    step: int
    done: int
    count: int


class EvaluationRecord(NamedTuple):
    """The COCO figures after a number of steps."""

    step: int
    metrics: "Metrics"


Record = StepRecord | EvaluationProgress | EvaluationRecord
