"""The process that trains one run, forked by `core.scheduler.server`."""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress

import torch

from core.errors import UserError
from core.io.locks import FileLock
from core.reader import PAGE, Kind, read_apart_from_now_on
from core.runs.control import STOP, Control, read_control, write_control
from core.runs.folder import FAILED, STOPPED, RunFolder, failure_state
from core.runs.recorder import Recorder
from core.runs.train import train_from_folder

MAX_THREADS = 8  # more gain little at these image sizes
POLL_SECONDS = 0.1  # interval at which the control file is read
GRACE_SECONDS = 0.7  # time that a step or an image of an evaluation has to complete


def train_run(folder: RunFolder, lock: FileLock) -> None:
    """Trains the run of a folder to its end. Never raises; ends the process if the run is stopped during a step.

    Args:
        folder: Folder of the run.
        lock: Lock of the folder.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is meant for the page
    signal.signal(signal.SIGTERM, lambda *_: write_control(folder.control, Control(STOP)))
    read_apart_from_now_on(PAGE, (Kind.PICKLED,))  # data sets and pictures of the page have been checked already
    torch.set_num_threads(min(torch.get_num_threads(), MAX_THREADS))
    stopper = Stopper(folder)
    stopper.start()
    try:
        for _ in train_from_folder(folder, lock, stopper.watch):
            pass
    except (UserError, OSError) as error:  # OSError: a full disk is not a defect of the program
        _report_failure(folder, str(error), failure_state(error))
    except BaseException as error:
        with suppress(OSError):
            traceback.print_exc()
        _report_failure(
            folder, f"The run failed unexpectedly ({type(error).__name__}: {error}); see its log: {folder.log}."
        )


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
