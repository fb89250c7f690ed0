"""The stream of training samples."""

import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch.utils.data import Dataset

from core.config import Config
from core.data.dataset import DataSet
from core.errors import UserError
from core.evaluation.damage import require_usable
from core.structures import Sample
from core.training.augmentation.augment import augment
from core.training.augmentation.combine import combine
from core.training.sampling import build_order, mix_seeds

MAX_KEPT_BYTES = 256 * 2**20  # of decoded images, in each loading process
STREAMS = ((), (1,), (2,))  # of random numbers: a sample's own changes, its mosaic, and copy-paste
MAX_IN_A_ROW = 50  # so many unusable images, in random order, mean that more than half are unusable


class Drawn(NamedTuple):
    """The sample at a position of the stream.

    Errors are values here: an exception raised in a loading process would arrive as another one, with its traceback as
    the message.

    Attributes:
        sample: The sample; None if too many images in a row cannot be used.
        errors: The indices of the images that were drawn before it and cannot be used, with the reasons.
    """

    sample: Sample | None
    errors: tuple[tuple[int, UserError], ...] = ()


class TrainingStream(Dataset[Drawn]):
    """An endless sequence of augmented training samples, in the order of `training.sampler`.

    An image that cannot be used is replaced by the next one that can, and those that are combined with it (`combine`)
    are drawn from the images around it, see `Place`. The sample at a position depends only on the data and
    `training.seed`, so a resumed run, or a run on another number of processes, sees the same samples. The images of a
    small data set are kept in memory, so that they are decoded once.
    """

    def __init__(self, data: DataSet, config: Config) -> None:
        self._data, self._config = data, config
        self._order = build_order(data, config.training)
        self._kept: dict[int, Sample] = {}

    def __getitem__(self, position: int) -> Drawn:
        order, offset = self._order.find(position)
        count = len(order)
        errors: list[tuple[int, UserError]] = []
        for step in range(min(count, MAX_IN_A_ROW)):
            index = order[(offset + step) % count]
            try:
                sample = self._augmented(index, position, partial(self._read_other, order, errors))
                return Drawn(sample, tuple(errors))
            except UserError as error:
                errors.append((index, error))
        return Drawn(None, tuple(errors))

    def _augmented(self, index: int, position: int, read_other: Callable[[float], Sample | None]) -> Sample:
        training = self._config.training
        seeds = [mix_seeds(training.seed, position, *stream) for stream in STREAMS]
        own, mosaic, copy_paste = (torch.Generator().manual_seed(seed) for seed in seeds)
        sample = combine(self._read(index), training, read_other, mosaic=mosaic, copy_paste=copy_paste)
        sample = augment(sample, training, own)
        require_usable(sample, self._data.image_name(index), self._config.inference)
        return sample

    def _read_other(self, order: Sequence[int], errors: list[tuple[int, UserError]], share: float) -> Sample | None:
        """Returns the image at a share of the order, in [0, 1), or the next one that can be read.

        Adds those that cannot to the errors; returns None if they are too many in a row.
        """
        for step in range(min(len(order), MAX_IN_A_ROW)):
            index = order[(int(share * len(order)) + step) % len(order)]
            try:
                return self._read(index)
            except UserError as error:
                errors.append((index, error))
        return None

    def _read(self, index: int) -> Sample:
        if index in self._kept:
            return self._kept[index]
        sample = self._data[index]
        if sample.image.nbytes * len(self._data) <= MAX_KEPT_BYTES:  # otherwise most would be dropped before their turn
            self._kept[index] = sample
        return sample


def ignore_signals(worker: int) -> None:
    """Makes a loading process ignore Ctrl-C and SIGTERM, which may be sent to all processes: the main one obeys."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
