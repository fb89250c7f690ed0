"""The optimizers, and the learning-rate schedules with warm-up."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from core.config import Training

# The optimizer's argument that `training.momentum` sets; optimizers without one ignore it.
MOMENTUM_ARGUMENT = {
    "sgd": "momentum",
    "rmsprop": "momentum",
    **dict.fromkeys(("adam", "adamw", "adamax", "nadam", "radam"), "betas"),
}
OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
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
FUSED = ("adam", "adamw", "sgd", "adagrad")  # with a fused implementation in PyTorch, a few times as fast
SECOND_BETA = 0.999  # β₂ of the Adam family, PyTorch's default
ONE_CYCLE_RISE, ONE_CYCLE_START, ONE_CYCLE_END = 0.3, 1 / 25, 1 / 250_000  # torch.optim.lr_scheduler.OneCycleLR


def build_optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    """Returns the configured optimizer over all trainable parameters, without weight decay on biases and norms."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trainable if p.dim() > 1], "weight_decay": training.weight_decay},
        {"params": [p for p in trainable if p.dim() <= 1], "weight_decay": 0.0},
    ]
    options: dict[str, Any] = {"lr": training.learning_rate}
    argument = MOMENTUM_ARGUMENT.get(training.optimizer)
    if argument:
        options[argument] = (training.momentum, SECOND_BETA) if argument == "betas" else training.momentum
    if training.optimizer in FUSED:
        options["fused"] = True
    return OPTIMIZERS[training.optimizer]([group for group in groups if group["params"]], **options)


def match_memory_layout(optimizer: torch.optim.Optimizer) -> None:
    """Gives the tensors of an optimizer's state the memory layout of its weights, as fused optimizers require.

    Loading a state changes the layout, and fused optimizers pair numbers by their position in memory.
    """
    for group in optimizer.param_groups:
        for weights in group["params"]:
            state = optimizer.state.get(weights, {})
            for name, value in state.items():
                if isinstance(value, Tensor) and value.shape == weights.shape:
                    state[name] = torch.empty_like(weights, dtype=value.dtype).copy_(value)


def compute_factor(training: Training, step: int) -> float:
    """Returns the schedule's factor on the learning rate for a step (0 to steps − 1), without warm-up."""
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
    return 1.0  # constant; plateau depends on the loss instead, see `Schedule`


def _half_cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


class Schedule:
    """The learning rate of each step: the configured rate × warm-up × `compute_factor` × reductions on a plateau.

    With the plateau schedule the rate is multiplied by the decay factor whenever the smoothed loss has not fallen for
    `decay_period`, a fraction of the run.
    """

    SMOOTHING = 0.95  # of the exponential average: the loss of a single batch is noisy

    def __init__(self, training: Training) -> None:
        self._training = training
        self._smooth = self._best = math.inf
        self._waited: float = 0  # steps since the smoothed loss last fell
        self._factor = 1.0

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step, counted from 0."""
        warmup = min(1.0, (step + 1) / max(1, self._training.warmup_steps))
        return self._training.learning_rate * warmup * compute_factor(self._training, step) * self._factor

    def observe(self, loss: float) -> None:
        """Takes the loss of one step, on which the plateau schedule depends."""
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
        """Returns the state for `restore`."""
        return {"smooth": self._smooth, "best": self._best, "waited": self._waited, "factor": self._factor}

    def restore(self, state: dict[str, float]) -> None:
        """Restores a state returned by `state`."""
        self._smooth, self._best = state["smooth"], state["best"]
        self._waited, self._factor = state["waited"], state["factor"]
