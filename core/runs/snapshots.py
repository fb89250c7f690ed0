"""A film of a run: what it finds in one fixed picture at each evaluation."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from core.config import Config
from core.data.dataset import DataSet
from core.data.images import open_image, to_pil
from core.errors import PictureError
from core.io.atomic import write_atomically, write_text
from core.io.jsonl import JsonLines
from core.retinanet.model import RetinaNet
from core.retinanet.predict import detect
from core.runs.folder import RunFolder, append_line
from core.structures import Detections, Sample

MAX_SIDE = 1024  # px of the picture that is kept
DIGITS = 4  # of a score
MAX_BOXES = 1000  # of a frame that are read


class Scene(NamedTuple):
    """The picture of a film, as it is kept: a picture of at most `MAX_SIDE`, its objects, and what labels mean."""

    sample: Sample
    class_names: tuple[str, ...]


class Frame(NamedTuple):
    """What a run found after a number of steps, in pixels of the kept picture."""

    step: int
    found: Detections


class Film:
    """The film of a run, while it is made.

    Args:
        folder: Of the run.
        data: Its first picture is the one.
        config: Settings of the run.
    """

    def __init__(self, folder: RunFolder, data: DataSet, config: Config) -> None:
        self._folder, self._config = folder, config
        sample = data[0]
        self._image = sample.image
        self._scale = min(1.0, MAX_SIDE / max(sample.image.shape[1:]))
        if not folder.picture.exists():
            _keep_picture(folder, sample, data.class_names, self._scale)

    def frame(self, model: RetinaNet) -> Detections:
        """Returns what a network finds in the picture; it is left in evaluation mode."""
        found = detect(model, [self._image], self._config)[0]
        return found._replace(boxes=found.boxes * self._scale)

    def add(self, model: RetinaNet, step: int) -> None:
        """Adds what a network finds after a step."""
        append_line(self._folder.film, {"step": step, **to_plain(self.frame(model))})


def to_plain(found: Detections) -> dict[str, Any]:
    """Returns detections as JSON holds them."""
    return {
        "boxes": [[round(edge, 1) for edge in box] for box in found.boxes.tolist()],
        "scores": [round(score, DIGITS) for score in found.scores.tolist()],
        "labels": found.labels.tolist(),
    }


def from_plain(record: dict[str, Any]) -> Detections:
    """Reads what `to_plain` returned.

    Raises:
        ValueError: It is something else.
    """
    try:
        parts = (torch.tensor(record[name][:MAX_BOXES]) for name in ("boxes", "scores", "labels"))
        boxes, scores, labels = parts
        found = Detections(boxes.float().reshape(-1, 4), scores.float(), labels.long())
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"These are no detections: {error}.") from None
    if not len(found.boxes) == len(found.scores) == len(found.labels):
        raise ValueError("These are no detections: their numbers differ.")
    return found


def read_scene(folder: RunFolder) -> Scene | None:
    """Returns the picture of a run's film, None if there is none or it cannot be read."""
    try:
        about = json.loads(folder.scene.read_text("utf-8"))
        truth = from_plain(about)
        image = open_image(folder.picture)
        names = tuple(map(str, about["class_names"]))
    except (PictureError, OSError, ValueError, KeyError, TypeError):
        return None
    if len(truth.labels) and not 0 <= int(truth.labels.min()) <= int(truth.labels.max()) < len(names):
        return None
    return Scene(Sample(image, truth.boxes, truth.labels, torch.zeros(len(truth.labels), dtype=torch.bool), 0), names)


def frame_of(record: dict[str, Any]) -> Frame:
    """Returns a frame from its record in the film's file; one that cannot be read has no detections."""
    try:
        return Frame(record["step"], from_plain(record))
    except ValueError:
        return Frame(record["step"], from_plain({"boxes": [], "scores": [], "labels": []}))


def read_film(folder: RunFolder) -> list[Frame]:
    """Returns the frames of a run so far."""
    return [frame_of(record) for record in JsonLines(folder.film).read()]


def _keep_picture(folder: RunFolder, sample: Sample, class_names: Sequence[str], scale: float) -> None:
    truth = Detections(sample.boxes * scale, torch.ones(len(sample.boxes)), sample.labels)
    write_text(folder.scene, json.dumps({**to_plain(truth), "class_names": list(class_names)}))
    with write_atomically(folder.picture) as beside:
        to_pil(_scaled(sample.image, scale)).save(beside, "png")


def _scaled(image: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1:]]
    return interpolate(image[None].float(), size, mode="bilinear", antialias=True)[0].round().to(torch.uint8)
