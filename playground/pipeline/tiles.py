"""The tiles of a large picture in the pipeline: where they lie, and the network's outputs for each."""

from collections.abc import Hashable
from functools import cached_property

from torch import Tensor

from core.analysis.model_costs import estimate_costs
from core.errors import PictureError
from core.retinanet.predict import TILE_BATCH, Prediction, make_batch_anchors, predict_tiles
from core.retinanet.preprocess import prepare
from core.retinanet.tiles import Tile, crop, is_tiled, make_tiles, place_boxes
from playground.pipeline.outputs import NetworkOutputs
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

MAX_TILES = 64
MAX_GFLOPS = 1500  # of all tiles of a picture; about 10 s on two cores
MAX_BYTES = 200e6  # of their outputs: all large results of the page together may take as much
_predictions = Cache()


class TileOutputs(NetworkOutputs):
    """A picture under settings, up to the outputs of the network for its tiles.

    Raises as `NetworkOutputs`, and `PictureError` if there are more tiles than the page can show.
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
        tiles = make_tiles(height, width, self.config.inference)
        if len(tiles) > MAX_TILES:
            raise PictureError(
                f"The picture has {len(tiles):,} tiles of {self.config.inference.tile_size} px, and this page sees at "
                f"most {MAX_TILES}: raise “Tile size”, lower “Tile overlap”, or use the command detect."
            )
        return tiles

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
            self._require_small_tiles()
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

    def _require_small_tiles(self) -> None:
        """Raises `PictureError` if the outputs for all tiles take too long or too much memory."""
        batch = prepare([crop(self.picture.sample.image, self.tiles[0])], self.config.inference)
        height, width = batch.pixels.shape[-2:]
        classes, count = len(self.class_names), len(self.tiles)
        gflops = count * estimate_costs(
            self.config.model,
            num_classes=classes,
            anchors_per_location=self.config.anchors.per_location,
            height=height,
            width=width,
            batch_size=1,
        ).gflops  # fmt: skip
        size = 4 * count * len(make_batch_anchors(batch, self.config.anchors).boxes) * (classes + 4)  # float32
        if gflops > MAX_GFLOPS or size > MAX_BYTES:
            raise PictureError(
                f"{count} tiles take {gflops:,.0f} GFLOP and {size / 1e6:,.0f} MB, and this page spends at most "
                f"{MAX_GFLOPS:,} GFLOP and {MAX_BYTES / 1e6:,.0f} MB: raise “Tile size”, lower “Shorter side”, or use "
                "the command detect."
            )

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
