"""Early stopping (`training.early_stopping`): ends a run whose held-out loss falls no more, with its best weights."""

import copy
import math
from typing import Any

from core.retinanet.model import RetinaNet

KEPT = "whose weights are kept"


class EarlyStopping:
    """Watches the held-out loss of a run and keeps a copy of the network that had the lowest.

    Args:
        patience: Number of evaluations in a row without a lower loss after which the run ends; 0 for no early stopping.

    Attributes:
        best: The network with the lowest loss, None before the first evaluation.
        best_step: Number of steps after which it was evaluated.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._lowest = math.inf
        self._waited = 0  # evaluations since the lowest loss
        self._last_step = 0  # of the last evaluation
        self.best: RetinaNet | None = None
        self.best_step = 0

    @property
    def is_due(self) -> bool:
        """True if the run has to end."""
        return bool(self._patience) and self._waited >= self._patience

    def observe(self, step: int, loss: float, model: RetinaNet) -> None:
        """Takes the held-out loss of the network after a step; a repeated evaluation of the same step changes nothing.

        A loss that is not a number is not lower than any other.
        """
        if not self._patience or step <= self._last_step:
            return
        self._last_step = step
        if loss < self._lowest:
            self._lowest, self._waited = loss, 0
            self.best, self.best_step = copy.deepcopy(model), step
        else:
            self._waited += 1

    def describe_ending(self, step: int) -> str:
        """Returns how a run that ended after a step has ended, for people; "" if as planned, with the last weights."""
        if self.is_due and self.best is None:
            return f"Stopped early at step {step}: the held-out loss has never been a number."
        if self.is_due:
            return f"Stopped early at step {step}: the held-out loss was lowest at step {self.best_step}, {KEPT}."
        return "" if self.best_step in (0, step) else f"The held-out loss was lowest at step {self.best_step}, {KEPT}."

    def state(self) -> dict[str, Any]:
        """Returns the state for `restore`."""
        return {
            "lowest": self._lowest,
            "waited": self._waited,
            "last_step": self._last_step,
            "best_step": self.best_step,
            "best": self.best.state_dict() if self.best else None,
        }

    def restore(self, state: dict[str, Any], model: RetinaNet) -> None:
        """Restores a state returned by `state`, with a network of the same architecture."""
        self._lowest, self._waited = state["lowest"], state["waited"]
        self._last_step, self.best_step = state["last_step"], state["best_step"]
        if state["best"]:
            self.best = copy.deepcopy(model)
            self.best.load_state_dict(state["best"])
