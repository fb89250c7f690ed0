"""Evaluations in the background, one after another, kept for all visitors: what was asked for names the result.

Where a place is given for them they are kept on the disk, too, and are found again by another process.
"""

import threading
import traceback
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from core.config import POSTPROCESSING, Config, Effect, knobs
from core.errors import UserError
from core.evaluation.dataset_predictions import findings
from core.evaluation.report import USUAL_IOU
from core.weights.sources import WeightsError
from playground.data.image_ref import SCENES, ImageRef
from playground.data.sources import SCENES_SPLIT, open_source, source_key
from playground.evaluations.results import Evaluated, numbered_for
from playground.evaluations.store import Store, StoredEvaluation
from playground.pipeline.networks import network_of
from playground.support.threads import all_threads

KEPT = 16  # evaluations in memory, of up to some 10 MB each
WAITING_AT_MOST = 4
SCORE = "inference.score_threshold"
WAITING, RUNNING, STOPPED, FAILED, FINISHED = "waiting", "running", "stopped", "failed", "finished"


class JobStatus(NamedTuple):
    """Where an evaluation stands.

    Attributes:
        state: waiting, running, stopped, failed or finished.
        done: Pictures looked at.
        total: Pictures in all, 0 while that is not known.
        message: Why it failed, or could not be kept.
        result: What came of the pictures so far, once it has ended with any.
    """

    state: str
    done: int = 0
    total: int = 0
    message: str = ""
    result: Evaluated | None = None

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self.state in (WAITING, RUNNING)


