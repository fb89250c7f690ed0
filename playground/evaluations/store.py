"""Evaluations on the disk: detections and ground truth of each picture, from which all figures are computed again."""

import hashlib
import json
import os
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from core.errors import UserError
from core.evaluation.dataset_predictions import ImageResult
from core.io.atomic import write_text
from core.io.moving import remove
from core.io.parts import sweep_parts
from core.io.records import open_file, read_object
from core.runs.checkpoint import load_checkpoint, save_checkpoint
from core.runs.folder import FINISHED, STOPPED, RunError
from core.structures import Detections, GroundTruth
from core.weights.sources import BUILTIN
from playground.albums.followers import DELETED, MOST_DELETED, UNDO_SECONDS
from playground.sharing.shares import find_share
from playground.support.shared_folder import FolderLock, modified_at
from playground.support.trash import Trash

MAX_STORED = 100  # evaluations, each up to about 10 MB
FORMAT = 2  # raise this when networks detect something else or the layout of the files changes
SWEEP_SECONDS = 1.0  # for which a sweep waits until another process has made its change
SUFFIX, ORIGIN = ".safetensors", ".json"  # of the results, of what they were made from
LOCK = ".lock"  # held while the folder is changed


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


class Origin(NamedTuple):
    """What an evaluation was made from, and for whom.

    Attributes:
        source: That of its pictures.
        weights: Its weights.
        owner: The visitor who started it, see `playground.support.visitors`; "" if unknown.
    """

    source: str
    weights: str
    owner: str = ""


class Store:
    """Evaluations in a folder, by the keys of `keys.evaluation_key`. The least recently used ones are removed first,
    those of a visitor with too many before those of others.

    Args:
        folder: The folder. It is created when the first evaluation is stored.
        size: The number of evaluations to keep.
    """

    def __init__(self, folder: Path, size: int = MAX_STORED) -> None:
        self._folder, self._size = folder.resolve(), size
        self._changing = FolderLock(self._folder / LOCK)
        self._trash = Trash(self._folder, MOST_DELETED, seconds=UNDO_SECONDS, folder=DELETED)

    def put(self, key: Hashable, record: StoredEvaluation, origin: Origin) -> None:
        """Stores an evaluation completely or not at all; one that is made again stays whose it was.

        Raises:
            OSError, UserError: It cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(key)
        with self._changing.hold():
            try:
                if not (path.exists() and _read_origin(path.with_suffix(ORIGIN))):
                    # First: it tells how to delete the other.
                    write_text(path.with_suffix(ORIGIN), json.dumps(origin._asdict()))
                save_checkpoint(path, _to_state(record))
            finally:
                self._drop_origins()
            with suppress(OSError):  # there is too much until the next one is stored
                self._make_room()

    def sweep(self) -> None:
        """Removes what killed processes left; does nothing in a folder that cannot be changed."""
        if self._folder.is_dir():
            with suppress(OSError, UserError), self._changing.hold(SWEEP_SECONDS):
                sweep_parts(self._folder)
                self._drop_origins()

    def _drop_origins(self) -> None:
        """Removes origins without a result."""
        self._trash.entries()  # which finishes the deletion of both first
        for path in self._folder.glob(f"*{ORIGIN}"):
            if not path.with_suffix(SUFFIX).exists():
                remove(path)

    def _make_room(self) -> None:
        """Removes the oldest evaluations of visitors with too many; if all are too many, of whoever has most."""
        share, kept = find_share(), dict[str, list[Path]]()  # by owner, the least recently used first
        for path in sorted(self._folder.glob(f"*{SUFFIX}"), key=modified_at):
            origin = _read_origin(path.with_suffix(ORIGIN))
            kept.setdefault(origin.owner if share and origin else "", []).append(path)
        for paths in kept.values():
            while share and len(paths) > share.stored_evaluations:
                _remove(paths.pop(0))
        while sum(map(len, kept.values())) > self._size:
            _remove(max(kept.values(), key=len).pop(0))

    def has(self, key: Hashable) -> bool:
        """True if there is a file for the key; cheap enough to be called whenever a knob moves."""
        return os.path.isfile(self._path(key))  # also False in a folder that cannot be looked into

    def get(self, key: Hashable) -> StoredEvaluation | None:
        """Returns the evaluation stored under a key, None if there is none; a damaged file is removed."""
        path = self._path(key)
        try:
            open_file(path).close()
        except OSError:  # one that cannot be read now is not damaged
            return None
        try:
            record = _from_state(load_checkpoint(path))
        except (RunError, KeyError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError):
            with suppress(OSError):
                _remove(path)
            return None
        with suppress(OSError):  # a folder that cannot be changed can be read
            os.utime(path)
        return record

    def hide(self, title: str, is_of: Callable[[Origin], bool]) -> None:
        """Moves the evaluations into the trash for whose origin a function returns True.

        Args:
            title: The name under which `restore` finds them.
            is_of: The function.
        """
        if not self._folder.is_dir():
            return
        with self._changing.hold():
            for path in self._folder.glob(f"*{ORIGIN}"):
                origin, stored = _read_origin(path), path.with_suffix(SUFFIX)
                if origin and is_of(origin) and stored.exists():
                    self._trash.put([stored.name, path.name], title)

    def restore(self, title: str) -> None:
        """Moves evaluations back from the trash; one that was computed anew in the meantime stays."""
        for each in self._trash.entries():
            if each.title == title:
                with suppress(UserError):
                    self._trash.put_back(each.key)

    def clean(self) -> None:
        """Erases evaluations that have been in the trash for too long."""
        self._trash.entries()

    def _path(self, key: Hashable) -> Path:
        # Keys hold plain values, tuples and frozen settings, so their repr is the same after a restart.
        text = repr((FORMAT, modified_at(BUILTIN), key))
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}{SUFFIX}"


def _remove(path: Path) -> None:
    """Removes the files of an evaluation."""
    for each in (path, path.with_suffix(ORIGIN)):
        remove(each)


def _read_origin(path: Path) -> Origin | None:
    """Returns the origin of a stored evaluation, None if its file is damaged."""
    try:
        values = read_object(path) or {}
        return Origin(str(values["source"]), str(values["weights"]), str(values.get("owner", "")))
    except (KeyError, TypeError):
        return None


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
    (found, _, labels), (objects, classes, _) = state["detections"], state["truth"]
    if not all(_are_objects(*each, len(class_names)) for each in ((found, labels), (objects, classes))):
        raise ValueError("The file holds boxes or labels that are none.")
    if state["state"] not in (FINISHED, STOPPED):
        raise ValueError("The file is of an evaluation that has not ended.")
    return StoredEvaluation(state["state"], int(state["total"]), images, names, class_names)


def _are_objects(boxes: Tensor, labels: Tensor, num_classes: int) -> bool:
    """True for boxes [N, 4] of finite numbers and labels 0 … K−1."""
    plain = boxes.shape == (len(labels), 4) and boxes.is_floating_point() and labels.dtype == torch.int64
    return plain and bool(boxes.isfinite().all()) and bool(((labels >= 0) & (labels < num_classes)).all())


def _concatenate(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.cpu() for tensor in tensors])
