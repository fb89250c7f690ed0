"""Overfitting in words: the held-out loss of a run has risen while its training loss has fallen."""

import math
from collections.abc import Sequence
from itertools import chain
from statistics import fmean
from typing import Any

from core.config import Training
from core.runs.metrics import read_held_out
from core.training.records import HeldOutLosses, has_risen

AVERAGED = 20  # steps whose mean is the training loss at an evaluation: single batches vary a lot
FALLEN = 0.95  # the training loss has fallen if it is below this share of the earlier one
REMEDY = "More pictures, stronger augmentation or fewer steps help"
STOPPING = "; early stopping would keep the weights from before"


def describe_overfitting(
    steps: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]], training: Training
) -> str:
    """Returns how a run overfits at its last evaluation, as sentences for people; "" if it does not.

    It does if the held-out loss is clearly above its lowest, and the training loss is below what it was then. The
    trends alone are compared: the training loss is of augmented pictures and of the network in training mode.

    Args:
        steps: The records of its steps, as `RunFolder.read_records` returns them.
        evaluations: Those of its evaluations.
        training: Its settings, which say whether early stopping is on.
    """
    measured = [(each, losses) for each in evaluations if (losses := read_held_out(each))]
    if not measured:
        return ""
    (best, lowest), (last, risen) = min(measured, key=lambda each: each[1].total), measured[-1]
    before, after = _mean_losses(steps, best["step"]), _mean_losses(steps, last["step"])
    if not has_risen(risen.total, lowest.total) or not before or not after:
        return ""
    if after.total >= FALLEN * before.total:
        return ""
    return (
        f"Overfitting: since step {best['step']:,} the held-out loss has risen from {lowest.total:.3g} to "
        f"{risen.total:.3g} ({_describe_parts(lowest, risen)}) while the training loss fell from {before.total:.3g} to "
        f"{after.total:.3g}.{_describe_precision(best, last)} {REMEDY}{'' if training.early_stopping else STOPPING}."
    )


def _mean_losses(steps: Sequence[dict[str, Any]], step: int) -> HeldOutLosses | None:
    """Returns the mean losses of the last steps up to a step; None without any, or if one is not finite."""
    near = [each for each in steps if step - AVERAGED < each["step"] <= step]
    losses = [[each[name] for each in near] for name in HeldOutLosses._fields]
    if not near or not all(map(math.isfinite, chain(*losses))):
        return None
    return HeldOutLosses(*map(fmean, losses))


def _describe_parts(before: HeldOutLosses, after: HeldOutLosses) -> str:
    pairs = zip(HeldOutLosses._fields, before, after, strict=True)
    return ", ".join(f"{name} {low:.3g} → {high:.3g}" for name, low, high in pairs)


def _describe_precision(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Returns what AP did meanwhile: while scores become surer, it may rise although the loss does, too."""
    low, high = (each["metrics"]["ap"] for each in (before, after))
    if low is None or high is None:
        return ""
    if high > low:
        return f" AP still rose, from {low:.3f} to {high:.3f}: the scores are too sure, but rank the objects better."
    return f" AP went from {low:.3f} to {high:.3f}."
