"""Estimates of the work that settings ask for, made in microseconds, and the most that the page spends on a picture."""

import math

import torch

from core.analysis.model_costs import estimate_costs
from core.config import Config, Inference
from core.errors import PictureError
from core.io.text import count_noun
from core.retinanet.preprocess import PAD_TO, count_pixels
from core.retinanet.tiles import Tile, is_tiled, make_tiles
from core.retinanet.views import count_seen_pixels, make_views
from core.training.feature_cache import MEGABYTE
from playground.pipeline.outputs import QUICK_GFLOPS
from playground.support.sizes import measure_memory

MAX_TILES = 64
MAX_GFLOPS = 1500  # of all tiles of a picture, and of all its other views; about 10 s on two cores
MAX_BYTES = 200e6  # of their outputs: all large results of the page together may take as much
MEMORY_SHARE = 0.7  # of the server's memory, which a run may need
MAX_ANCHORS = 100_000  # up to which their assignment, losses and layers take some 0.2 s
MAX_CANDIDATES = 15_000  # up to which NMS does
BODY = {18: 72e3, 34: 146e3, 50: 164e3, 101: 312e3, 152: 460e3}  # operations for a pixel of the input, by depth
PASSES = 3  # that a step of training takes for a picture: one forward, and one back that costs as much as two
LOCATIONS = 1 / 48  # of all levels, for a pixel of the input
LEVELS = 5
COCO_CLASSES, CLASSES = 90, 10  # of COCO's weights and of others, about


def is_heavy(config: Config, height: int, width: int, *, passes: float = 1) -> bool:
    """True if an answer under the settings takes much longer than most: such answers queue among themselves.

    Args:
        config: The settings.
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
        passes: How many passes of the network the answer takes.
    """
    inference = config.inference
    if is_tiled(height, width, inference) or inference.num_views > 1:
        return True
    pixels = count_pixels(height, width, config.inference)
    anchors = pixels * LOCATIONS * config.anchors.per_location
    candidates = min(anchors, LEVELS * inference.topk_candidates)
    return (
        passes * estimate_gflops(config, pixels) > QUICK_GFLOPS or anchors > MAX_ANCHORS or candidates > MAX_CANDIDATES
    )


def estimate_gflops(config: Config, pixels: float, classes: int | None = None) -> float:
    """Returns the operations of the network for an input of so many pixels, in billions, within some 15%.

    Args:
        config: The settings.
        pixels: The pixels.
        classes: Number of classes of the network; None if it is not known.
    """
    model = config.model
    channels, convs = model.fpn_channels, 2 * (model.num_convs + 1)  # of both subnets and about as many of the pyramid
    outputs = config.anchors.per_location * ((classes or guess_classes(config)) + 4)
    heads = 2 * 9 * LOCATIONS * channels * (convs * channels + outputs)
    return pixels * (BODY[model.depth] + heads) / 1e9


def guess_classes(config: Config) -> int:
    """Returns about how many classes the network of the settings has, without building it."""
    return COCO_CLASSES if config.model.weights.startswith("coco") else CLASSES


def estimate_outputs(config: Config, pixels: float, classes: int) -> float:
    """Returns the bytes of the network's outputs for an input of so many pixels."""
    return 4 * pixels * LOCATIONS * config.anchors.per_location * (classes + 4)  # float32


def limit_tiles(height: int, width: int, inference: Inference) -> tuple[Tile, ...]:
    """Returns the tiles of a picture, none if it is seen whole only; raises `PictureError` if they are too many."""
    tiles = make_tiles(height, width, inference)
    if len(tiles) > MAX_TILES:
        raise PictureError(
            f"The picture has {len(tiles):,} tiles of {inference.tile_size} px, and this page sees at most "
            f"{MAX_TILES}: raise “Tile size”, lower “Tile overlap”, or use the command detect."
        )
    return tiles


