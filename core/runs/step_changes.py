"""The changes that a single training step makes: to the weights of each part, and to the detections in one image."""

import json
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from core.io.atomic import write_text
from core.io.records import read_object
from core.retinanet.model import RetinaNet
from core.runs.folder import RunFolder
from core.runs.snapshots import SnapshotRecorder, detections_from_dict, detections_to_dict
from core.structures import Detections
from core.weights.architecture import BODY, BOX_HEAD, CLASS_HEAD, FPN

if TYPE_CHECKING:  # what shows a run does not import what trains
    from core.training.trainer import Trainer

PARTS = {"backbone": BODY, "pyramid": FPN, "class head": CLASS_HEAD, "box head": BOX_HEAD}  # prefixes of the parameters
FILE_KEYS = {"backbone": "body"}  # keys of the file that differ from the names of the parts


class StepChanges(NamedTuple):
    """The changes made by one step.

    Attributes:
        step: Number of the step.
        changes: Relative change of the weights of each part, ‖after − before‖ / ‖before‖; 0 for a frozen part.
        before: Detections in the snapshots' image before the step.
        after: Detections after the step.
    """

    step: int
    changes: dict[str, float]
    before: Detections
    after: Detections


class StepChangeRecorder:
    """Copies the weights before a step and writes what the step has changed.

    Args:
        trainer: Trainer that is about to make the step.
        snapshots: Provides the image for the detections.
    """

    def __init__(self, trainer: "Trainer", snapshots: SnapshotRecorder) -> None:
        self._trainer, self._snapshots = trainer, snapshots
        self._weights = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
        self._found = snapshots.detect(trainer.result)

    def write(self, folder: RunFolder) -> None:
        """Writes the changes to the run's folder, after the step."""
        changes = compute_changes(self._weights, self._trainer.model)
        record = {
            "step": self._trainer.step,
            "changes": {FILE_KEYS.get(part, part): change for part, change in changes.items()},
            "before": detections_to_dict(self._found),
            "after": detections_to_dict(self._snapshots.detect(self._trainer.result)),
        }
        write_text(folder.step_changes, json.dumps(record))


def compute_changes(before: dict[str, Tensor], model: RetinaNet) -> dict[str, float]:
    """Returns the relative change of the weights of each part, ‖after − before‖ / ‖before‖."""
    changed, norm = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)  # squared
    for name, value in model.named_parameters():
        part = next(part for part, prefix in PARTS.items() if name.startswith(prefix))
        changed[part] += (value.detach() - before[name]).square().sum().item()
        norm[part] += before[name].square().sum().item()
    return {part: (changed[part] / norm[part]) ** 0.5 if norm[part] else 0.0 for part in PARTS}


def read_step_changes(folder: RunFolder) -> StepChanges | None:
    """Reads the changes of the last single step; returns None if there are none or they are unreadable."""
    try:
        record = read_object(folder.step_changes) or {}
        changes = {part: float(record["changes"][FILE_KEYS.get(part, part)]) for part in PARTS}
        before, after = (detections_from_dict(record[key]) for key in ("before", "after"))
        return StepChanges(int(record["step"]), changes, before, after)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
