"""Waiting for what another process, thread or page brings about."""

import time

HANG = 120  # seconds after which nothing is expected any more; no measure of speed: machines may be busy


def wait(condition, seconds: float = HANG):
    """Returns what a condition says once it says something; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value
