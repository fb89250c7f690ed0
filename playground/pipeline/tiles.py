"""The tiles of a large picture in the pipeline: where they lie, and the network's outputs for each."""

from collections.abc import Hashable
from functools import cached_property

from torch import Tensor

from core.retinanet.predict import TILE_BATCH, Prediction, make_batch_anchors, predict_tiles
from core.retinanet.tiles import Tile, is_tiled, place_boxes
from playground.pipeline.effort import limit_tiles, require_affordable
from playground.pipeline.outputs import NetworkOutputs
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

_predictions = Cache()


class TileOutputs(NetworkOutputs):
    """A picture under settings, up to the outputs of the network for its tiles.

    Raises as `NetworkOutputs`, and `PictureError` if the tiles are too many for the page, or cost too much.
    """

    @property
    def is_tiled(self) -> bool:
        """True if the picture is seen in tiles, too."""
        height, width = self.picture.sample.image.shape[1:]
        return is_tiled(height, width, self.config.inference)

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """The tiles, none if the picture is seen whole only."""
        height, width = self.picture.sample.image.shape[1:]
        return limit_tiles(height, width, self.config.inference)

    @property
    def tile_boxes(self) -> Tensor:
        """The outlines of the tiles in pixels of the resized whole picture, float32 [T, 4]."""
        factors = self.batch.factors[0]
        return factors.new_tensor(self.tiles).reshape(-1, 4) / factors

    @cached_property
    def tile_predictions(self) -> tuple[Prediction, ...]:
        """The outputs for the tiles, in batches of `TILE_BATCH`."""
        key = self.tile_outputs_key
        if key not in _predictions:
            height, width = self.picture.sample.image.shape[1:]
            require_affordable(self.config, height, width, len(self.class_names))
            if self.must_postpone():
                raise PostponedError("The network sees the tiles once you release the knob.")

        def compute() -> tuple[Prediction, ...]:
            model = self.network.model
            with all_threads():
                return tuple(predict_tiles(model, self.picture.sample.image, self.tiles, self.config))

        return _predictions.get(key, compute)

    @property
    def tile_outputs_key(self) -> Hashable:
        """The cache key of the outputs for the tiles; other settings may give the same tiles."""
        return self.outputs_key, self.tiles

    def place_anchor(self, tile: int, anchor: int) -> tuple[Tensor, Tensor]:
        """Returns the box [4] of an anchor of a tile, in pixels of the resized tile and of the resized whole picture.

        Args:
            tile: Index of the tile.
            anchor: Index of the anchor among those of the tile.
        """
        batch = self.tile_predictions[tile // TILE_BATCH].batch
        box = make_batch_anchors(batch, self.config.anchors).boxes[anchor]
        own, whole = batch.factors[tile % TILE_BATCH], self.batch.factors[0]
        return box, place_boxes(box, self.tiles[tile], own, whole)
