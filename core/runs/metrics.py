"""The records of a run's metrics: a line per step and evaluation."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

from core.config import Training
from core.training.records import EvaluationRecord, HeldOutLosses, StepRecord, has_risen

MAX_NUMBER = 1e100
SHARES, DIGITS = "class_shares", 4


def split_records(records: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Splits records into those of steps and those of evaluations; damaged ones are left out."""
    records = list(records)
    steps = [record for record in records if "metrics" not in record and _is_step(record)]
    return steps, [record for record in records if "metrics" in record and _is_evaluation(record)]


def find_kept(evaluations: Sequence[dict[str, Any]], training: Training) -> dict[str, Any] | None:
    """Returns the evaluation of the weights that a run keeps, None if there is none.

    It is the last one, or with `training.early_stopping` the last one whose held-out loss had not risen.
    """
    kept, lowest = None, math.inf
    for each in evaluations:
        losses = read_held_out(each)
        loss = losses.total if losses else math.nan
        if not has_risen(loss, lowest):
            kept, lowest = each, min(lowest, loss)
    return kept if kept and training.early_stopping else (evaluations[-1] if evaluations else None)


def read_held_out(evaluation: dict[str, Any]) -> HeldOutLosses | None:
    """Returns the held-out losses of an evaluation; None if a loss was no number, or of an earlier version."""
    losses = [evaluation.get("losses", {}).get(name) for name in HeldOutLosses._fields]
    return None if None in losses else HeldOutLosses(*losses)


def read_shares(step: dict[str, Any], classes: int) -> list[float] | None:
    """Returns what each of the classes and, last, background paid of the loss of a step; None if it is not known."""
    shares = step.get(SHARES)
    if not isinstance(shares, list) or len(shares) != classes + 1:
        return None
    return shares if all(is_number(each) and 0 <= each <= 1 for each in shares) else None


def _is_step(record: dict[str, Any]) -> bool:
    return all(is_number(record.get(name)) for name in StepRecord._fields if name != SHARES)


def _is_evaluation(record: dict[str, Any]) -> bool:
    """True for an evaluation; those of earlier versions have no losses."""
    metrics, losses = record["metrics"], record.get("losses", {})
    if not isinstance(metrics, dict) or not metrics.keys() >= {"ap", "ap50"} or not isinstance(losses, dict):
        return False
    values = (
        *(value for name, value in metrics.items() if name != "per_class"),
        *losses.values(),
        record.get("rare_ap"),
    )
    return all(value is None or is_number(value) for value in values)


def is_number(value: object) -> TypeGuard[int | float]:
    """True for a number that a record can hold: finite ones are so small that none of their sums overflows."""
    if isinstance(value, float):
        return abs(value) <= MAX_NUMBER or not math.isfinite(value)
    return type(value) is int and abs(value) <= MAX_NUMBER


def record_to_dict(record: StepRecord | EvaluationRecord) -> dict[str, Any]:
    """Converts a record for JSON; only evaluations have the key "metrics"."""
    if isinstance(record, EvaluationRecord):
        losses = {name: value if math.isfinite(value) else None for name, value in record.losses._asdict().items()}
        rare = {"rare_ap": record.rare_ap} if math.isfinite(record.rare_ap) else {}
        return {"step": record.step, "metrics": record.metrics.to_dict(), "losses": losses, **rare}
    shares = {SHARES: [round(each, DIGITS) for each in record.class_shares]} if record.class_shares else {}
    return {**{name: value for name, value in record._asdict().items() if name != SHARES}, **shares}
