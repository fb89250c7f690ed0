"""The first stages of the pipeline: the resized picture, its objects, the anchors and how well they fit."""

from collections.abc import Hashable
from functools import cached_property

from torch import Tensor

from core.config import Config, Effect
from core.retinanet.anchors import AnchorGrid
from core.retinanet.assigners.match import Match
from core.retinanet.assigners.max_iou import match_anchors
from core.retinanet.predict import make_batch_anchors
from core.retinanet.preprocess import Batch, prepare, scale_objects
from playground.data.image_ref import ImageRef
from playground.data.picture import Picture
from playground.support.cache import Cache

_batches, _fits = Cache(), Cache()


class PipelineInputs:
    """A picture under settings, up to its anchors and how they overlap the objects; needs no network.

    Args:
        picture: The picture with its objects.
        config: The settings.
        postpone_slow: True to skip slow results, since a knob is being dragged or a quick answer is wanted first.
        image_ref: The picture's address in its data set, None if it belongs to none.
        visitor: Who sees the results: data sets can be private.
    """

    def __init__(
        self,
        picture: Picture,
        config: Config,
        *,
        postpone_slow: bool = False,
        image_ref: ImageRef | None = None,
        visitor: str = "",
    ) -> None:
        self.picture, self.config = picture, config
        self.image_ref, self.visitor = image_ref, visitor
        self.postpone_slow = postpone_slow
        self.has_postponed = False  # True once a slow result has been skipped

    def must_postpone(self) -> bool:
        """Returns True if a slow result must be skipped, and records that it was: the page asks again later."""
        self.has_postponed |= self.postpone_slow
        return self.postpone_slow

    @cached_property
    def batch(self) -> Batch:
        """The picture, resized and padded, as a batch of one image."""
        inference = self.config.inference
        key = (self.picture.pixels_key, inference.image_size, inference.max_image_size)
        return _batches.get(key, lambda: prepare([self.picture.sample.image], inference))

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of the resized picture without padding: the coordinate system of all boxes here."""
        return self.batch.sizes[0]

    @cached_property
    def objects(self) -> tuple[Tensor, Tensor]:
        """Ground truth: boxes, float32 [M, 4] in the resized picture's pixels, and labels, int64 [M]."""
        return scale_objects(self.picture.sample, self.batch.factors[0])

    @cached_property
    def grid(self) -> AnchorGrid:
        """The anchors of all levels."""
        return make_batch_anchors(self.batch, self.config.anchors)

    @cached_property
    def fit(self) -> Match:
        """The assignment by the highest IoU: which anchor fits each object best, whatever the assigner."""
        return _fits.get(self.fit_key, lambda: match_anchors(self.grid.boxes, self.objects[0], self.config.matching))

    @property
    def fit_key(self) -> Hashable:
        """A cache key of anchors, objects and the settings of the assignment."""
        objects = (self.picture.objects_key, self.size, tuple(self.batch.pixels.shape))
        return *objects, self.config.cache_key(Effect.ANCHORS, Effect.ASSIGN)
