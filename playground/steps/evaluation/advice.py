"""What to try next against the errors of an evaluation, cached for all visitors."""

from core.config import Config
from core.rescue.advice import Advice, Evidence, advise
from playground.evaluations.keys import with_low_threshold
from playground.evaluations.results import EvaluationResult
from playground.support.cache import Cache

_advice = Cache()


def advise_on(result: EvaluationResult, config: Config) -> tuple[Advice, ...]:
    """Returns what to try next against each kind of error, the costliest first.

    Args:
        result: The evaluation.
        config: The settings that were evaluated.
    """
    inference = with_low_threshold(config).inference

    def compute() -> tuple[Advice, ...]:
        report = result.report
        detections = [each.detections for each in result.images]
        truths = [each.truth for each in result.images]
        best = report.best.score if report.best else None
        errors, names = report.error_types, result.class_names
        return advise(Evidence(result.overlaps, detections, truths, errors, best, names, inference))

    return _advice.get(result.id, compute)
