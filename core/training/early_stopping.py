"""Early stopping (`training.early_stopping`): ends a run whose held-out loss has risen, and keeps earlier weights."""

import copy
import math
from typing import Any

from core.retinanet.model import RetinaNet
from core.training.records import has_risen


class EarlyStopping:
    """Watches the held-out loss of a run and keeps a copy of the last network whose loss had not risen.

    Args:
        patience: Number of evaluations in a row with a risen loss after which the run ends; 0 for no early stopping.

    Attributes:
        kept: The network, None before the first evaluation.
        kept_step: Number of steps after which it was evaluated.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._lowest = math.inf
        self._waited = 0  # evaluations since the loss has risen
        self._last_step = 0  # of the last evaluation
        self.kept: RetinaNet | None = None
        self.kept_step = 0

    @property
    def is_due(self) -> bool:
        """True if the run has to end."""
        return bool(self._patience) and self._waited >= self._patience

    def observe(self, step: int, loss: float, model: RetinaNet) -> None:
        """Takes the held-out loss of the network after a step; the same step evaluated again changes nothing."""
        if not self._patience or step <= self._last_step:
            return
        self._last_step = step
        if has_risen(loss, self._lowest):
            self._waited += 1
            return
        self._lowest, self._waited = min(self._lowest, loss), 0
        self.kept, self.kept_step = copy.deepcopy(model), step

    def describe_ending(self, step: int, planned: int) -> str:
        """Returns how a run that ended after a step has ended, for people; "" if as planned, with the last weights."""
        is_early = self.is_due and step < planned
        if is_early and self.kept is None:
            return f"Stopped early at step {step}: the held-out loss has never been a number."
        if self.kept_step in (0, step):
            return ""
        start = f"Stopped early at step {step}: the" if is_early else "The"
        return f"{start} held-out loss has risen since step {self.kept_step}, whose weights are kept."

    def state(self) -> dict[str, Any]:
        """Returns the state for `restore`."""
        return {
            "lowest": self._lowest,
            "waited": self._waited,
            "last_step": self._last_step,
            "kept_step": self.kept_step,
            "kept": self.kept.state_dict() if self.kept else None,
        }

    def restore(self, state: dict[str, Any], model: RetinaNet) -> None:
        """Restores a state returned by `state`, with a network of the same architecture."""
        self._lowest, self._waited = state["lowest"], state["waited"]
        self._last_step, self.kept_step = state["last_step"], state["kept_step"]
        if state["kept"]:
            self.kept = copy.deepcopy(model)
            self.kept.load_state_dict(state["kept"])
