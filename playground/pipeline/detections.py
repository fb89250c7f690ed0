"""Post-processing in the pipeline: the candidates, and what NMS and the cap do with them."""

from collections.abc import Hashable
from functools import cached_property

from core.config import Effect
from core.retinanet.postprocess import (
    Candidates,
    Fates,
    LevelCounts,
    Suppressors,
    apply_nms,
    count_per_level,
    find_suppressors,
)
from core.retinanet.predict import extract_candidates
from playground.pipeline.inputs import MAX_BYTES, VISITORS
from playground.pipeline.outputs import NetworkOutputs
from playground.support.cache import Cache

_candidates, _level_counts = Cache(VISITORS, MAX_BYTES), Cache(VISITORS)
_fates, _suppressors = Cache(VISITORS, MAX_BYTES), Cache(VISITORS, MAX_BYTES)


class DetectionStages(NetworkOutputs):
    """A picture under settings, up to its detections; raises as `NetworkOutputs`."""

    @cached_property
    def candidates(self) -> Candidates:
        """The candidates that enter NMS."""
        return _candidates.get(self._candidates_key, lambda: extract_candidates(self.prediction, 0, self.config))

    @cached_property
    def level_counts(self) -> tuple[LevelCounts, ...]:
        """How many anchors and scores of each level pass each stage before NMS."""

        def compute() -> tuple[LevelCounts, ...]:
            return count_per_level(self.prediction.outputs.logits[0], self.grid, self.candidates, self.config.inference)

        return _level_counts.get(self._candidates_key, compute)

    @cached_property
    def fates(self) -> Fates:
        """The outcome of NMS and of the cap for each candidate."""
        return _fates.get(self._fates_key, lambda: apply_nms(self.candidates, self.config.inference))

    @cached_property
    def suppressors(self) -> Suppressors:
        """The candidate that suppressed each suppressed candidate, and their IoU."""
        return _suppressors.get(
            self._fates_key, lambda: find_suppressors(self.candidates, self.fates, self.config.inference)
        )

    @cached_property
    def _candidates_key(self) -> Hashable:
        return self.outputs_key, self.config.cache_key(Effect.ANCHORS, Effect.SELECT)

    @cached_property
    def _fates_key(self) -> Hashable:
        return self._candidates_key, self.config.cache_key(Effect.SUPPRESS)
