"""Whether a training sample is combined with others, and with which."""

from collections.abc import Callable

import torch

from core.config import Training
from core.structures import Sample
from core.training.augmentation.copy_paste import paste_objects
from core.training.augmentation.mosaic import PICTURES, make_mosaic


def combine(
    sample: Sample,
    training: Training,
    read_other: Callable[[float], Sample | None],
    *,
    mosaic: torch.Generator,
    copy_paste: torch.Generator,
) -> Sample:
    """Combines a sample with others at random: first mosaic, then copy-paste.

    Each has random numbers of its own, so that neither changes the other. With both probabilities 0 the sample is
    returned as it is.

    Args:
        sample: The sample; it is not modified.
        training: Its `mosaic_probability` and `copy_paste_probability` are used.
        read_other: Returns the sample at a share of the training pictures, in [0, 1); None if it cannot be read, so
            that the sample itself takes its place.
        mosaic: Source of randomness of the mosaic, on the CPU.
        copy_paste: Source of randomness of copy-paste, on the CPU.
    """
    if _draw(mosaic) < training.mosaic_probability:
        others = [read_other(_draw(mosaic)) or sample for _ in range(PICTURES - 1)]
        sample = make_mosaic([sample, *others], mosaic)
    if _draw(copy_paste) < training.copy_paste_probability:
        sample = paste_objects(sample, read_other(_draw(copy_paste)) or sample, copy_paste)
    return sample


def _draw(rng: torch.Generator) -> float:
    return torch.rand(1, generator=rng).item()
