"""How a run diverged, read from its status message, which runs of earlier versions have as well."""

import math
import re
from typing import NamedTuple

# The beginning of the message of `core.training.divergence.diverged`.
MESSAGE = re.compile(r"Step (\d{1,12}) diverged \(classification loss (\S+), box loss (\S+), gradient norm (\S+)\)")


class Divergence(NamedTuple):
    """The step at which a run diverged, which its records do not contain.

    Attributes:
        step: Its number, from 1.
        classification: Classification loss.
        box: Box loss, multiplied by its weight.
        gradient_norm: Norm of the gradient before clipping.
    """

    step: int
    classification: float
    box: float
    gradient_norm: float

    @property
    def is_non_finite(self) -> bool:
        """True if a loss or the gradient stopped being a finite number."""
        return not all(map(math.isfinite, (self.classification, self.box, self.gradient_norm)))

    @property
    def broken(self) -> tuple[str, ...]:
        """The losses that became non-finite first; the larger one if both are still finite."""
        losses = {"classification": self.classification, "box": self.box}
        infinite = tuple(name for name, loss in losses.items() if not math.isfinite(loss))
        return infinite or (max(losses, key=lambda name: losses[name]),)

    @property
    def cause(self) -> str:
        """A clause that names the loss that became non-finite first."""
        if not self.is_non_finite:
            return f"the loss stayed far above its first value, mostly the {self.broken[0]} loss"
        if math.isfinite(self.classification) and math.isfinite(self.box):
            return "the gradient stopped being a finite number, both losses had not yet"
        if len(self.broken) == 2:
            return "both losses stopped being finite numbers"
        other = "classification" if self.broken == ("box",) else "box"
        return f"the {self.broken[0]} loss stopped being a finite number, the {other} loss had not yet"


def read_divergence(message: str) -> Divergence | None:
    """Returns how a run diverged; None if its message does not say that it did."""
    found = MESSAGE.match(message)
    if not found:
        return None
    step, *numbers = found.groups()
    try:
        classification, box, norm = map(float, numbers)
    except ValueError:
        return None
    return Divergence(int(step), classification, box, norm)
