"""Handling of Ctrl-C and SIGTERM during training."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collect_stop_signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM in a list, so that the caller can stop between two steps.

    Yields:
        The numbers of the signals received so far. The previous handlers are restored at the end.
    """
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