class _Job:
    """An evaluation that was asked for; the standing is replaced as a whole, so that readers need no lock."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.standing = JobStatus(WAITING)
        self.stop = threading.Event()


class Evaluations:
    """The evaluations of this page.

    Args:
        store: Where they are kept beyond this process, None for nowhere.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._fetching = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="evaluation")
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, store: Store) -> None:
        """Keeps results in a store from now on, and offers those that are there already."""
        self._store = store

    def start(self, config: Config, place: ImageRef | None) -> None:
        """Begins to evaluate the network of the settings on the data set of a place, see `evaluated_place`.

        Raises:
            UserError: Too many wait already, or the data set is not to be had.
            WeightsError: The weights are not to be had, are no detector, or know other classes.
        """
        key = key_of(config, place)
        class_names = network_of(config).class_names
        numbered_for(class_names, open_source(evaluated_place(place), config.scenes).class_names, config.model.weights)
        job = _Job(evaluated_place(place).source)
        with self._lock:
            before = self._jobs.get(key)
            if before and before.standing.active:
                return
            if sum(each.standing.active for each in self._jobs.values()) > WAITING_AT_MOST:
                raise UserError("Other evaluations are waiting already: wait until one of them has ended.")
            self._remember(key, job)
        self._pool.submit(self._run, key, job, config, evaluated_place(place))

    def _remember(self, key: Hashable, job: _Job) -> None:
        self._jobs[key] = job
        self._jobs.move_to_end(key)
        ended = [each for each, kept in self._jobs.items() if not kept.standing.active]
        for each in ended[: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[each]

    def stop(self, key: Hashable) -> None:
        """Asks an evaluation to end after the pictures it is at; what it has seen is kept."""
        job = self._jobs.get(key)
        if job:
            job.stop.set()

    def read(self, key: Hashable) -> JobStatus | None:
        """Returns where an evaluation stands, None if there is none."""
        job = self._known(key) or self._fetched(key)
        return job and job.standing

    def _known(self, key: Hashable) -> _Job | None:
        with self._lock:
            if key in self._jobs:
                self._jobs.move_to_end(key)
            return self._jobs.get(key)

    def _fetched(self, key: Hashable) -> _Job | None:
        """Returns what is kept on the disk; whoever asks for the same meanwhile waits for it."""
        if self._store is None or not self._store.has(key):
            return None
        with self._fetching:
            known = self._known(key)
            record = None if known else self._store.get(key)
            if record is None:
                return known
            job = _Job("")
            result = Evaluated.explained(record.findings, record.names, record.class_names, USUAL_IOU)
            job.standing = JobStatus(record.state, len(record.findings), record.total, "", result)
            with self._lock:
                self._remember(key, job)
            return job

    def is_using(self, source: str) -> bool:
        """True if an evaluation that is waiting or running uses the data set."""
        with self._lock:
            return any(job.source == source and job.standing.active for job in self._jobs.values())

    def has_active(self) -> bool:
        """True if an evaluation is waiting or running."""
        with self._lock:
            return any(job.standing.active for job in self._jobs.values())

    def _run(self, key: Hashable, job: _Job, config: Config, place: ImageRef) -> None:
        """Evaluates, and keeps the result; whatever goes wrong is told by the standing."""
        try:
            if job.stop.is_set():
                job.standing = JobStatus(STOPPED)
                return
            ended = _evaluate(job, config, place)
            job.standing = ended._replace(message=self._keep(key, ended))
        except (UserError, OSError) as error:
            self._fail(job, str(error))
        except Exception as error:
            traceback.print_exc()
            self._fail(job, f"The evaluation broke ({type(error).__name__}: {error}); the server's log says where.")

    @staticmethod
    def _fail(job: _Job, message: str) -> None:
        job.standing = JobStatus(FAILED, job.standing.done, job.standing.total, message)

    def _keep(self, key: Hashable, ended: JobStatus) -> str:
        """Keeps what came of an evaluation; returns why it could not be kept, "" if it was."""
        if self._store is None or ended.result is None or not ended.done:
            return ""
        result = ended.result
        try:
            record = StoredEvaluation(ended.state, ended.total, result.findings, result.names, result.class_names)
            self._store.put(key, record)
        except (OSError, WeightsError) as error:
            return f"It is not kept when the server is started again: {error}"
        return ""


def evaluated_place(place: ImageRef | None) -> ImageRef:
    """Returns where the evaluated pictures begin: the split of the picture on show, or held-out scenes."""
    return place._replace(index=0) if place else ImageRef(SCENES, SCENES_SPLIT)


def key_of(config: Config, place: ImageRef | None) -> Hashable:
    """Returns under which an evaluation is kept: all that its result depends on.

    Raises:
        WeightsError: The weights cannot be had or contradict the settings.
        DataError: The data set is not kept.
    """
    config, there = _from_low_scores(config), evaluated_place(place)
    settings = config.cache_key(Effect.FORWARD, Effect.ANCHORS, *POSTPROCESSING)
    return network_of(config).key, source_key(there, config.scenes), settings, config.training.eval_images


def _from_low_scores(config: Config) -> Config:
    """Average precision needs detections of low scores, whatever the threshold is on the page."""
    threshold = min(config.inference.score_threshold, knobs()[SCORE].default)
    # Past validation, which every answer of the page would pay for: a lower threshold contradicts nothing.
    inference = config.inference.model_copy(update={"score_threshold": threshold})
    return config.model_copy(update={"inference": inference})


@all_threads()
def _evaluate(job: _Job, config: Config, place: ImageRef) -> JobStatus:
    """Returns where an evaluation stands at its end, and tells of its way by the job."""
    network, data = network_of(config), open_source(place, config.scenes)
    labels = numbered_for(network.class_names, data.class_names, config.model.weights)
    total, done = min(config.training.eval_images, len(data)), []
    job.standing = JobStatus(RUNNING, 0, total)
    for batch in findings(network.model, data, _from_low_scores(config)):
        done += batch
        job.standing = JobStatus(RUNNING, len(done), total)
        if job.stop.is_set():
            break
    names = [data.image_name(index) for index in range(len(done))]
    result = Evaluated.of(done, names, labels, network.class_names, USUAL_IOU)
    return JobStatus(FINISHED if len(done) == total else STOPPED, len(done), total, "", result)


EVALUATIONS = Evaluations()
