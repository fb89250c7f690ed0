"""The state that the server keeps of each window: bounded, and shared between visitors.

Gradio itself keeps that of a number of windows, of any size, and of no more: somebody who invents names of windows
would push out those of all others.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import gradio as gr
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

from playground.support.sizes import count_bytes
from playground.support.visitors import Sender

Value = TypeVar("Value")
MAX_NOTED = 20_000  # names of windows: whose they are, and which are forgotten
FORGOTTEN = (
    "The server no longer knows what this window showed, since it was not used for long while many were open: reload "
    "the page."
)


class WindowBounds(NamedTuple):
    """What may be kept; Gradio's option `state_session_capacity` bounds the number of all windows.

    Visitors without a cookie at the same address cannot be told apart and may have half of all.

    Attributes:
        of_one: Windows of a visitor, also those that have been closed: half a megabyte each.
        size: Bytes of all pictures and other values.
        size_of_one: Bytes of those of a visitor: a picture takes up to 12 MB, and a window holds up to four.
    """

    of_one: int = 40
    size: int = 400 * 2**20
    size_of_one: int = 100 * 2**20


class Window(SessionState):
    """The state of a window.

    Attributes:
        is_forgotten: True if the server has known more of it.
        size: Bytes of its values when the last event ended.
        closed_at: When it was first seen closed, by the clock that never goes back; None while it is open.
    """

    def __init__(self, blocks: gr.Blocks, *, is_forgotten: bool) -> None:
        super().__init__(blocks)
        self.is_forgotten, self.size = is_forgotten, 0
        self.closed_at: float | None = None


class Windows(StateHolder):
    """The states of all windows by name; used by the server's own thread alone.

    If there are too many, or they are too large, the visitor with most of them at the address with most of them loses
    the one that was used least recently, a closed one first.

    Args:
        bounds: What may be kept.
    """

    def __init__(self, bounds: WindowBounds | None = None) -> None:
        super().__init__()
        self._bounds = bounds or WindowBounds()
        self._senders: OrderedDict[str, Sender] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()

    def note(self, session: str, sender: Sender) -> None:
        """Notes whose a window is, which is in use; "" is none."""
        if not session:
            return
        _keep(self._senders, session, sender)
        if window := self.session_data.get(session):
            window.is_closed = False  # a connection that broke off has come back

    def sender(self, session: str) -> Sender:
        """Returns whose a window is."""
        return self._senders.get(session, Sender())

    def __getitem__(self, session_id: str) -> SessionState:
        """Returns the state of a window, which is new if it is not known; one that is forgotten takes no room again."""
        if session_id not in self.session_data:
            window = Window(self.blocks, is_forgotten=session_id in self._forgotten)
            if window.is_forgotten:
                return window
            self.session_data[session_id] = window
        self.session_data.move_to_end(session_id)
        self._make_room(session_id)
        return self.session_data[session_id]

    def weigh(self, state: SessionState | None) -> None:
        """Measures a window in which an event has ended; others are forgotten if it takes too much."""
        name = next((name for name, each in reversed(self.session_data.items()) if each is state), None)
        if name is not None and isinstance(state, Window):
            state.size = count_bytes(state.state_data)
            self._make_room(name)

    def delete_all_expired_state(self) -> None:
        """Deletes the values of windows that have been closed for an hour; Gradio counts from their last change."""
        now = time.monotonic()
        for name, window in [*self.session_data.items()]:
            if isinstance(window, Window):
                window.closed_at = (window.closed_at or now) if window.is_closed else None
                if window.closed_at and now - window.closed_at > window.STATE_TTL_WHEN_CLOSED:
                    self.delete_state(name, expired_only=True)

    def delete_state(self, session_id: str, expired_only: bool = False) -> None:
        """Deletes the values of a window, which is forgotten if it had any to delete."""
        window = self.session_data.get(session_id)
        before = len(window.state_data) if window else 0
        super().delete_state(session_id, expired_only)
        if isinstance(window, Window) and len(window.state_data) < before:
            window.is_forgotten = True

    def _make_room(self, used: str) -> None:
        """Forgets windows until there is room; the one that is used now stays."""
        while name := self._find_excess(used):
            self.delete_state(name)
            del self.session_data[name]
            _keep(self._forgotten, name, None)
            self._tidy_queue()

    def _find_excess(self, used: str) -> str:
        """Returns the window to forget next, "" if there is room for all."""
        names, sender = [*self.session_data], self.sender(used)
        mine = [name for name in names if self.sender(name).who == sender.who]
        bounds = ((_one, self.capacity, self._bounds.of_one), (_size, self._bounds.size, self._bounds.size_of_one))
        for measure, of_all, of_one in bounds:
            if len(mine) > 1 and self._sum(mine, measure) > (of_one if sender.has_cookie else of_all // 2):
                return self._find_first(mine, used, measure)
            if len(names) > 1 and self._sum(names, measure) > of_all:
                at = self._find_greatest(names, lambda name: self.sender(name).address, measure)
                others = [name for name in at if name != used] or [name for name in names if name != used]
                theirs = self._find_greatest(others, lambda name: self.sender(name).who, measure)
                return self._find_first(theirs, used, measure)
        return ""

    def _sum(self, names: Iterable[str], measure: Callable[[SessionState], int]) -> int:
        return sum(measure(self.session_data[name]) for name in names)

    def _find_greatest(
        self, names: list[str], key: Callable[[str], str], measure: Callable[[SessionState], int]
    ) -> list[str]:
        """Returns the windows with the same key that have most."""
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(key(name), []).append(name)
        return max(groups.values(), key=lambda group: self._sum(group, measure))

    def _find_first(self, names: list[str], used: str, measure: Callable[[SessionState], int]) -> str:
        """Returns the window to forget first of some in the order in which they were used; never that used now.

        Small ones stay: they would not make room.
        """
        others = {name: self.session_data[name] for name in names if name != used}
        mean = sum(map(measure, others.values())) / len(others)
        large = {name: window for name, window in others.items() if measure(window) >= mean}
        return next((name for name, window in large.items() if window.is_closed), next(iter(large)))

    def _tidy_queue(self) -> None:
        """Removes what Gradio's queue keeps for ever of windows that are forgotten."""
        queue = self.blocks._queue
        waiting = {event.session_hash for event in queue.event_ids_to_events.values()}
        for kept in (queue.pending_event_ids_session, queue.pending_messages_per_session):
            for name in [name for name in kept if name not in self.session_data and name not in waiting]:
                del kept[name]


def windows_of(app: App) -> Windows:
    """Returns the windows of an app, in place of those that Gradio made for it."""
    if not isinstance(app.state_holder, Windows):
        windows = Windows()
        windows.set_blocks(app.get_blocks())
        app.state_holder = windows
    return app.state_holder


def _one(window: SessionState) -> int:
    return 1


def _size(window: SessionState) -> int:
    return window.size if isinstance(window, Window) else 0


def _keep(kept: OrderedDict[str, Value], name: str, value: Value) -> None:
    """Keeps a value under a name, and no more than `MAX_NOTED` of them."""
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > MAX_NOTED:
        kept.popitem(last=False)
