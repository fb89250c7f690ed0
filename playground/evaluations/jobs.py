"""Evaluations, and searches for rescues, in the background, one after another; results are shared by all visitors.

A result is kept under a key of everything it depends on. With a store, those of evaluations are also written to the
disk, where another process finds them again.
"""

import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from core.config import Config
from core.errors import UserError
from core.evaluation.report import USUAL_IOU
from playground.data.datasets import DATA
from playground.data.image_ref import ImageRef
from playground.evaluations.records import StoredCurve, StoredEvaluation
from playground.evaluations.results import EvaluationResult
from playground.evaluations.search import prepare_search
from playground.evaluations.status import FAILED, STOPPED, JobStatus
from playground.evaluations.store import Origin, Store
from playground.evaluations.work import Job, Work, prepare_curve, prepare_evaluation
from playground.sharing.shares import find_share
from playground.support.shared_folder import explain_disk
from playground.support.visitors import VISITORS
from playground.support.wording import hide_server

MAX_IN_MEMORY = 16  # results, each up to about 10 MB
MAX_WAITING = 4  # evaluations
LOADED = Origin("", "")  # of a job whose result was read from the store


class Evaluations:
    """The evaluations of the page.

    Args:
        store: Where results are stored on the disk, None to keep them in memory only.
    """

    def __init__(self, store: Store | None = None) -> None:
        self._store = store
        self._loading = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="evaluation")
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()  # least recently used first
        self._lock = threading.Lock()

    def open(self, store: Store) -> None:
        """Sets the store, which is swept: results that it holds are found, and new ones are added to it."""
        store.sweep()
        self._store = store

    def start(self, config: Config, image_ref: ImageRef | None, visitor: str = "") -> None:
        """Starts to evaluate the network of the settings on the split of the picture, see `evaluated_split`.

        Args:
            config: The settings.
            image_ref: The picture on the page.
            visitor: Who starts it.

        Raises:
            UserError: Too many evaluations are waiting, of the visitor or of all, it would take too much of the server,
                or the data set is not available.
            DataError: The weights lack a class of the data set.
            WeightsError: The weights are not available, or are not those of a detector.
        """
        self._start(prepare_evaluation(config, image_ref, visitor))

    def start_curve(self, config: Config, dial: str, values: Sequence[float], visitor: str = "") -> None:
        """Starts to evaluate the network of the settings along a dial of the scenes.

        Args:
            config: The settings.
            dial: One of `core.evaluation.slices.along_dial.SCENE_DIALS`.
            values: Its values, rising.
            visitor: Who starts it.

        Raises:
            UserError: As `start`, or the dial cannot have a value.
        """
        self._start(prepare_curve(config, dial, values, visitor))

    def start_search(self, config: Config, image_ref: ImageRef | None, visitor: str = "") -> None:
        """Starts to search the cheapest rescues over the first pictures of a split; arguments and errors of `start`."""
        self._start(prepare_search(config, image_ref, visitor))

    def _start(self, work: Work) -> None:
        key, visitor = work.find_key(), work.origin.owner
        job = Job(work.origin, visitor)
        with ExitStack() as held, self._lock:
            previous = self._jobs.get(key)
            if previous and previous.status.active:
                return
            self._require_place(visitor)
            if work.data_set:
                held.enter_context(DATA.library.hold(work.data_set))
            self._add(key, job)
            self._pool.submit(self._run, key, job, work, held.pop_all())

    def _require_place(self, visitor: str) -> None:
        active = [job.visitor for job in self._jobs.values() if job.status.active]
        share = find_share()
        if share and active.count(visitor) >= share.evaluations:
            raise UserError(
                f"A visitor can have {share.evaluations} evaluations at a time, and that many of yours wait or run: "
                "wait until one of them has ended, or stop it."
            )
        near = sum(VISITORS.are_near(each, visitor) for each in active)
        if len(active) > MAX_WAITING or (share and near >= share.evaluations_near):
            raise UserError("Other evaluations are waiting already: wait until one of them has ended.")

    def stop(self, key: Hashable, visitor: str = "") -> None:
        """Asks an evaluation to end after the current pictures; the result of the pictures done is kept.

        Args:
            key: Its key.
            visitor: Who asks.

        Raises:
            NotYoursError: Another visitor started it.
        """
        job = self._jobs.get(key)
        if job:
            VISITORS.require(job.visitor, visitor, "The evaluation")
            job.stop.set()

    def read_status(self, key: Hashable) -> JobStatus | None:
        """Returns the status of an evaluation, None if it was never started."""
        job = self._find(key) or self._load(key)
        return job.status if job else None

    def has_active(self) -> bool:
        """True if an evaluation is waiting or running."""
        with self._lock:
            return any(job.status.active for job in self._jobs.values())

    def hide(self, title: str, is_of: Callable[[Origin], bool]) -> None:
        """Stops and drops evaluations for whose origin a function returns True, and moves stored ones into the trash.

        Args:
            title: The name under which `restore` finds them.
            is_of: The function.
        """
        with self._lock:
            for key, job in list(self._jobs.items()):
                if job.origin == LOADED or is_of(job.origin):  # what was loaded can be loaded again
                    job.dropped = True
                    job.stop.set()
                    del self._jobs[key]
        if self._store:
            self._store.hide(title, is_of)

    def restore(self, title: str) -> None:
        """Restores stored evaluations."""
        if self._store:
            self._store.restore(title)

    def clean(self) -> None:
        """Erases stored evaluations that can no longer be restored."""
        if self._store:
            self._store.clean()

    def _add(self, key: Hashable, job: Job) -> None:
        self._jobs[key] = job
        self._jobs.move_to_end(key)
        ended = [each for each, other in self._jobs.items() if not other.status.active]
        for each in ended[: max(0, len(self._jobs) - MAX_IN_MEMORY)]:
            del self._jobs[each]

    def _find(self, key: Hashable) -> Job | None:
        with self._lock:
            if key in self._jobs:
                self._jobs.move_to_end(key)
            return self._jobs.get(key)

    def _load(self, key: Hashable) -> Job | None:
        """Reads a result from the store; another caller that needs the same one waits for it."""
        if self._store is None or not self._store.has(key):
            return None
        with self._loading:
            found = self._find(key)
            record = None if found else self._store.get(key)
            if record is None:
                return found
            job = Job(LOADED)
            job.status = _read_record(record)
            with self._lock:
                self._add(key, job)
            return job

    def _run(self, key: Hashable, job: Job, work: Work, held: ExitStack) -> None:
        """Evaluates, stores the result and lets go of the data set; every error ends up in the status."""
        try:
            with held:
                if job.stop.is_set():
                    job.status = JobStatus(STOPPED)
                    return
                ended = work.compute(job)
                is_kept = not job.dropped and _is_there(work)
                job.status = ended._replace(message=self._save(key, ended, job.origin)) if is_kept else ended
        except (UserError, OSError) as error:
            _fail(job, _explain(error))
        except Exception as error:
            traceback.print_exc()
            _fail(job, f"An internal error occurred ({type(error).__name__}); see the server's log.")

    def _save(self, key: Hashable, ended: JobStatus, origin: Origin) -> str:
        """Stores the result of an evaluation; returns why that was not possible, "" if it was."""
        record = _make_record(ended)
        if self._store is None or record is None or not ended.done:
            return ""
        try:
            self._store.put(key, record, origin)
        except (OSError, UserError) as error:
            return f"It could not be saved and will be lost when the server is restarted. {_explain(error)}"
        return ""


