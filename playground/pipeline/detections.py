"""Post-processing in the pipeline: the candidates, and what NMS and the cap do with them."""

from collections.abc import Hashable
from functools import cached_property

import torch

from core.config import Effect
from core.retinanet.anchors import LEVELS
from core.retinanet.postprocess import (
    Candidates,
    Fates,
    LevelCounts,
    Suppressors,
    apply_nms,
    count_per_level,
    find_suppressors,
)
from core.retinanet.predict import Merged, extract_candidates, make_batch_anchors, merge_tiles
from playground.pipeline.tiles import TileOutputs
from playground.support.cache import Cache

_merged, _level_counts = Cache(), Cache()
_fates, _suppressors = Cache(), Cache()


class DetectionStages(TileOutputs):
    """A picture under settings, up to its detections; raises as `TileOutputs`."""

    @property
    def candidates(self) -> Candidates:
        """The candidates that enter NMS."""
        return self.merged.candidates

    @cached_property
    def merged(self) -> Merged:
        """The candidates of the whole picture and of its tiles."""

        def compute() -> Merged:
            if not self.tiles:
                return Merged(extract_candidates(self.prediction, 0, self.config))
            return merge_tiles(self.prediction, self.tile_predictions, self.tiles, self.config)

        return _merged.get(self._candidates_key, compute)

    @cached_property
    def level_counts(self) -> tuple[LevelCounts, ...]:
        """How many anchors and scores of each level pass each stage before NMS, in the whole picture and its tiles."""

        def compute() -> tuple[LevelCounts, ...]:
            found, cut = self.merged
            inference = self.config.inference
            views = [count_per_level(self.prediction.outputs.logits[0], self.grid, found, inference)]
            for part in self.tile_predictions if self.tiles else ():
                grid = make_batch_anchors(part.batch, self.config.anchors)
                views += [count_per_level(logits, grid, found, inference) for logits in part.outputs.logits]
            levels = found.level if cut is None else torch.cat([found.level, cut.level])
            topk = torch.bincount(levels, minlength=len(LEVELS)).tolist()
            return tuple(
                LevelCounts(sum(each.anchors for each in level), sum(each.scored for each in level), left)
                for level, left in zip(zip(*views, strict=True), topk, strict=True)
            )

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
        return self.tile_outputs_key, self.config.cache_key(Effect.ANCHORS, Effect.SELECT)

    @cached_property
    def _fates_key(self) -> Hashable:
        return self._candidates_key, self.config.cache_key(Effect.SUPPRESS)
