"""Evaluations on the disk: detections and ground truth of each picture, from which all figures are computed again."""

import hashlib
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.evaluation.dataset_predictions import ImageResult
from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.folder import RunError
from core.structures import Detections, GroundTruth
from core.weights.sources import BUILTIN

MAX_STORED = 100  # evaluations, each up to about 10 MB
FORMAT = 2  # raise this when networks detect something else or the layout of the files changes
SUFFIX = ".safetensors"


class StoredEvaluation(NamedTuple):
    """An evaluation as it is stored.

    Attributes:
        state: "finished" or "stopped".
        total: The number of pictures that were to be evaluated.
        images: The pictures that were evaluated, with the data set's class indices.
        names: The names of these pictures.
        class_names: The data set's classes.
    """

    state: str
    total: int
    images: tuple[ImageResult, ...]
    names: tuple[str, ...]
    class_names: tuple[str, ...]


class Store:
    """Evaluations in a folder, by the keys of `jobs.evaluation_key`. The least recently used ones are removed first.

    Args:
        folder: The folder. It is created when the first evaluation is stored.
        size: The number of evaluations to keep.
    """

    def __init__(self, folder: Path, size: int = MAX_STORED) -> None:
        self._folder, self._size = folder.resolve(), size

    def put(self, key: Hashable, record: StoredEvaluation) -> None:
        """Stores an evaluation; the file is written completely or not at all.

        Raises:
            OSError, WeightsError: It cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        save_checkpoint(self._path(key), _to_state(record))
        files = sorted(self._folder.glob(f"*{SUFFIX}"), key=_modified, reverse=True)
        for path in files[self._size :]:
            path.unlink(missing_ok=True)

    def has(self, key: Hashable) -> bool:
        """True if there is a file for the key; cheap enough to be called whenever a knob moves."""
        return self._path(key).is_file()

    def get(self, key: Hashable) -> StoredEvaluation | None:
        """Returns the evaluation stored under a key, None if there is none; a damaged file is removed."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            record = _from_state(load_checkpoint(path))
            os.utime(path)
        except (RunError, OSError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError):
            path.unlink(missing_ok=True)
            return None
        return record

    def _path(self, key: Hashable) -> Path:
        # Keys hold plain values, tuples and frozen settings, so their repr is the same after a restart.
        text = repr((FORMAT, _modified(BUILTIN), key))
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}{SUFFIX}"


def _modified(path: Path) -> int:
    """Returns the modification time in nanoseconds, 0 if there is no file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _to_state(record: StoredEvaluation) -> dict[str, Any]:
    detections, truths = [each.detections for each in record.images], [each.truth for each in record.images]
    return {
        "state": record.state,
        "total": record.total,
        "names": list(record.names),
        "class_names": list(record.class_names),
        "image_ids": [each.image_id for each in record.images],
        "problems": [each.problem for each in record.images],
        "found": [len(each.scores) for each in detections],
        "objects": [len(each.labels) for each in truths],
        "detections": [_concatenate([each[field] for each in detections]) for field in range(3)],
        "truth": [_concatenate([each[field] for each in truths]) for field in range(3)],
    }


def _from_state(state: dict[str, Any]) -> StoredEvaluation:
    detections = zip(*(field.split(state["found"]) for field in state["detections"]), strict=True)
    truths = zip(*(field.split(state["objects"]) for field in state["truth"]), strict=True)
    images = tuple(
        ImageResult(Detections(*found), GroundTruth(*truth), int(image_id), str(problem))
        for found, truth, image_id, problem in zip(
            detections, truths, state["image_ids"], state["problems"], strict=True
        )
    )
    names, class_names = (tuple(map(str, state[field])) for field in ("names", "class_names"))
    if not images or len(images) != len(names):
        raise ValueError("The file lists another number of names than of pictures.")
    return StoredEvaluation(str(state["state"]), int(state["total"]), images, names, class_names)


def _concatenate(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.cpu() for tensor in tensors])
