"""What each window of a visitor waits for: two answers at a time while a knob moves, of which only the newer counts."""

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from playground.sharing.lanes import BusyError

MAX_OF_ONE = 8  # requests of a window in progress; the page sends two, and a proxy may be late to end those it gave up
MAX_NAME = 40  # characters of a window's name
MAX_NUMBER = 2**53  # what a browser counts up to


class WindowRequests:
    """The requests of one window that are in progress. Belongs to the event loop.

    Attributes:
        turns: Held while a piece of an answer is computed: one for quick answers and one for slow ones.
        requests: How many there are.
        shown: Number of the newest request whose picture has been computed.
    """

    def __init__(self) -> None:
        self.turns = asyncio.Lock(), asyncio.Lock()
        self.requests = 0
        self.shown = 0


class RequestsInProgress:
    """The windows with requests in progress, by visitor and name; both a name and a number are the browser's claims."""

    def __init__(self) -> None:
        self._windows: dict[Hashable, WindowRequests] = {}

    @contextmanager
    def enter(self, visitor: str, request: object) -> Iterator[tuple[WindowRequests, int]]:
        """Counts a request as in progress; gives its window and its number there.

        A request that names no window has one to itself.

        Raises:
            BusyError: Too many requests of the window are in progress.
        """
        name, number = _read(request)
        key = (visitor, name) if name else object()
        window = self._windows.setdefault(key, WindowRequests())
        if window.requests >= MAX_OF_ONE:
            raise BusyError("This window asks for more at once than a page does: reload it.")
        window.requests += 1
        try:
            yield window, number
        finally:
            window.requests -= 1
            if not window.requests:
                del self._windows[key]


def _read(request: object) -> tuple[str, int]:
    """Returns the name of a request's window, "" for none, and its number there."""
    name, number = (request.get("window"), request.get("number")) if isinstance(request, dict) else (None, None)
    if not isinstance(name, str) or len(name) > MAX_NAME:
        return "", 1
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_NUMBER:
        return "", 1
    return name, number


IN_PROGRESS = RequestsInProgress()