def _make_record(ended: JobStatus) -> StoredEvaluation | StoredCurve | None:
    """Returns what is stored of an evaluation that has ended, None if it has no result."""
    if ended.curve:
        return StoredCurve(ended.state, ended.total, ended.curve)
    result = ended.result
    return result and StoredEvaluation(ended.state, ended.total, result.images, result.names, result.class_names)


def _read_record(record: StoredEvaluation | StoredCurve) -> JobStatus:
    if isinstance(record, StoredCurve):
        return JobStatus(record.state, record.curve.pictures, record.total, curve=record.curve)
    result = EvaluationResult.from_images(record.images, record.names, record.class_names, USUAL_IOU)
    return JobStatus(record.state, len(record.images), record.total, "", result)


def _is_there(work: Work) -> bool:
    """False if the pictures or weights were deleted meanwhile, perhaps by another process."""
    try:
        work.find_key()
    except UserError:
        return False
    return True


def _explain(error: UserError | OSError) -> str:
    """Returns the message of an error, without the path of a file on the server."""
    if isinstance(error, OSError):
        return f"The server cannot use a file, because {explain_disk(error)}."
    return hide_server(str(error))


def _fail(job: Job, message: str) -> None:
    job.status = JobStatus(FAILED, job.status.done, job.status.total, message)


EVALUATIONS = Evaluations()
