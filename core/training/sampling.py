"""The order in which training images are drawn: each once an epoch, or those with rare classes more often."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from core.config import Training
from core.data.dataset import DataSet

BLOCK = 500  # images whose repeats are shuffled together: of a rendered scene the labels must be laid out


class Place(NamedTuple):
    """A position in the stream of images.

    Attributes:
        order: The indices of the images around it: of its epoch, or of a part of it.
        offset: Where it is among them.
    """

    order: list[int]
    offset: int


class UniformOrder:
    """Every image once an epoch, shuffled anew in each."""

    def __init__(self, count: int, seed: int) -> None:
        self._count, self._seed = count, seed

    def find(self, position: int) -> Place:
        """Returns the place of a position of the stream, from 0."""
        epoch, offset = divmod(position, self._count)
        return Place(permute(self._seed, epoch, self._count), offset)


class RepeatedOrder:
    """Every image as often as its repeat factor, rounded at random in each epoch (Gupta et al., LVIS, appendix B.2).

    An image has the factor of its rarest class, max(1, √(t / f)), where f is the share of images with that class. The
    repeats of 500 images of the shuffled epoch are shuffled together. The order is a function of data and seed.

    Args:
        data: The training data.
        training: Its `repeat_threshold` and `seed` are used.
    """

    def __init__(self, data: DataSet, training: Training) -> None:
        self._data, self._seed = data, training.seed
        self._factors = find_repeat_factors(data.class_shares, training.repeat_threshold)
        self._of_images = np.full(len(data), np.nan)  # the factors that are known: to lay out a scene takes 1 ms
        self._ends = [0]  # positions after each block that has been found
        self._last: tuple[int, list[int]] = (-1, [])  # the last block, with its number

    def find(self, position: int) -> Place:
        """Returns the place of a position of the stream; the first time, the blocks before it are found as well."""
        while self._ends[-1] <= position:
            self._ends.append(self._ends[-1] + len(self._shuffle(len(self._ends) - 1)))
        block = int(np.searchsorted(self._ends, position, side="right")) - 1
        if self._last[0] != block:
            self._last = block, self._shuffle(block)
        return Place(self._last[1], position - self._ends[block])

    def _shuffle(self, number: int) -> list[int]:
        """Returns the images of a block with their repeats, in order."""
        count = len(self._data)
        epoch, part = divmod(number, -(-count // BLOCK))
        images = np.array(permute(self._seed, epoch, count)[part * BLOCK : (part + 1) * BLOCK])
        rng = torch.Generator().manual_seed(mix_seeds(self._seed, number, count, 1))
        factors = np.array([self._find_factor(index) for index in images.tolist()])
        rounded_up = torch.rand(len(images), generator=rng).numpy() < factors % 1
        repeated = np.repeat(images, factors.astype(int) + rounded_up)
        return [int(repeated[index]) for index in torch.randperm(len(repeated), generator=rng).tolist()]

    def _find_factor(self, index: int) -> float:
        """Returns the repeat factor of an image."""
        if np.isnan(self._of_images[index]):
            self._of_images[index] = self._factors[self._data.labels_of(index)].max(initial=1)
        return float(self._of_images[index])


def build_order(data: DataSet, training: Training) -> UniformOrder | RepeatedOrder:
    """Returns the order that `training.sampler` asks for."""
    if training.sampler == "repeat_factor":
        return RepeatedOrder(data, training)
    return UniformOrder(len(data), training.seed)


def find_repeat_factors(shares: np.ndarray, threshold: float) -> np.ndarray:
    """Returns the repeat factor of each class, max(1, √(t / f)), float64 [K]; 1 for a class in no image.

    Args:
        shares: f, the share of images with each class, [K].
        threshold: t, the share below which a class is rare.
    """
    present = np.where(shares > 0, shares, 1.0)
    factors: np.ndarray = np.maximum(1.0, np.sqrt(threshold / present))
    return factors


def mix_seeds(*numbers: int) -> int:
    """Mixes numbers into one seed; unlike those of strings, hashes of integer tuples are the same in every process."""
    return hash(numbers) & 0xFFFFFFFF


@lru_cache(maxsize=2)
def permute(seed: int, epoch: int, length: int) -> list[int]:
    """Returns the numbers below a length, shuffled for an epoch."""
    return torch.randperm(length, generator=torch.Generator().manual_seed(mix_seeds(seed, epoch, length))).tolist()
