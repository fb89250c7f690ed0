"""The settings of the smallest training run, for tests of the code around it."""

from core.config import Config

TINY = {
    "model.weights": "random",
    "model.depth": 18,
    "model.fpn_channels": 32,
    "model.num_convs": 0,
    "model.batch_norm": "frozen",
    "inference.image_size": 64,
    "scenes.image_size": 64,
    "scenes.min_size": 0.3,
    "training.batch_size": 1,
    "training.steps": 3,
    "training.eval_interval": 2,
    "training.eval_images": 2,
    "training.warmup_steps": 0,
}


def tiny(**changes) -> Config:
    """Returns the settings with some replaced: section__field=value."""
    return Config.from_flat({**TINY, **{key.replace("__", "."): value for key, value in changes.items()}})
