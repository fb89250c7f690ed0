"""What to try next against the errors of an evaluation, cached for all visitors."""

from core.rescue.advice import Advice, Evidence, advise
from playground.evaluations.results import EvaluationResult
from playground.support.cache import Cache

_advice = Cache()


def advise_on(result: EvaluationResult) -> tuple[Advice, ...]:
    """Returns what to try next against each kind of error, the costliest first."""

    def compute() -> tuple[Advice, ...]:
        report = result.report
        detections = [each.detections for each in result.images]
        truths = [each.truth for each in result.images]
        best = report.best.score if report.best else None
        return advise(Evidence(result.overlaps, detections, truths, report.error_types, best, result.class_names))

    return _advice.get(result.id, compute)
