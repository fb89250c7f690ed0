"""The robustness of the detections in the picture on show, cached for all visitors."""

from collections.abc import Hashable
from typing import NamedTuple

from core.errors import PictureError
from core.robustness.changes import CHANGES
from core.robustness.shifts import Shifted, list_shifts, measure_shifts
from core.robustness.survival import Survival, measure_survival
from playground.canvas.edit import Pick
from playground.inspector.detection import LAYER_FATES, find_candidate, find_place_of
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

PASSES = 8  # of the network for a usual answer
MAX_GFLOPS = 600  # of all passes; about 4 s on two cores
_survivals, _shifts = Cache(), Cache()


class Moved(NamedTuple):
    """A detection in a picture that moves below the anchors.

    Attributes:
        place: Its place among the detections.
        level: Its level, 0 for P3.
        shifted: Its score by shift.
    """

    place: int
    level: int
    shifted: tuple[Shifted, ...]


def survive(pipeline: Pipeline, name: str) -> tuple[Survival, ...]:
    """Returns what is left of the detections at each strength of a change.

    Raises:
        PictureError: The network is too slow for this picture.
        PostponedError: It has not been computed yet, and slow results are to be postponed.
    """
    key = _key(pipeline), pipeline.config.training.seed, name
    if key not in _survivals:
        _require_quick(pipeline, (1 + len(pipeline.tiles)) * pipeline.gflops * len(CHANGES[name].strengths))

    def compute() -> tuple[Survival, ...]:
        image, model = pipeline.picture.sample.image, pipeline.network.model
        with all_threads():
            return measure_survival(model, image, pipeline.detections, pipeline.config, name)

    return _survivals.get(key, compute)


def move_below(pipeline: Pipeline, pick: Pick | None) -> Moved | None:
    """Returns the score of the clicked detection, or else the best one, by shift; None without any; as `survive`."""
    order = pipeline.fates.order
    if not len(order):
        return None
    place = find_place(pipeline, pick) or 0
    candidate = int(order[place])
    box, label = pipeline.fates.box[candidate], int(pipeline.candidates.label[candidate])
    level = int(pipeline.candidates.level[candidate])
    shifts = list_shifts(pipeline.batch, box, level)
    key = _key(pipeline), candidate
    if key not in _shifts:
        _require_quick(pipeline, pipeline.costs.gflops * len(shifts))

    def compute() -> tuple[Shifted, ...]:
        model, precision = pipeline.network.model, pipeline.config.inference.precision
        with all_threads():
            return tuple(measure_shifts(model, pipeline.batch, pipeline.grid, (box, label), shifts, precision))

    return Moved(place, level, _shifts.get(key, compute))


def find_place(pipeline: Pipeline, pick: Pick | None) -> int | None:
    """Returns the place of the clicked detection among all, best first; None if no detection was clicked."""
    if pick is None or pick.layer not in LAYER_FATES:
        return None
    candidate = find_candidate(pipeline, pick.layer, pick.index)
    return None if candidate is None else find_place_of(pipeline, candidate)


def _key(pipeline: Pipeline) -> Hashable:
    return pipeline.tile_outputs_key, pipeline.config.inference, pipeline.config.anchors


def _require_quick(pipeline: Pipeline, gflops: float) -> None:
    if gflops > MAX_GFLOPS:
        raise PictureError(
            f"To change the picture and detect again takes {gflops:,.0f} GFLOP here, and this page spends at most "
            f"{MAX_GFLOPS} on it: lower “Shorter side”, or see the picture in fewer tiles and views."
        )
    if pipeline.must_postpone():
        raise PostponedError("The network sees the changed pictures once you release the knob.")
