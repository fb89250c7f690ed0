"""The progress of a run: its status and its records so far."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.experiments.comparison import VariantRun
from core.experiments.presets import Preset
from core.runs.divergence import Divergence, read_divergence
from core.runs.folder import (
    DIVERGED,
    FINISHED,
    INTERRUPTED,
    PAUSED,
    QUEUED,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    RunStatus,
)

TRAINING = (STARTING, RUNNING, PAUSED, STOPPING)  # states of a run that has a process
ACTIVE = (QUEUED, *TRAINING)


def divergence_of(status: RunStatus | None) -> Divergence | None:
    """Returns how a run diverged, None if it has not."""
    return read_divergence(status.message) if status and status.state == DIVERGED else None


class RunRecords(NamedTuple):
    """The records of one training so far.

    Attributes:
        run: The variant that is trained, without a name outside of a comparison, and the folder.
        steps: The records of its steps.
        evaluations: The records of its evaluations.
        lost: What of its records cannot be read, as a sentence; "" for nothing.
    """

    run: VariantRun
    steps: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    lost: str = ""

    @property
    def divergence(self) -> Divergence | None:
        """How the run diverged, None if it has not."""
        return divergence_of(self.run.folder.read_status())


class RunProgress(NamedTuple):
    """The progress of a run, or of the comparison that it belongs to.

    Attributes:
        status: The status of the run, or of all runs of the comparison together.
        preset: The preset of the comparison, None for a single run.
        records: The records of each training that has begun, in the order in which they were queued.
        own: The records of the run itself, None before its first step.
        lost: What of them cannot be read, as a sentence; "" for nothing.
    """

    status: RunStatus
    preset: Preset | None
    records: tuple[RunRecords, ...]
    own: RunRecords | None = None
    lost: str = ""

    @property
    def state(self) -> str:
        """The state of the run, or of the comparison."""
        return self.status.state

    @property
    def divergence(self) -> Divergence | None:
        """How the run diverged, None if it has not."""
        return divergence_of(self.status)

    @property
    def active(self) -> bool:
        """True while the run is queued or training."""
        return self.state in ACTIVE

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The records of the run's steps."""
        return self.own.steps if self.own else []

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """The records of the run's evaluations."""
        return self.own.evaluations if self.own else []


def combine_statuses(statuses: Sequence[RunStatus]) -> RunStatus:
    """Returns the status of runs that are trained one after another: the first that is active or did not finish."""
    for states in (TRAINING, (QUEUED,), (INTERRUPTED, STOPPED)):
        found = [each for each in statuses if each.state in states]
        if found:
            return found[0]
    # A variant that diverged is a result of the comparison.
    return statuses[0] if len(statuses) == 1 else RunStatus(FINISHED)
