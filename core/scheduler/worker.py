"""Training of the run that this process has taken."""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import torch

from core.errors import UserError
from core.reader import PAGE, Kind, read_apart_from_now_on
from core.runs.control import STOP, Control, read_control, write_control
from core.runs.folder import FAILED, STOPPED, RunFolder, failure_state
from core.runs.range_test import find_rates_in_folder
from core.runs.recorder import Recorder
from core.runs.train import train_from_folder
from core.scheduler.server import Job
from core.scheduler.throttle import Gate, Throttle
from core.training.records import Record

MAX_THREADS = 8  # more gain little at these image sizes
POLL_SECONDS = 0.1  # interval at which the control file is read
GRACE_SECONDS = 0.7  # time that a step or an image of an evaluation has to complete


def train_run(job: Job) -> None:
    """Trains a run to its end. Never raises; ends the process if the run is stopped during a step."""
    folder = job.folder
    signal.signal(signal.SIGTERM, lambda *_: write_control(folder.control, Control(STOP)))
    stopper = Stopper(folder)
    try:
        _prepare(job)
        stopper.start()
        for _ in _begin(job, stopper):
            pass
    except (UserError, OSError) as error:  # OSError: a full disk is not a defect of the program
        _report_failure(folder, str(error), failure_state(error))
    except BaseException as error:
        with suppress(OSError):
            traceback.print_exc()
        _report_failure(
            folder, f"The run failed unexpectedly ({type(error).__name__}: {error}); see its log: {folder.log}."
        )


def _begin(job: Job, stopper: "Stopper") -> Generator[Record]:
    if job.folder.read_about().range_test:
        return find_rates_in_folder(job.folder, job.lock)  # which has nothing to save when it is stopped
    return train_from_folder(job.folder, job.lock, stopper.watch)


def _prepare(job: Job) -> None:
    """Prepares this process: from now on it writes to the run's log, sees its device alone, and gives way to the page.

    A run on a GPU does not slow the page down.
    """
    _redirect_output(job.folder.log)
    read_apart_from_now_on(PAGE, (Kind.PICKLED,))  # data sets and pictures of the page have been checked already
    torch.set_num_threads(min(torch.get_num_threads(), MAX_THREADS))
    if job.device is None:
        Gate(Throttle(job.folder.path.parent), job.folder.control).stand_between_layers()
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = _cuda_name(job.device)


def _redirect_output(log: Path) -> None:
    """Redirects the output of this process to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab", buffering=0) as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)


def _cuda_name(device: int) -> str:
    """Returns CUDA's own name of a device, given its index among the devices visible to this process."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return visible.split(",")[device] if visible else str(device)


def _report_failure(folder: RunFolder, message: str, state: str = FAILED) -> None:
    with suppress(OSError):  # on a full disk the log cannot be written either
        print(message, file=sys.stderr, flush=True)
    folder.note_status(state, message)


class Stopper(threading.Thread):
    """A thread that ends the process after a request to stop if the current step or evaluation takes too long.

    The run is saved as of its last completed step.

    Args:
        folder: Folder of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._recorder: Recorder | None = None

    def watch(self, recorder: Recorder) -> None:
        """Sets the recorder of the run; called before the first step."""
        self._recorder = recorder

    def run(self) -> None:
        """Waits for a request to stop, then for the grace period; a run that ends in time ends the process itself."""
        while read_control(self._folder.control).command != STOP:
            time.sleep(POLL_SECONDS)
        time.sleep(GRACE_SECONDS)
        if self._recorder is None:
            self._folder.note_status(STOPPED)
            os._exit(0)
        with self._recorder.writing:  # never released: nothing may be written after this
            try:
                self._recorder.save(STOPPED)
            except (UserError, OSError) as error:
                logging.exception("The run could not be saved.")
                self._folder.note_status(FAILED, str(error))
            finally:
                os._exit(0)