def require_affordable(config: Config, height: int, width: int, classes: int | None = None) -> None:
    """Refuses tiles and other views of a picture that take too long or too much memory, before the work.

    Args:
        config: The settings.
        height: Height of the picture in pixels.
        width: Width of the picture in pixels.
        classes: Number of classes of the network; None if it is not known yet.

    Raises:
        PictureError: They do.
    """
    tiles = limit_tiles(height, width, config.inference)
    plain, *others = make_views(config.inference)
    if tiles:
        _, *inputs = count_seen_pixels(plain, config, height, width, tiles)
        _require_small(config, inputs, count_noun(len(tiles), "tile"), "raise “Tile size”", classes)
    if others:
        inputs = [pixels for view in others for pixels in count_seen_pixels(view, config, height, width, tiles)]
        each = f", each with {count_noun(len(tiles), 'tile')}," if tiles else ""
        remedy = f"choose fewer or smaller “Test-time scales”{', raise “Tile size”' if tiles else ''}"
        _require_small(config, inputs, f"{count_noun(len(others), 'other view')}{each}", remedy, classes)


def _require_small(config: Config, inputs: list[float], what: str, remedy: str, classes: int | None) -> None:
    gflops = sum(estimate_gflops(config, pixels, classes) for pixels in inputs)
    size = sum(estimate_outputs(config, pixels, classes or guess_classes(config)) for pixels in inputs)
    if gflops > MAX_GFLOPS or size > MAX_BYTES:
        raise PictureError(
            f"{what} would take about {gflops:,.0f} GFLOP and {size / 1e6:,.0f} MB, and this page spends at most "
            f"{MAX_GFLOPS:,} GFLOP and {MAX_BYTES / 1e6:,.0f} MB on a picture: {remedy}, lower “Shorter side”, or use "
            "the command line."
        )


def require_memory_to_train(config: Config, height: int, width: int, classes: int, pictures: int) -> None:
    """Refuses a run that needs so much of the server's memory that it would end everything else.

    A run on a GPU has that one's memory, and fails alone.

    Args:
        config: The settings.
        height: Height of a picture in pixels.
        width: Width of a picture in pixels.
        classes: Number of classes of the data set.
        pictures: Number of pictures to train on.

    Raises:
        PictureError: It does.
    """
    if torch.cuda.device_count():  # where runs go then
        return
    pixels = count_pixels(height, width, config.inference)
    side = PAD_TO * math.ceil(math.sqrt(pixels) / PAD_TO)  # of a square as large
    costs = estimate_costs(
        config.model,
        num_classes=classes,
        anchors_per_location=config.anchors.per_location,
        height=side,
        width=side,
        batch_size=math.ceil(config.training.batch_size / config.training.accumulation),
    )
    needed, total = costs.training_bytes + estimate_cache(config, pixels, pictures), measure_memory()
    if needed > MEMORY_SHARE * total:
        raise PictureError(
            f"The training would take about {needed / 1e9:,.0f} GB of memory, and this server has "
            f"{total / 1e9:,.0f} GB for everything: lower “Batch size”, “Shorter side” or “Feature cache”, or raise "
            "“Gradient accumulation”."
        )


def estimate_cache(config: Config, pixels: float, pictures: int) -> float:
    """Returns the bytes of the feature maps that a run keeps of pictures of so many pixels, each plain and mirrored."""
    training = config.training
    channels = 512 if config.model.depth >= 50 else 128  # of C3; each further map has twice as many
    size = 4 * pixels * channels * (1 / 8**2 + 2 / 16**2 + 4 / 32**2)  # float32
    return min(training.cache_features * MEGABYTE, min(2 * pictures, training.steps * training.batch_size) * size)


def estimate_run_gflops(config: Config, height: int, width: int, classes: int, held_out: int) -> float:
    """Returns the operations of the network in a run with its evaluations, in billions.

    Args:
        config: The settings.
        height: Height of a picture in pixels.
        width: Width of a picture in pixels.
        classes: Number of classes of the data set.
        held_out: Number of pictures of an evaluation.
    """
    training = config.training
    seen = training.steps * training.batch_size * PASSES
    evaluations = 1 + (training.steps // training.eval_interval if training.eval_interval else 0)
    trained = seen * estimate_gflops(config, count_pixels(height, width, config.inference), classes)
    return trained + evaluations * held_out * estimate_all_gflops(config, height, width, classes)


def estimate_all_gflops(config: Config, height: int, width: int, classes: int) -> float:
    """Returns the operations of the network for a picture in all its views and their tiles, in billions."""
    tiles, views = limit_tiles(height, width, config.inference), make_views(config.inference)
    inputs = (pixels for view in views for pixels in count_seen_pixels(view, config, height, width, tiles))
    return sum(estimate_gflops(config, pixels, classes) for pixels in inputs)
