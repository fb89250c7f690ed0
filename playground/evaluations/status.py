"""How far an evaluation is, and how it ended."""

from typing import NamedTuple

from core.evaluation.slices.along_dial import Curve
from playground.evaluations.results import EvaluationResult

WAITING, RUNNING, STOPPED, FAILED, FINISHED = "waiting", "running", "stopped", "failed", "finished"


class JobStatus(NamedTuple):
    """The status of an evaluation.

    Attributes:
        state: "waiting", "running", "stopped", "failed" or "finished".
        done: The number of pictures evaluated so far.
        total: The number of pictures to evaluate, 0 while it is unknown.
        message: Why the evaluation failed or could not be stored, else "".
        result: The result of the pictures done, once the evaluation has ended; None if there are none.
        curve: What has been measured so far along a dial of the scenes; None for an evaluation of a split.
    """

    state: str
    done: int = 0
    total: int = 0
    message: str = ""
    result: EvaluationResult | None = None
    curve: Curve | None = None

    @property
    def active(self) -> bool:
        """True while the evaluation is waiting or running."""
        return self.state in (WAITING, RUNNING)
