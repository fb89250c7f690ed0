"""Snapshots of a run: its detections in one fixed image after each evaluation, and what a moving assigner assigns."""

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from core.config import OUTPUT_ASSIGNERS, Config
from core.data.dataset import DataSet
from core.data.images import open_image, to_pil
from core.errors import PictureError
from core.evaluation.damage import find_usable
from core.io.atomic import write_atomically, write_text
from core.io.jsonl import JsonLines
from core.io.records import read_bytes, read_object
from core.retinanet.assigners import NetworkView, assign_anchors
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect, make_batch_anchors, predict
from core.retinanet.preprocess import scale_objects
from core.runs.folder import RunFolder, append_line
from core.structures import Detections, Sample

MAX_SIDE = 1024  # px; a larger image is stored at this size
DIGITS = 4  # of a stored score
MAX_BOXES = 1000  # read from a snapshot at most
MAX_PICTURE = 2**24  # bytes of the stored image
# Raised for what is no tensor; from Python 3.12 on a dictionary has keys that are slices.
UNREADABLE = (KeyError, TypeError, RuntimeError, OverflowError)


class SnapshotImage(NamedTuple):
    """The image of a run's snapshots as stored, at most `MAX_SIDE` pixels long, with its objects and class names."""

    sample: Sample
    class_names: tuple[str, ...]


class Snapshot(NamedTuple):
    """The network after a number of steps; boxes are in pixels of the stored image.

    Attributes:
        step: The number of steps.
        found: Its detections.
        assigned: The foreground anchors, float32 [A, 4], where the assigner looks at what the network predicts; None
            where it does not.
    """

    step: int
    found: Detections
    assigned: Tensor | None = None


class SnapshotRecorder:
    """Writes the snapshots of a run.

    Args:
        folder: Folder of the run.
        data: Data set whose first usable image is shown.
        config: Settings of the run.
    """

    def __init__(self, folder: RunFolder, data: DataSet, config: Config) -> None:
        self._folder, self._config = folder, config
        sample = find_usable(data, config.inference)
        self._sample = sample
        self._scale = min(1.0, MAX_SIDE / max(sample.image.shape[1:]))
        self._recorded = max((record["step"] for record in JsonLines(folder.snapshots).read()), default=0)
        if not folder.snapshot_image.exists():
            _write_image(folder, sample, data.class_names, self._scale)

    def detect(self, model: RetinaNet) -> Detections:
        """Returns a network's detections in the image; the network is left in evaluation mode."""
        found = detect(model, [self._sample.image], self._config)[0]
        return found._replace(boxes=found.boxes * self._scale)

    def assign(self, model: RetinaNet) -> Tensor:
        """Returns the anchors that are foreground by what a network predicts, float32 [A, 4], as `Snapshot.assigned`.

        The network is left in evaluation mode.
        """
        batch, (logits, deltas, _) = predict(model, [self._sample.image], self._config)
        factors = batch.factors[0]
        objects, labels = scale_objects(self._sample, factors)
        grid = make_batch_anchors(batch, self._config.anchors)
        grid = grid._replace(boxes=grid.boxes.to(factors.device))
        view = NetworkView(logits[0].float(), deltas[0].float(), labels)
        match = assign_anchors(grid, objects, self._config.matching, view)
        return (grid.boxes[match.foreground] * factors * self._scale).cpu()

    def add(self, model: RetinaNet, step: int) -> None:
        """Appends a snapshot of a network after a step, unless the file has one of this step."""
        if step <= self._recorded:
            return
        record = {"step": step, **detections_to_dict(self.detect(model))}
        if self._config.matching.assigner in OUTPUT_ASSIGNERS:
            record["assigned"] = round_boxes(self.assign(model))
        append_line(self._folder.snapshots, record)


def round_boxes(boxes: Tensor) -> list[list[float]]:
    """Converts boxes [N, 4] for JSON, to tenths of a pixel."""
    return [[round(edge, 1) for edge in box] for box in boxes.tolist()]


def detections_to_dict(found: Detections) -> dict[str, Any]:
    """Converts detections for JSON, with rounded numbers."""
    return {
        "boxes": round_boxes(found.boxes),
        "scores": [round(score, DIGITS) for score in found.scores.tolist()],
        "labels": found.labels.tolist(),
    }


def detections_from_dict(record: dict[str, Any]) -> Detections:
    """Reverses `detections_to_dict`; at most `MAX_BOXES` are read.

    Raises:
        ValueError: The record does not describe detections.
    """
    try:
        boxes, scores, labels = (torch.tensor(record[name][:MAX_BOXES]) for name in ("boxes", "scores", "labels"))
        found = Detections(boxes.float().reshape(-1, 4), scores.float().reshape(-1), labels.long().reshape(-1))
    except UNREADABLE as error:
        raise ValueError(f"The record does not describe detections: {error}.") from None
    if not len(found.boxes) == len(found.scores) == len(found.labels):
        raise ValueError("The record has different numbers of boxes, scores and labels.")
    return found


def read_snapshot_image(folder: RunFolder) -> SnapshotImage | None:
    """Reads the image of a run's snapshots; returns None if it is missing or unreadable."""
    try:
        record = read_object(folder.snapshot_truth) or {}
        truth = detections_from_dict(record)
        image = open_image(BytesIO(read_bytes(folder.snapshot_image, MAX_PICTURE)))
        names = tuple(map(str, record["class_names"]))
    except (PictureError, OSError, ValueError, KeyError, TypeError):
        return None
    if len(truth.labels) and not 0 <= int(truth.labels.min()) <= int(truth.labels.max()) < len(names):
        return None
    no_crowd = torch.zeros(len(truth.labels), dtype=torch.bool)
    return SnapshotImage(Sample(image, truth.boxes, truth.labels, no_crowd, 0), names)


def snapshot_from_record(record: dict[str, Any]) -> Snapshot:
    """Converts a line of the snapshots' file; an invalid one has no detections."""
    try:
        return Snapshot(record["step"], detections_from_dict(record), _read_assigned(record))
    except ValueError:
        return Snapshot(record["step"], detections_from_dict({"boxes": [], "scores": [], "labels": []}))


def _read_assigned(record: dict[str, Any]) -> Tensor | None:
    """Returns the assigned anchors of a record, at most `MAX_BOXES`; raises `ValueError` if they are none."""
    if "assigned" not in record:
        return None
    try:
        return torch.tensor(record["assigned"][:MAX_BOXES]).float().reshape(-1, 4)
    except UNREADABLE as error:
        raise ValueError(f"The record does not describe anchors: {error}.") from None


def _write_image(folder: RunFolder, sample: Sample, class_names: Sequence[str], scale: float) -> None:
    truth = Detections(sample.boxes * scale, torch.ones(len(sample.boxes)), sample.labels)
    write_text(folder.snapshot_truth, json.dumps({**detections_to_dict(truth), "class_names": list(class_names)}))
    with write_atomically(folder.snapshot_image) as temporary:
        to_pil(_resize(sample.image, scale)).save(temporary, "png")


def _resize(image: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1:]]
    return interpolate(image[None].float(), size, mode="bilinear", antialias=True)[0].round().to(torch.uint8)
