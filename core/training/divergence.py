"""Detection of a diverging run, and an explanation from its settings and last step with the knob to change."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from core.config import ALL_STAGES, Config, knobs
from core.structures import Sample
from core.training.records import DivergedError
from core.weights.sources import has_new_heads

# The highest learning rates that usually work. SGD's is the paper's for 16 images and scales with the batch size.
SGD = ("sgd", "asgd")
SGD_RATE, SGD_BATCH = 0.01, 16
RATES = {"adagrad": 0.01, "adadelta": 1.0}
ADAPTIVE_RATE = 1e-3  # Adam and its relatives
TOLERANCE = 4  # a learning rate counts as high above this multiple of the usual one
EARLY = 100  # steps within which a missing warm-up or prior makes a run diverge
HIGH_PRIOR = 0.2
SMALL_BATCH = 2  # images
EXPLODED, PATIENCE = 100, 3  # exploded: above this multiple of the first loss for this many consecutive steps
LEAST_FIRST = 10.0  # lower bound of the first loss: batches without objects have almost none


class DivergedStep(NamedTuple):
    """The step at which a run diverged.

    Attributes:
        step: Number of the step, from 1.
        classification: Classification loss.
        box: Box loss, multiplied by its weight.
        gradient_norm: Norm of the gradient before clipping.
        learning_rate: Learning rate of the step.
        flat_boxes: Number of objects in the batch whose box has no area.
    """

    step: int
    classification: float
    box: float
    gradient_norm: float
    learning_rate: float
    flat_boxes: int = 0


def usual_learning_rate(config: Config) -> float:
    """Returns the highest learning rate that usually works for the optimizer and the batch size."""
    training = config.training
    if training.optimizer in SGD:
        return SGD_RATE * training.batch_size / SGD_BATCH
    return RATES.get(training.optimizer, ADAPTIVE_RATE)


def count_flat_boxes(samples: Sequence[Sample]) -> int:
    """Returns the number of objects whose box has no area."""
    sides = torch.cat([sample.boxes[:, 2:] - sample.boxes[:, :2] for sample in samples])  # [M, 2]
    return int((sides <= 0).any(dim=1).sum())


def diverged(config: Config, last: DivergedStep) -> DivergedError:
    """Returns the error for a run that diverged: its losses, where its weights are, and the most likely causes."""
    return DivergedError(
        f"Step {last.step} diverged (classification loss {last.classification:.3g}, box loss {last.box:.3g}, "
        f"gradient norm {last.gradient_norm:.3g}); the weights are those of step {last.step - 1}. "
        f"{explain_divergence(config, last)}"
    )


def explain_divergence(config: Config, last: DivergedStep) -> str:
    """Returns one or two sentences with the most likely causes and the knobs to change."""
    causes = [cause for cause in _causes(config, last) if cause]
    return " ".join(causes[:2]) if causes else _general_advice(config)


def _causes(config: Config, last: DivergedStep) -> tuple[str, ...]:
    """Returns a sentence for each possible cause, most certain first; "" for those that are ruled out."""
    return (
        _flat_boxes(last),
        _no_prior(config, last),
        _high_rate(config, last),
        _no_warmup(config, last),
        _no_clipping(config),
        _small_batch(config),
        _normaliser(config),
        _half_precision(config),
    )


def _flat_boxes(last: DivergedStep) -> str:
    if not last.flat_boxes or math.isfinite(last.box):
        return ""
    return (
        f"{last.flat_boxes} objects of this batch have boxes without area, for which the box loss is undefined: "
        "correct them in the data set."
    )


def _no_prior(config: Config, last: DivergedStep) -> str:
    prior = config.model.prior_probability
    if prior < HIGH_PRIOR or last.step > EARLY or not has_new_heads(config.model):
        return ""
    return (
        f"With model.prior_probability = {prior:g} all background anchors dominate the loss of the first steps: "
        "set it to 0.01."
    )


def _high_rate(config: Config, last: DivergedStep) -> str:
    training, usual = config.training, usual_learning_rate(config)
    if last.learning_rate <= TOLERANCE * usual:
        return ""
    return (
        f"training.learning_rate = {training.learning_rate:g} is high for {training.optimizer} with batches of "
        f"{training.batch_size}: try {usual:.1g}."
    )


def _no_warmup(config: Config, last: DivergedStep) -> str:
    training = config.training
    if training.warmup_steps or last.step > EARLY or training.schedule == "one_cycle":
        return ""
    return "The run starts at its full learning rate: set training.warmup_steps to 20 or more."


def _no_clipping(config: Config) -> str:
    return "" if config.training.clip_norm else "Gradients are not clipped: set training.clip_norm to 10."


def _small_batch(config: Config) -> str:
    live = config.model.batch_norm == "live" and config.model.freeze_stages < ALL_STAGES
    if not live or config.training.batch_size > SMALL_BATCH:
        return ""
    return f"Batch statistics of {config.training.batch_size} images are unreliable: set model.batch_norm to frozen."


def _normaliser(config: Config) -> str:
    acting = knobs()["loss.normaliser"].acts(config)
    if not acting or config.loss.normaliser != "image" or config.training.batch_size == 1:
        return ""
    # An image with one foreground anchor then counts as much as one with a hundred.
    few = config.matching.assigner == "max_iou" and config.matching.fg_iou_threshold >= 0.7
    if not few:
        return ""
    return "Images with few foreground anchors have a large weight: set loss.normaliser to moving_average."


def _half_precision(config: Config) -> str:
    if config.training.precision != "bf16":
        return ""
    return "The run computes in 16-bit precision: set training.precision to fp32."


def _general_advice(config: Config) -> str:
    training = config.training
    return (
        f"Lower training.learning_rate ({training.learning_rate:g}), raise training.warmup_steps "
        f"({training.warmup_steps}) or lower training.clip_norm ({training.clip_norm:g})."
    )


class ExplosionDetector:
    """Detects a loss that is still finite but stays far above the first one."""

    def __init__(self) -> None:
        self._first = 0.0
        self._steps_above: float = 0

    def observe(self, loss: float) -> bool:
        """Takes the loss of one step; returns True if the loss has exploded."""
        self._first = self._first or max(loss, LEAST_FIRST)
        self._steps_above = self._steps_above + 1 if loss > EXPLODED * self._first else 0
        return self._steps_above >= PATIENCE

    def state(self) -> dict[str, float]:
        """Returns the state for `restore`."""
        return {"first": self._first, "above": self._steps_above}

    def restore(self, state: dict[str, float]) -> None:
        """Restores a state returned by `state`."""
        self._first, self._steps_above = state["first"], state["above"]
