"""Post-processing in the pipeline: the candidates, and what NMS and the cap do with them."""

from collections.abc import Hashable, Iterator
from functools import cached_property, partial

import torch
from torch import Tensor

from core.config import Effect
from core.errors import PictureError
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
from core.retinanet.predict import (
    Merged,
    extract_candidates,
    make_batch_anchors,
    make_frame,
    map_candidates,
    merge_tiles,
)
from core.retinanet.tiles import WHOLE
from core.retinanet.views import join_views, map_back
from core.structures import Detections
from playground.pipeline.views import ViewOutputs
from playground.support.cache import Cache

# Pairs of candidates of a class, of which NMS compares all at worst, in some 10 to 20 s; soft NMS ends at the cap.
MAX_PAIRS = {"hard": 1.25e9, "diou": 1.5e8, "wbf": 5e8}
_merged, _level_counts = Cache(), Cache()
_fates, _suppressors = Cache(), Cache()


class DetectionStages(ViewOutputs):
    """A picture under settings, up to its detections.

    Raises as `ViewOutputs`, and `PictureError` if there are more candidates than the page compares.
    """

    @property
    def candidates(self) -> Candidates:
        """The candidates that enter NMS."""
        return self.merged.candidates

    @cached_property
    def merged(self) -> Merged:
        """The candidates of the whole picture and of its tiles, in all views."""

        def compute() -> Merged:
            seen = [self._merge_own(), *self._merge_others()]
            cut = [each.cut for each in seen if each.cut is not None]
            return Merged(join_views([each.candidates for each in seen]), join_views(cut) if cut else None)

        return _merged.get(self._candidates_key, compute)

    def _merge_own(self) -> Merged:
        """Returns the candidates of the plain view."""
        if not self.tiles:
            return Merged(extract_candidates(self.prediction, 0, self.config))
        return merge_tiles(self.prediction, self.tile_predictions, self.tiles, self.config)

    def _merge_others(self) -> Iterator[Merged]:
        """Yields the candidates of each other view, in pixels of the plain resized picture."""
        self.require_quick_views()
        for view, other in zip(self.views[1:], self.others, strict=True):
            try:
                found, cut = other.merged
            finally:
                self.has_postponed |= other.has_postponed
            to_plain = partial(map_candidates, view=view, own=(other.batch, 0), plain=(self.batch, 0))
            yield Merged(to_plain(found), None if cut is None else to_plain(cut))

    def view_of(self, candidate: int) -> int:
        """Returns the index of the view in which a candidate was found."""
        view = self.candidates.view
        return 0 if view is None else int(view[candidate])

    def anchor_of(self, candidate: int) -> tuple[Tensor, Tensor]:
        """Returns the box [4] of a candidate's anchor, in pixels of what the network saw and of the resized picture."""
        found, view = self.candidates, self.view_of(candidate)
        anchor, tile = int(found.anchor[candidate]), WHOLE if found.tile is None else int(found.tile[candidate])
        seen = self.others[view - 1] if view else self
        box = seen.grid.boxes[anchor]
        own, whole = (box, box) if tile == WHOLE else seen.place_anchor(tile, anchor)
        if view:
            whole = map_back(whole, self.views[view], make_frame(seen.batch, 0), make_frame(self.batch, 0))
        return own, whole

    @cached_property
    def level_counts(self) -> tuple[LevelCounts, ...]:
        """How many anchors and scores of each level pass each stage before NMS, in all tiles and views."""

        def compute() -> tuple[LevelCounts, ...]:
            found, cut = self.merged
            inference = self.config.inference
            views = [count_per_level(self.prediction.outputs.logits[0], self.grid, found, inference)]
            for part in self.tile_predictions if self.tiles else ():
                grid = make_batch_anchors(part.batch, self.config.anchors)
                views += [count_per_level(logits, grid, found, inference) for logits in part.outputs.logits]
            views += [other.level_counts for other in self.others]
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

        def compute() -> Fates:
            self._require_few_pairs()
            return apply_nms(self.candidates, self.config.inference)

        return _fates.get(self._fates_key, compute)

    @property
    def detections(self) -> Detections:
        """The detections, best first, in pixels of the picture, with the network's labels."""
        order = self.fates.order
        boxes = self.fates.box[order] * self.batch.factors[0]
        return Detections(boxes, self.fates.score[order], self.candidates.label[order])

    def _require_few_pairs(self) -> None:
        """Raises `PictureError` if NMS may have to compare too many pairs of candidates."""
        inference, labels = self.config.inference, self.candidates.label
        sizes = [len(labels)] if inference.class_agnostic_nms else labels.bincount().tolist()
        pairs, limit = sum(size * (size - 1) // 2 for size in sizes), MAX_PAIRS.get(inference.nms_kind)
        if limit and pairs > limit:
            raise PictureError(
                f"{len(labels):,} candidates are {pairs / 1e6:,.0f} million pairs to compare, and this page compares "
                f"at most {limit / 1e6:,.0f} million by {inference.nms_kind} NMS: raise “Score threshold”, lower "
                "“Top-K per level”, or use the command detect."
            )

    @cached_property
    def suppressors(self) -> Suppressors:
        """The candidate that suppressed each suppressed candidate, and their IoU."""
        return _suppressors.get(
            self._fates_key, lambda: find_suppressors(self.candidates, self.fates, self.config.inference)
        )

    @cached_property
    def _candidates_key(self) -> Hashable:
        return self.tile_outputs_key, self.views, self.config.cache_key(Effect.ANCHORS, Effect.SELECT)

    @cached_property
    def _fates_key(self) -> Hashable:
        return self._candidates_key, self.config.cache_key(Effect.SUPPRESS)
