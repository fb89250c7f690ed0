"""What one step of training changes: the weights, part by part, and what is found in a picture."""

import json
from typing import Any, NamedTuple

from torch import Tensor

from core.io.atomic import write_text
from core.retinanet.model import RetinaNet
from core.runs.folder import RunFolder
from core.runs.snapshots import Film, from_plain, to_plain
from core.structures import Detections
from core.training.trainer import Trainer
from core.weights.architecture import BODY, BOX_HEAD, CLASS_HEAD, FPN

PARTS = {"body": BODY, "pyramid": FPN, "class head": CLASS_HEAD, "box head": BOX_HEAD}


class SingleStep(NamedTuple):
    """What a step changed.

    Attributes:
        step: Its number.
        changes: Relative change of the weights of each part, ‖after − before‖ / ‖before‖; 0 where nothing trains.
        before: What the weights before found in the picture of the film.
        after: What those after find.
    """

    step: int
    changes: dict[str, float]
    before: Detections
    after: Detections


class Watch:
    """Looks at the weights before a step, to tell afterwards what it changed.

    Args:
        trainer: About to make the step.
        film: Whose picture is looked at.
    """

    def __init__(self, trainer: Trainer, film: Film) -> None:
        self._trainer, self._film = trainer, film
        self._weights = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
        self._found = film.frame(trainer.result)

    def tell(self, folder: RunFolder) -> None:
        """Writes what the step changed into the run's folder."""
        changes = relative_changes(self._weights, self._trainer.model)
        found = to_plain(self._found), to_plain(self._film.frame(self._trainer.result))
        told = {"step": self._trainer.step, "changes": changes, "before": found[0], "after": found[1]}
        write_text(folder.last_step, json.dumps(told))


def relative_changes(before: dict[str, Tensor], model: RetinaNet) -> dict[str, float]:
    """Returns how far the weights of each part have moved, as a share of their length."""
    moved, length = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)
    for name, value in model.named_parameters():
        part = next(part for part, start in PARTS.items() if name.startswith(start))
        moved[part] += (value.detach() - before[name]).square().sum().item()
        length[part] += before[name].square().sum().item()
    return {part: (moved[part] / length[part]) ** 0.5 if length[part] else 0.0 for part in PARTS}


def read_single_step(folder: RunFolder) -> SingleStep | None:
    """Returns what the last single step changed, None if there was none."""
    try:
        found: dict[str, Any] = json.loads(folder.last_step.read_text("utf-8"))
        changes = {part: float(found["changes"][part]) for part in PARTS}
        return SingleStep(int(found["step"]), changes, from_plain(found["before"]), from_plain(found["after"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
