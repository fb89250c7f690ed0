"""Evaluations on the disk: what was found and what is there, from which all figures are computed again."""

import hashlib
import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.evaluation.dataset_predictions import ImageResult
from core.runs.checkpoint import read_state, write_state
from core.runs.folder import RunError
from core.structures import Detections, GroundTruth
from core.weights.sources import BUILTIN

MOST = 100  # evaluations, of up to some 10 MB each
FORMAT = 1  # to be raised when what networks find, or how it is kept, changes
ENDING = ".safetensors"


class StoredEvaluation(NamedTuple):
    """What is kept of an evaluation.

    Attributes:
        state: Whether it finished or was stopped.
        total: Pictures in all.
        findings: Of the pictures that were looked at, labels as the network numbers them.
        names: Of these pictures.
        class_names: Of the network.
    """

    state: str
    total: int
    findings: tuple[ImageResult, ...]
    names: tuple[str, ...]
    class_names: tuple[str, ...]


class Store:
    """Evaluations in a folder under the keys of `jobs.key_of`; the least recently used are removed first.

    Args:
        place: The folder; made when something is put there.
        most: How many are kept.
    """

    def __init__(self, place: Path, most: int = MOST) -> None:
        self._place, self._most = place.resolve(), most

    def put(self, key: Hashable, record: StoredEvaluation) -> None:
        """Keeps an evaluation, whole or not at all.

        Raises:
            OSError, WeightsError: It cannot be written.
        """
        self._place.mkdir(parents=True, exist_ok=True)
        write_state(self._path(key), _to_state(record))
        files = sorted(self._place.glob(f"*{ENDING}"), key=_used, reverse=True)
        for path in files[self._most :]:
            path.unlink(missing_ok=True)

    def has(self, key: Hashable) -> bool:
        """Tells whether there is a file for a key; cheap enough for every move of a knob."""
        return self._path(key).is_file()

    def get(self, key: Hashable) -> StoredEvaluation | None:
        """Returns what is kept under a key, None for nothing; a file that is damaged is removed."""
        path = self._path(key)
        if not path.is_file():
            return None
        try:
            record = _from_state(read_state(path))
            os.utime(path)
        except (RunError, OSError, KeyError, TypeError, ValueError, RuntimeError):
            path.unlink(missing_ok=True)
            return None
        return record

    def _path(self, key: Hashable) -> Path:
        text = repr((FORMAT, _used(BUILTIN), key))  # plain values, tuples and frozen settings, the same after a restart
        return self._place / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}{ENDING}"


def _used(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _to_state(record: StoredEvaluation) -> dict[str, Any]:
    found, truth = ([getattr(each, part) for each in record.findings] for part in ("found", "truth"))
    return {
        "state": record.state,
        "total": record.total,
        "names": list(record.names),
        "class_names": list(record.class_names),
        "image_ids": [each.image_id for each in record.findings],
        "found": [len(each.scores) for each in found],
        "objects": [len(each.labels) for each in truth],
        "detections": [_joined([each[part] for each in found]) for part in range(3)],
        "truth": [_joined([each[part] for each in truth]) for part in range(3)],
    }


def _from_state(state: dict[str, Any]) -> StoredEvaluation:
    found = [part.split(state["found"]) for part in state["detections"]]
    truth = [part.split(state["objects"]) for part in state["truth"]]
    findings = tuple(
        ImageResult(Detections(*detections), GroundTruth(*objects), int(image_id))
        for *detections, image_id, objects in zip(*found, state["image_ids"], zip(*truth, strict=True), strict=True)
    )
    texts = (tuple(map(str, state[name])) for name in ("names", "class_names"))
    record = StoredEvaluation(str(state["state"]), int(state["total"]), findings, *texts)
    if not findings or len(findings) != len(record.names):
        raise ValueError
    return record


def _joined(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.cpu() for part in parts])
