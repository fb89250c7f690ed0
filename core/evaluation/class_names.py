"""Matching of classes by name: those of a detector with those of a data set, or those of two data sets."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.data.class_names import DIFFER_LITTLE, simplify
from core.data.dataset import DataSet
from core.data.untrusted import DataError
from core.io.text import join_names
from core.structures import Sample


def match_classes(known: Sequence[str], names: Sequence[str], *, lacking: str, remedy: str) -> Tensor:
    """Returns the index in `known` of each name, int64 [K]; names are compared exactly.

    Args:
        known: The class names of one side.
        names: Those of the other side.
        lacking: The beginning of the message about unknown names, such as "The training pictures lack".
        remedy: Its end: what to do.

    Raises:
        DataError: A name is unknown.
    """
    if unknown := list(dict.fromkeys(name for name in names if name not in known)):
        raise DataError(f"{describe_unknown(lacking, unknown, known)}: {remedy}.")
    return torch.tensor([known.index(name) for name in names], dtype=torch.int64)


def match_detector(weights: str, known: Sequence[str], names: Sequence[str]) -> Tensor:
    """Returns a detector's index of each class of a data set, int64 [K].

    Args:
        weights: The name of the detector's weights, for the message.
        known: The detector's class names.
        names: The data set's class names.

    Raises:
        DataError: The detector lacks one of them.
    """
    remedy = "train on this data set first and use the run's weights, or choose other weights"
    return match_classes(known, names, lacking=name_ignorant(weights), remedy=remedy)


def name_ignorant(weights: str) -> str:
    """Returns the beginning of a message about classes that weights do not know."""
    return f"The {'built-in weights' if weights == 'builtin' else f'weights {weights}'} do not know"


def describe_unknown(lacking: str, unknown: Sequence[str], known: Sequence[str]) -> str:
    """Returns a sentence without its end about unknown classes; it points out those that nearly have a known name."""
    text = f"{lacking} the class{'es' * (len(unknown) > 1)} {join_names(unknown)}"
    plain = {simplify(name): name for name in known}
    alike = [f"{name!r} and {plain[simplify(name)]!r}" for name in unknown if simplify(name) in plain]
    return f"{text} ({join_names(alike)} {DIFFER_LITTLE})" if alike else text


class _Relabelled(DataSet):
    """A data set whose labels are indices into other class names; arguments as in `relabel`."""

    def __init__(self, data: DataSet, class_names: Sequence[str]) -> None:
        self._data = data
        self._indices = torch.tensor([class_names.index(name) for name in data.class_names], dtype=torch.int64)
        self.class_names, self.dropped = tuple(class_names), data.dropped
        self.reading, self.left_out = data.reading, data.left_out

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The data set's category ids; 1 … K if it lacks a class."""
        ids = dict(zip(self._indices.tolist(), self._data.category_ids, strict=True))
        complete = len(ids) == len(self.class_names)
        return tuple(ids[label] for label in range(len(ids))) if complete else super().category_ids

    @property
    def class_counts(self) -> np.ndarray:
        """The data set's counts; 0 for a class that it lacks."""
        return self._spread(self._data.class_counts)

    @property
    def class_shares(self) -> np.ndarray:
        """The data set's shares; 0 for a class that it lacks."""
        return self._spread(self._data.class_shares)

    def _spread(self, values: np.ndarray) -> np.ndarray:
        spread = np.zeros(len(self.class_names))
        spread[self._indices.numpy()] = values
        return spread

    def labels_of(self, index: int) -> np.ndarray:
        """Returns the labels of an image's objects as indices into the other class names."""
        labels: np.ndarray = self._indices.numpy()[self._data.labels_of(index)]
        return labels

    def image_name(self, index: int) -> str:
        """Returns the name in the data set."""
        return self._data.image_name(index)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Sample:
        sample = self._data[index]
        return sample._replace(labels=self._indices[sample.labels])


def relabel(data: DataSet, class_names: Sequence[str]) -> DataSet:
    """Returns a data set whose labels are indices into the given class names, with the same objects.

    Args:
        data: The data set.
        class_names: The class names, among which are those of the data set.

    Raises:
        ValueError: The data set has a class that is not among the given ones.
    """
    return data if tuple(class_names) == data.class_names else _Relabelled(data, class_names)
