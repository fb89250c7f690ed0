"""What an evaluation does in the background: a network on a split, or on scenes along one of their dials."""

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

from core.config import Config
from core.data.sources import require_scene_count
from core.evaluation.class_names import match_detector
from core.evaluation.dataset_predictions import ImageResult, count_images, predict_dataset
from core.evaluation.report import USUAL_IOU
from core.evaluation.slices.along_dial import (
    Curve,
    Point,
    list_rare_classes,
    measure_point,
    open_scenes,
    set_dial,
)
from core.scenes.render import CLASS_NAMES
from playground.data.datasets import hide_data_set
from playground.data.image_ref import SCENES, ImageRef, is_from_data_set
from playground.data.sources import SCENES_SPLIT, open_source
from playground.evaluations.bounds import BoundedData, require_affordable_curve, require_affordable_evaluation
from playground.evaluations.keys import curve_key, evaluated_split, evaluation_key, with_low_threshold
from playground.evaluations.results import EvaluationResult
from playground.evaluations.status import FINISHED, RUNNING, STOPPED, WAITING, JobStatus
from playground.evaluations.store import Origin
from playground.pipeline.networks import name_weights, network_of
from playground.support.threads import all_threads


class Job:
    """An evaluation in the queue. Its status is replaced as a whole, so that readers need no lock.

    Args:
        origin: What it is made from.
        visitor: Who has started it.
    """

    def __init__(self, origin: Origin, visitor: str = "") -> None:
        self.origin, self.visitor = origin, visitor
        self.dropped = False  # True once its result is not wanted any more
        self.status = JobStatus(WAITING)
        self.stop = threading.Event()


class Work(NamedTuple):
    """What a job has to do.

    Attributes:
        origin: What it is made from.
        data_set: The data set that must stay as it is until the job has ended, "" for none.
        find_key: Returns its key; raises `UserError` once pictures or weights are gone.
        compute: Does it until the end, or until the job is stopped, and returns the final status.
    """

    origin: Origin
    data_set: str
    find_key: Callable[[], Hashable]
    compute: Callable[[Job], JobStatus]


def prepare_evaluation(config: Config, image_ref: ImageRef | None, visitor: str) -> Work:
    """Returns the evaluation of the network of the settings on the split of the picture, see `evaluated_split`.

    Args:
        config: The settings.
        image_ref: The picture on the page.
        visitor: Who wants it.

    Raises:
        UserError: It would take too much of the server, or the data set is not available.
        DataError: The weights lack a class of the data set.
        WeightsError: The weights are not available, or are not those of a detector.
    """
    split = evaluated_split(image_ref)

    def find_key() -> Hashable:
        return evaluation_key(config, split, visitor)

    return prepare_split(config, split, visitor, find_key, lambda job: _evaluate(job, config, split))


def prepare_split(
    config: Config,
    split: ImageRef,
    visitor: str,
    find_key: Callable[[], Hashable],
    compute: Callable[[Job], JobStatus],
) -> Work:
    """Returns work on the pictures of a split, after checking that it can be done; raises as `prepare_evaluation`.

    Args:
        config: The settings.
        split: A picture of the split.
        visitor: Who wants it.
        find_key: See `Work`.
        compute: See `Work`.
    """
    data, network = open_source(split, config.scenes, visitor), network_of(config)
    if split.source == SCENES:  # there is no end of them, so 0 cannot mean all
        require_scene_count(config.training.eval_images)
    match_detector(name_weights(config.model.weights), network.class_names, data.class_names)
    require_affordable_evaluation(data, config, len(network.class_names))
    held = split.source if is_from_data_set(split) else ""  # so that no process splits or deletes it
    return Work(Origin(split.source, config.model.weights, visitor), held, find_key, compute)


def prepare_curve(config: Config, dial: str, values: Sequence[float], visitor: str) -> Work:
    """Returns the evaluations of the network of the settings on held-out scenes, with a dial of theirs at some values.

    Args:
        config: The settings.
        dial: One of `core.evaluation.slices.along_dial.SCENE_DIALS`.
        values: The values, rising.
        visitor: Who wants it.

    Raises:
        UserError: The dial cannot have a value, they would take too much of the server together, or the weights lack a
            class of the scenes.
        WeightsError: The weights are not available, or are not those of a detector.
    """
    require_scene_count(config.training.eval_images)
    settings, network = [set_dial(config, dial, value) for value in values], network_of(config)
    match_detector(name_weights(config.model.weights), network.class_names, CLASS_NAMES)
    require_affordable_curve(settings, len(network.class_names))
    return Work(
        Origin(SCENES, config.model.weights, visitor),
        "",
        lambda: curve_key(config, dial, values),
        lambda job: _measure_curve(job, config, dial, values),
    )


@all_threads()
def _evaluate(job: Job, config: Config, split: ImageRef) -> JobStatus:
    """Evaluates until the end or until the job is stopped, and returns the final status."""
    network = network_of(config)
    classes = len(network.class_names)
    data = BoundedData(open_source(split, config.scenes, job.visitor), config, classes)
    total = count_images(data, config)
    done: list[ImageResult] = []
    job.status = JobStatus(RUNNING, 0, total)
    for batch in predict_dataset(network.model, network.class_names, data, with_low_threshold(config)):
        done += [each._replace(problem=hide_data_set(each.problem, split.source)) for each in batch]
        job.status = JobStatus(RUNNING, len(done), total)
        if job.stop.is_set():
            break
    names = [data.image_name(index) for index in range(len(done))]
    result = EvaluationResult.from_images(done, names, data.class_names, USUAL_IOU)
    return JobStatus(FINISHED if len(done) == total else STOPPED, len(done), total, "", result)


@all_threads()
def _measure_curve(job: Job, config: Config, dial: str, values: Sequence[float]) -> JobStatus:
    """Measures value after value; of a job that is stopped the values before the one at work count."""
    network, rare = network_of(config), list_rare_classes(config, dial, values)
    of_each = config.training.eval_images
    total = of_each * len(values)
    points: list[Point] = []
    for value in values:
        scenes, done = open_scenes(set_dial(config, dial, value), SCENES_SPLIT), list[ImageResult]()
        for batch in predict_dataset(network.model, network.class_names, scenes, with_low_threshold(config)):
            done += batch
            if job.stop.is_set():
                return _end_curve(STOPPED, total, Curve(dial, rare, tuple(points)))
            finished = of_each * len(points) + len(done)
            job.status = JobStatus(RUNNING, finished, total, curve=Curve(dial, rare, tuple(points)))
        points.append(measure_point(value, done, scenes.class_names, rare))
    return _end_curve(FINISHED, total, Curve(dial, rare, tuple(points)))


def _end_curve(state: str, total: int, curve: Curve) -> JobStatus:
    return JobStatus(state, curve.pictures, total, curve=curve if curve.points else None)
