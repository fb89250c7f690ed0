"""The endless sequence of training samples."""

import signal
from functools import lru_cache

import torch
from torch.utils.data import Dataset

from core.config import Config
from core.data.dataset import DataSet
from core.structures import Sample
from core.training.augment import augment


class TrainingStream(Dataset):
    """The endless sequence of training samples: position → sample, shuffled anew each epoch and augmented.

    Each position depends on the seed alone, so a resumed run, or another number of processes, sees the same samples.
    """

    def __init__(self, data: DataSet, config: Config) -> None:
        self._data, self._training = data, config.training

    def __getitem__(self, position: int) -> Sample:
        epoch, place = divmod(position, len(self._data))
        index = _permutation(self._training.seed, epoch, len(self._data))[place]
        generator = torch.Generator().manual_seed(_seed(self._training.seed, position))
        return augment(self._data[index], self._training, generator)


def leave_interrupts(worker: int) -> None:
    """Ctrl-C reaches all processes of a terminal; what to do about it is the main one's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _seed(*numbers: int) -> int:
    """Mixes numbers into one seed; Python hashes tuples of integers alike in every process."""
    return hash(numbers) & 0xFFFFFFFF


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, length: int) -> list[int]:
    return torch.randperm(length, generator=torch.Generator().manual_seed(_seed(seed, epoch, length))).tolist()
