"""The first answer of a page that has just been started, computed while the browser of the first visitor builds it."""

import threading
import time

from gradio import Blocks

from playground.server.opening import follow_link
from playground.server.render import render_in_stages

POLL_SECONDS = 0.05
HEAD_START = 0.3  # seconds for the page itself, which is asked for first


def prepare_first_answer(page: Blocks) -> threading.Thread:
    """Starts a thread that renders a new visitor's first state once the page is served, and returns it.

    Reading the weights takes half a second.
    """
    thread = threading.Thread(target=_prepare, args=(page,), name="first answer")  # for which the program's end waits
    thread.start()
    return thread


def _prepare(page: Blocks) -> None:
    while not page.is_running and threading.main_thread().is_alive():
        time.sleep(POLL_SECONDS)
    time.sleep(HEAD_START)
    if page.is_running:
        for _ in render_in_stages(
            follow_link("").state
        ):  # in no lane: at the program's end these take nothing any more
            pass
