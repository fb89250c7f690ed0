"""How far an evaluation, or a search for rescues, is, and how it ended."""

from typing import NamedTuple

from core.evaluation.slices.along_dial import Curve
from core.rescue.totals import SetRescues
from playground.evaluations.results import EvaluationResult

WAITING, RUNNING, STOPPED, FAILED, FINISHED = "waiting", "running", "stopped", "failed", "finished"


class JobStatus(NamedTuple):
    """The status of an evaluation or a search.

    Attributes:
        state: "waiting", "running", "stopped", "failed" or "finished".
        done: The number of pictures done so far.
        total: The number of pictures to do, 0 while it is unknown.
        message: Why it failed or could not be stored, else "".
        result: The result of the pictures done, once the evaluation has ended; None if there are none.
        curve: What has been measured so far along a dial of the scenes; None for an evaluation of a split.
        rescues: The rescues over the pictures done, once a search for them has ended; None if there are none.
    """

    state: str
    done: int = 0
    total: int = 0
    message: str = ""
    result: EvaluationResult | None = None
    curve: Curve | None = None
    rescues: SetRescues | None = None

    @property
    def active(self) -> bool:
        """True while it is waiting or running."""
        return self.state in (WAITING, RUNNING)
