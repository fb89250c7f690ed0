"""The outcome of a short run: it learns, stalls or diverges, by a criterion that is the same for every loss."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

LEARNS, STALLS, DIVERGES = OUTCOMES = ("learns", "stalls", "diverges")
LEARNT = 0.1  # AP50 on held-out scenes from which a run has learnt
RISEN = 2.0  # a loss that ends above so many times its first has diverged, even if it stays finite
WINDOWS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40)  # a curve has the mean loss of the steps from one to the next


class Run(NamedTuple):
    """The record of a short run.

    Attributes:
        seed: Training seed.
        steps: Number of steps it was to train.
        ended: Number of its last step; fewer than `steps` if the trainer ended it, see `core.training.divergence`.
        curve: (step, mean loss of the steps since the one before), classification and box loss together.
        ap50: AP50 on the held-out scenes at its end; None if it diverged.
    """

    seed: int
    steps: int
    ended: int
    curve: tuple[tuple[int, float], ...]
    ap50: float | None


def classify(run: Run) -> str:
    """Returns the outcome of a run.

    It diverges if the trainer ended it, because a loss or gradient was no finite number or the loss stayed far above
    the first one, or if its last mean loss is above `RISEN` times its first loss. Otherwise it learns if its AP50 is at
    least `LEARNT`, and stalls if not.
    """
    if run.ended < run.steps or not run.curve or run.curve[-1][1] > RISEN * run.curve[0][1]:
        return DIVERGES
    return LEARNS if (run.ap50 or 0.0) >= LEARNT else STALLS


def classify_all(runs: Sequence[Run]) -> str:
    """Returns the outcome of most of the runs with different seeds; of equally frequent ones the worst."""
    counts = Counter(map(classify, runs))
    return max(OUTCOMES, key=lambda outcome: (counts[outcome], OUTCOMES.index(outcome)))


def summarise_losses(losses: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """Returns the curve of a run from the loss of each of its steps; the last window may be cut."""
    ends = [*(end for end in WINDOWS if end < len(losses)), len(losses)] if losses else []
    return tuple((end, _round(fmean(losses[start:end]))) for start, end in pairwise([0, *ends]))


def _round(loss: float) -> float:
    return float(f"{loss:.3g}")
