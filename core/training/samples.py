"""The stream of training samples."""

import signal
from functools import lru_cache

import torch
from torch.utils.data import Dataset

from core.config import Config
from core.data.dataset import DataSet
from core.structures import Sample
from core.training.augment import augment


class TrainingStream(Dataset[Sample]):
    """An endless sequence of augmented training samples, shuffled anew in each epoch.

    The sample at a position depends only on the data and `training.seed`, so a resumed run, or a run on another number
    of processes, sees the same samples.
    """

    def __init__(self, data: DataSet, config: Config) -> None:
        self._data, self._training = data, config.training

    def __getitem__(self, position: int) -> Sample:
        epoch, offset = divmod(position, len(self._data))
        index = _permutation(self._training.seed, epoch, len(self._data))[offset]
        generator = torch.Generator().manual_seed(_mix_seeds(self._training.seed, position))
        return augment(self._data[index], self._training, generator)


def ignore_interrupts(worker: int) -> None:
    """Makes a loading process ignore Ctrl-C, which a terminal sends to all processes: the main one handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _mix_seeds(*numbers: int) -> int:
    """Mixes numbers into one seed; unlike those of strings, hashes of integer tuples are the same in every process."""
    return hash(numbers) & 0xFFFFFFFF


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, length: int) -> list[int]:
    return torch.randperm(length, generator=torch.Generator().manual_seed(_mix_seeds(seed, epoch, length))).tolist()
