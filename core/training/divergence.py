"""Why a run diverged, as far as its settings and its last step tell, and which knob to turn."""

import math
from typing import NamedTuple

from core.config import ALL_STAGES, Config
from core.weights.sources import has_new_heads

# The highest learning rates that usually go well. SGD's is the paper's, for 16 pictures, and grows with the batch.
SGD = ("sgd", "asgd")
SGD_RATE, SGD_BATCH = 0.01, 16
RATES = {"adagrad": 0.01, "adadelta": 1.0}
ADAPTIVE_RATE = 1e-3  # of Adam and its relatives
TOLERANCE = 4  # times the usual rate that is still held possible
EARLY = 100  # steps in which a missing warm-up or a missing prior shows
HIGH_PRIOR = 0.2
FEW = 2  # pictures in a batch
EXPLODED, PATIENCE = 100, 3  # times the first loss, for this many steps in a row
LEAST_FIRST = 10.0  # a first loss below is taken for this: batches without objects pay next to nothing


class LastStep(NamedTuple):
    """The step at which a run ended.

    Attributes:
        step: Its number, from 1.
        classification: Classification loss.
        box: Weighted box loss.
        gradient_norm: Before clipping.
        learning_rate: Of this step.
        flat_boxes: Objects of the batch without area.
    """

    step: int
    classification: float
    box: float
    gradient_norm: float
    learning_rate: float
    flat_boxes: int = 0


def usual_rate(config: Config) -> float:
    """Returns the learning rate that usually goes well with the optimizer and the batch size."""
    training = config.training
    if training.optimizer in SGD:
        return SGD_RATE * training.batch_size / SGD_BATCH
    return RATES.get(training.optimizer, ADAPTIVE_RATE)


def explain_divergence(config: Config, last: LastStep) -> str:
    """Returns one or two sentences: the likely cause, and the knob to turn."""
    causes = [cause for cause in _causes(config, last) if cause]
    return " ".join(causes[:2]) if causes else _otherwise(config)


def _causes(config: Config, last: LastStep) -> tuple[str, ...]:
    """Returns what speaks for each cause, the surest first, "" where nothing does."""
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


def _flat_boxes(last: LastStep) -> str:
    if not last.flat_boxes or math.isfinite(last.box):
        return ""
    return f"{last.flat_boxes} objects of this batch have no area, so no box fits them: correct them in the data set."


def _no_prior(config: Config, last: LastStep) -> str:
    prior = config.model.prior_probability
    if prior < HIGH_PRIOR or last.step > EARLY or not has_new_heads(config.model):
        return ""
    return (
        f"With model.prior_probability = {prior:g} the first steps pay for every background anchor at once: "
        "set it to 0.01."
    )


def _high_rate(config: Config, last: LastStep) -> str:
    training, usual = config.training, usual_rate(config)
    if last.learning_rate <= TOLERANCE * usual:
        return ""
    return (
        f"training.learning_rate = {training.learning_rate:g} is high for {training.optimizer} with batches of "
        f"{training.batch_size}: try {usual:.1g}."
    )


def _no_warmup(config: Config, last: LastStep) -> str:
    training = config.training
    if training.warmup_steps or last.step > EARLY or training.schedule == "one_cycle":
        return ""
    return "The run begins at its full learning rate: set training.warmup_steps to 20 or more."


def _no_clipping(config: Config) -> str:
    return "" if config.training.clip_norm else "Gradients are not clipped: set training.clip_norm to 10."


def _small_batch(config: Config) -> str:
    live = config.model.batch_norm == "live" and config.model.freeze_stages < ALL_STAGES
    if not live or config.training.batch_size > FEW:
        return ""
    return f"Batch norms cannot measure {config.training.batch_size} pictures: set model.batch_norm to frozen."


def _normaliser(config: Config) -> str:
    if config.loss.normaliser != "image" or config.training.batch_size == 1:
        return ""
    # A picture with one foreground anchor then weighs as much as one with a hundred.
    few = config.matching.fg_iou_threshold >= 0.7
    return "Pictures with few foreground anchors weigh much: set loss.normaliser to moving_average." if few else ""


def _half_precision(config: Config) -> str:
    return "It computes in 16 bits: set training.precision to fp32." if config.training.precision == "bf16" else ""


def _otherwise(config: Config) -> str:
    training = config.training
    return (
        f"Lower training.learning_rate ({training.learning_rate:g}), raise training.warmup_steps "
        f"({training.warmup_steps}) or lower training.clip_norm ({training.clip_norm:g})."
    )


class Explosion:
    """Notices a loss that stays far above the first one, though it is a number still."""

    def __init__(self) -> None:
        self._first, self._above = 0.0, 0

    def sees(self, loss: float) -> bool:
        """Takes in the loss of a step; tells whether the run has exploded."""
        self._first = self._first or max(loss, LEAST_FIRST)
        self._above = self._above + 1 if loss > EXPLODED * self._first else 0
        return self._above >= PATIENCE

    def state(self) -> dict[str, float]:
        """Returns all that `restore` needs."""
        return {"first": self._first, "above": self._above}

    def restore(self, state: dict[str, float]) -> None:
        """Goes on from a `state`."""
        self._first, self._above = state["first"], state["above"]
