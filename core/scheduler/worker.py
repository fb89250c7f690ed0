"""The process that trains one run: forked by `core.scheduler.server`, alone with the run's folder."""

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
from core.runs.control import STOP, Control, read_control, write_control
from core.runs.folder import FAILED, STOPPED, RunFolder
from core.runs.recorder import Recorder
from core.runs.train import train_from_folder
from core.weights.architecture import WeightsError

MOST_THREADS = 8  # more gain little for pictures of this size; the page goes first anyway, see `core.scheduler.daemon`
LOOK_SECONDS = 0.1  # between looks at whether it is to stop
GRACE_SECONDS = 0.7  # that a step or a part of an evaluation has to end by itself


def work(folder: RunFolder, lock: FileLock) -> None:
    """Trains the run of a folder to its end; never raises, and does not return if it is stopped in mid-step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is meant for the page
    signal.signal(signal.SIGTERM, lambda *_: write_control(folder.control, Control(STOP)))
    torch.set_num_threads(min(torch.get_num_threads(), MOST_THREADS))
    stopper = Stopper(folder)
    stopper.start()
    try:
        for _ in train_from_folder(folder, lock, stopper.watch):
            pass
    except (UserError, OSError) as error:  # a full disk is nobody's defect
        _failed(folder, str(error))
    except BaseException as error:
        with suppress(OSError):
            traceback.print_exc()
        _failed(folder, f"The run broke ({type(error).__name__}: {error}); its log says where: {folder.log}.")


def _failed(folder: RunFolder, message: str) -> None:
    with suppress(OSError):  # a full disk has no room for the log either
        print(message, file=sys.stderr, flush=True)
    folder.write_status(FAILED, message)


class Stopper(threading.Thread):
    """Ends the process when it is to stop but its step or its evaluation takes long: it was at its last whole step.

    Args:
        folder: Of the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._recorder: Recorder | None = None

    def watch(self, recorder: Recorder) -> None:
        """Takes the recorder of the run, which has not trained before."""
        self._recorder = recorder

    def run(self) -> None:
        """Waits until it is to stop, and a little longer; leaves without another look if the run ends meanwhile."""
        while read_control(self._folder.control).command != STOP:
            time.sleep(LOOK_SECONDS)
        time.sleep(GRACE_SECONDS)
        if self._recorder is None:
            self._folder.write_status(STOPPED)
            os._exit(0)
        with self._recorder.writing:  # for good: nothing may be noted after this
            try:
                self._recorder.save(STOPPED)
            except (WeightsError, OSError) as error:
                logging.exception("The run could not be saved.")
                self._folder.write_status(FAILED, str(error))
            os._exit(0)
