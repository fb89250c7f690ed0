"""The optimizer and the learning rate of each step."""

import math

import torch
from torch import nn

from core.config import Training

# What `training.momentum` means to each optimizer; those that are missing have no such thing.
MOMENTUM_ARGUMENT = {
    "sgd": "momentum",
    "rmsprop": "momentum",
    **dict.fromkeys(("adam", "adamw", "adamax", "nadam", "radam"), "betas"),
}
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "asgd": torch.optim.ASGD,
}
FUSED = ("adam", "adamw", "sgd", "adagrad")  # PyTorch has them in one pass over the weights, a few times as fast
SECOND_BETA = 0.999  # memory of squared gradients, PyTorch's default
ONE_CYCLE_RISE, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 1 / 25, 1 / 250_000  # torch.optim.lr_scheduler.OneCycleLR


def build_optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Returns the chosen optimizer over all parameters that train; biases and norms do not decay."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.dim() > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in trainable if p.dim() <= 1], "weight_decay": 0.0},
    ]
    argument = MOMENTUM_ARGUMENT.get(training.optimizer)
    value = (training.momentum, SECOND_BETA) if argument == "betas" else training.momentum
    extra = {argument: value} if argument else {}
    if training.optimizer in FUSED:
        extra["fused"] = True
    groups = [group for group in groups if group["params"]]
    return OPTIMIZERS[training.optimizer](groups, lr=training.learning_rate, **extra)


def shape(training: Training, step: int) -> float:
    """Returns the schedule's factor on the learning rate before a step (0 … steps − 1), warm-up apart."""
    progress = step / training.steps
    decay, period = training.decay_factor, training.decay_period
    match training.schedule:
        case "step":
            return decay ** math.floor(progress / period)
        case "multi_step":
            return decay ** sum(progress >= milestone for milestone in training.milestones)
        case "exponential":
            return decay**progress
        case "cosine":
            return _half_cosine(1.0, 0.0, progress)
        case "cyclic":
            return 1 - (1 - decay) * abs(2 * (progress / period % 1) - 1)
        case "one_cycle" if progress < ONE_CYCLE_RISE:
            return _half_cosine(ONE_CYCLE_START, 1.0, progress / ONE_CYCLE_RISE)
        case "one_cycle":
            return _half_cosine(1.0, ONE_CYCLE_END, (progress - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))
    return 1.0  # constant; plateau follows the loss instead


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


class Schedule:
    """Learning rate of each step: warm-up × shape × what the plateau rule has taken off.

    The plateau rule multiplies by the decay factor once the smoothed loss has not fallen for `decay_period` of
    the run.
    """

    SMOOTHING = 0.95  # a single batch's loss says little

    def __init__(self, training: Training) -> None:
        self._training = training
        self._smooth = self._best = math.inf
        self._waited = 0
        self._factor = 1.0

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step, counted from 0."""
        warmup = min(1.0, (step + 1) / max(1, self._training.warmup_steps))
        return self._training.learning_rate * warmup * shape(self._training, step) * self._factor

    def observe(self, loss: float) -> None:
        """Takes in the loss of a step."""
        if self._training.schedule != "plateau":
            return
        first = math.isinf(self._smooth)
        self._smooth = loss if first else self.SMOOTHING * self._smooth + (1 - self.SMOOTHING) * loss
        self._waited += 1
        if self._smooth < self._best:
            self._best, self._waited = self._smooth, 0
        if self._waited > self._training.decay_period * self._training.steps:
            self._factor, self._waited = self._factor * self._training.decay_factor, 0

    def state(self) -> dict[str, float]:
        """Returns all that `restore` needs."""
        return {"smooth": self._smooth, "best": self._best, "waited": self._waited, "factor": self._factor}

    def restore(self, state: dict[str, float]) -> None:
        """Goes on from a `state`."""
        self._smooth, self._best = state["smooth"], state["best"]
        self._waited, self._factor = state["waited"], state["factor"]
