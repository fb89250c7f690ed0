"""The cheapest rescues of the faults in the picture on show, cached for all visitors."""

from collections.abc import Callable
from typing import NamedTuple

import torch

from core.errors import UserError
from core.evaluation.error_types import CLASS, LOCATION, MISSED
from core.rescue.faults import Fault
from core.rescue.search import Rescues, Verdict, find_rescues
from core.rescue.totals import SetRescues
from core.rescue.trials import Scene, Trials
from core.structures import GroundTruth
from playground.evaluations.bounds import limit_passes
from playground.evaluations.jobs import EVALUATIONS
from playground.evaluations.keys import search_key
from playground.evaluations.status import JobStatus
from playground.pipeline.pipeline import Pipeline
from playground.support.cache import Cache, PostponedError
from playground.support.threads import all_threads

_rescues = Cache()


class Found(NamedTuple):
    """The rescues in the picture on show.

    Attributes:
        rescues: What the core found; its objects are those of the picture with crowd regions.
        places: Index of each of the detections that it counts among all detections, best first.
        objects: Index of each of the picture's objects without crowd regions among those with them.
    """

    rescues: Rescues
    places: tuple[int, ...]
    objects: tuple[int, ...]

    def of_detection(self, place: int) -> Verdict | None:
        """Returns the verdict on a detection, given by its place among all; None if it is no fault."""
        return self._find(lambda fault: fault.detection >= 0 and self.places[fault.detection] == place)

    def of_object(self, number: int) -> Verdict | None:
        """Returns the verdict on an object that is not found: it is missed, or its box has a wrong class or is poor.

        A box of another class beside it is no such fault: hiding that would not find the object.
        """
        index = self.objects[number]
        if index in self.rescues.standing.found:
            return None
        return self._find(lambda fault: fault.object == index and fault.kind in (MISSED, CLASS, LOCATION))

    def _find(self, is_meant: Callable[[Fault], bool]) -> Verdict | None:
        return next((each for each in self.rescues.verdicts if is_meant(each.fault)), None)


def find(pipeline: Pipeline) -> Found:
    """Returns the rescues in the picture on show.

    Raises:
        UserError: The weights do not know a class of the picture, or there are no objects.
        PostponedError: They have not been computed yet, and slow results are to be postponed.
    """
    if not len(pipeline.picture.sample.boxes):
        raise UserError("This picture has no objects, so nothing can be missed or wrong: draw one with objects.")
    pipeline.labels  # noqa: B018 (raises WeightsError if the weights do not know a class of the picture)
    pipeline.fates  # noqa: B018 (raises PictureError if NMS would compare too many boxes)
    config, own = pipeline.config, pipeline.picture.class_names
    key = pipeline.tile_outputs_key, pipeline.picture.objects_key, own, config.inference, config.anchors
    if key not in _rescues and pipeline.must_postpone():
        raise PostponedError("The cheapest ways follow once you release the knob.")
    return _rescues.get(key, lambda: _compute(pipeline))


def read_search(pipeline: Pipeline) -> JobStatus | None:
    """Returns the status of the search over the pictures of an evaluation under the settings, None if there is none.

    Raises:
        PostponedError: The network is not there yet, and slow results are to be postponed.
        UserError: The weights or the pictures are not available.
    """
    pipeline.network  # noqa: B018 (raises PostponedError)
    return EVALUATIONS.read_status(search_key(pipeline.config, pipeline.image_ref, pipeline.visitor))


def find_over_set(pipeline: Pipeline) -> SetRescues | None:
    """Returns the rescues over the pictures of an evaluation, None if no search of any has ended; see `read_search`."""
    status = read_search(pipeline)
    return status.rescues if status and status.rescues and status.rescues.pictures else None


def _compute(pipeline: Pipeline) -> Found:
    sample, own = pipeline.picture.sample, pipeline.picture.class_names
    to_label = pipeline.own_labels
    scene = Scene(
        sample.image,
        GroundTruth.of(sample),
        len(own),
        to_label,
        pipeline.prediction,
        pipeline.network.model,
        pipeline.candidates,
    )
    passes = limit_passes(pipeline.costs.gflops)
    with all_threads():
        rescues = find_rescues(Trials(scene, pipeline.config, passes=passes))
    known = to_label[pipeline.candidates.label[pipeline.fates.order]] >= 0
    objects = torch.nonzero(~sample.crowd).squeeze(1)
    return Found(rescues, tuple(torch.nonzero(known).squeeze(1).tolist()), tuple(objects.tolist()))
