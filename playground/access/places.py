"""How much of everybody the server has to do at a time: requests, and events that wait."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from gradio.queueing import Queue

from playground.access.windows import Windows
from playground.support.visitors import Sender

# Of a visitor: a browser that starts again opens all its windows at once. An address can be that of a whole school.
MAX_OF_ONE, MAX_OF_ADDRESS, MAX_OF_ALL = 100, 500, 1000


class Places:
    """The requests that are being answered; used by the server's own thread alone."""

    def __init__(self) -> None:
        self._taken: Counter[Sender] = Counter()

    def is_full(self, sender: Sender, queue: Queue, windows: Windows) -> bool:
        """True if a request has to be refused, because of too many others of its sender or of all."""
        waiting = (event.session_hash for each in queue.event_queue_per_concurrency_id.values() for event in each.queue)
        taken = self._taken + Counter(map(windows.sender, waiting))
        mine = sum(number for each, number in taken.items() if each.who == sender.who)
        at = sum(number for each, number in taken.items() if each.address == sender.address)
        return (mine >= MAX_OF_ONE and sender.has_cookie) or at >= MAX_OF_ADDRESS or taken.total() >= MAX_OF_ALL

    @contextmanager
    def take(self, sender: Sender) -> Iterator[None]:
        """Counts a request as long as it is answered."""
        self._taken[sender] += 1
        try:
            yield
        finally:
            self._taken[sender] -= 1
            self._taken = +self._taken
