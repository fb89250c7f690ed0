"""What a search for the cheapest rescues does in the background, over the first pictures of a split."""

from collections.abc import Hashable

from core.config import Config
from core.evaluation.damage import DamagedPictures
from core.evaluation.dataset_predictions import count_images
from core.rescue.over_set import SetSearch, search_set
from core.retinanet.preprocess import count_pixels
from playground.data.image_ref import ImageRef
from playground.data.sources import open_source
from playground.evaluations.bounds import BoundedData, limit_passes
from playground.evaluations.keys import evaluated_split, limit_pictures, search_key
from playground.evaluations.status import FINISHED, RUNNING, STOPPED, JobStatus
from playground.evaluations.work import Job, Work, prepare_split
from playground.pipeline.effort import estimate_gflops
from playground.pipeline.networks import network_of
from playground.support.threads import all_threads


def prepare_search(config: Config, image_ref: ImageRef | None, visitor: str) -> Work:
    """Returns the search over the first pictures of the split of the picture; arguments and errors of an evaluation."""
    split, config = evaluated_split(image_ref), limit_pictures(config)

    def find_key() -> Hashable:
        return search_key(config, split, visitor)

    return prepare_split(config, split, visitor, find_key, lambda job: _search(job, config, split))


@all_threads()
def _search(job: Job, config: Config, split: ImageRef) -> JobStatus:
    """Searches at the page's score threshold, until the end or until the job is stopped.

    Returns:
        The final status, with the rescues over the pictures done.
    """
    network = network_of(config)
    classes = len(network.class_names)
    data = BoundedData(open_source(split, config.scenes, job.visitor), config, classes)
    total, done = count_images(data, config), 0
    job.status = JobStatus(RUNNING, 0, total)

    def count_passes(height: int, width: int) -> float:
        return limit_passes(estimate_gflops(config, count_pixels(height, width, config.inference), classes))

    search, damaged = SetSearch(), DamagedPictures(total)
    for done in search_set(search, network.model, network.class_names, data, config, damaged, count_passes):
        job.status = JobStatus(RUNNING, done, total)
        if job.stop.is_set():
            break
    return JobStatus(FINISHED if done == total else STOPPED, done, total, rescues=search.collect())
