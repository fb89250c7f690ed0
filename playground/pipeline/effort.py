"""Estimates, within microseconds, of the work that settings ask for."""

from core.config import Config
from core.retinanet.tiles import is_tiled
from playground.pipeline.outputs import QUICK_GFLOPS

MAX_ANCHORS = 100_000  # up to which their assignment, losses and layers take some 0.2 s
MAX_CANDIDATES = 15_000  # up to which NMS does
BODY = {18: 72e3, 34: 146e3, 50: 164e3, 101: 312e3, 152: 460e3}  # operations for a pixel of the input, by depth
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
    pixels = estimate_pixels(config, height, width)
    anchors = pixels * LOCATIONS * config.anchors.per_location
    candidates = min(anchors, LEVELS * inference.topk_candidates)
    return (
        passes * estimate_gflops(config, pixels) > QUICK_GFLOPS or anchors > MAX_ANCHORS or candidates > MAX_CANDIDATES
    )


def estimate_gflops(config: Config, pixels: float) -> float:
    """Returns the operations of the network for an input of so many pixels, in billions, within some 15%."""
    model = config.model
    channels, convs = model.fpn_channels, 2 * (model.num_convs + 1)  # of both subnets and about as many of the pyramid
    classes = COCO_CLASSES if model.weights.startswith("coco") else CLASSES
    outputs = config.anchors.per_location * (classes + 4)
    heads = 2 * 9 * LOCATIONS * channels * (convs * channels + outputs)
    return pixels * (BODY[model.depth] + heads) / 1e9


def estimate_outputs(config: Config, pixels: float, classes: int) -> float:
    """Returns the bytes of the network's outputs for an input of so many pixels."""
    return 4 * pixels * LOCATIONS * config.anchors.per_location * (classes + 4)  # float32


def estimate_pixels(config: Config, height: int, width: int) -> float:
    """Returns the pixels of a picture as the network sees it."""
    inference = config.inference
    scale = min(inference.image_size / min(height, width), inference.max_image_size / max(height, width))
    return height * width * scale**2
