"""Waiting for what another process, thread or page brings about."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

HANG = 120  # seconds after which nothing is expected any more; no measure of speed: machines may be busy


def wait(condition, seconds: float = HANG):
    """Returns what a condition says once it says something; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


def run(coroutine):
    """Returns what a coroutine returns; in a thread of its own, since tests with a browser leave a loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
