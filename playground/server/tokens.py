"""Tokens: names under which the server remembers the states that it has shown.

The browser sends one back to ask for other settings of the same state.
"""

import secrets
from collections import Counter, OrderedDict
from threading import Lock
from types import MappingProxyType
from typing import Any

from playground.state.page_state import PageState

# The fields of the state that the browser sends itself.
BROWSER_FIELDS = ("settings", "curve", "p_t", "frame", "dials")
MAX_BYTES = 256 * 10**6  # of all states; a forgotten one is answered by an event of Gradio instead
MAX_OF_ONE = 48 * 10**6  # bytes of a visitor's states: a picture of theirs takes up to 12 MB
MAX_STATES = 200  # of a visitor: windows, and steps in them
OVERHEAD = 2000  # bytes of a state beside its settings and pictures
AT_REST: dict[str, Any] = {"held": False, "switched": MappingProxyType({}), "began": None}


class Tokens:
    """States under random names that only their visitor knows.

    What is kept is bounded in bytes, for each visitor and altogether; the least recently used states are forgotten
    first. Visitors without a cookie cannot be told apart and share half of it.

    Args:
        size: Bytes of all states.
        of_one: Bytes of a visitor's states.
    """

    def __init__(self, size: int, of_one: int) -> None:
        self._size, self._of_one = size, of_one
        self._states: OrderedDict[str, PageState] = OrderedDict()
        self._visitors: dict[str, _Kept] = {}
        self._tokens: dict[tuple, str] = {}
        self._lock = Lock()

    def issue(self, state: PageState) -> str:
        """Returns the token of a state, which does not depend on `BROWSER_FIELDS`."""
        key, state = _key(state), state._replace(**AT_REST)
        with self._lock:
            token = self._tokens.setdefault(key, secrets.token_urlsafe(16))
            self._states[token] = state
            self._states.move_to_end(token)
            kept = self._visitors.setdefault(state.visitor, _Kept())
            kept.add(token, state)
            most, limit = (MAX_STATES, self._of_one) if state.visitor else (len(self._states), self._size // 2)
            while len(kept.states) > 1 and (len(kept.states) > most or kept.size > limit):
                self._forget(next(iter(kept.states)))
            while len(self._states) > 1 and sum(each.size for each in self._visitors.values()) > self._size:
                self._forget(next(iter(self._states)))
        return token

    def _forget(self, token: str) -> None:
        state = self._states.pop(token)
        del self._tokens[_key(state)]
        self._visitors[state.visitor].remove(token)
        if not self._visitors[state.visitor].states:
            del self._visitors[state.visitor]

    def find(self, token: object, visitor: str) -> PageState | None:
        """Returns the state of a visitor's token, None if the visitor has no such token; `token` is untrusted."""
        with self._lock:
            if not isinstance(token, str) or token not in self._states or self._states[token].visitor != visitor:
                return None
            self._states.move_to_end(token)
            self._visitors[visitor].states.move_to_end(token)
            return self._states[token]


class _Kept:
    """The states of a visitor, the least recently used first, and their bytes; a picture in several counts once."""

    def __init__(self) -> None:
        self.states: OrderedDict[str, PageState] = OrderedDict()
        self.size = 0
        self._pictures: Counter[int] = Counter()  # states that hold a picture, by the address of its pixels

    def add(self, token: str, state: PageState) -> None:
        """Keeps a state, in place of an earlier one with other settings."""
        if token in self.states:
            self.remove(token)
        self.states[token] = state
        self.size += _text_bytes(state)
        for address, size in _pixels(state).items():
            self.size += 0 if self._pictures[address] else size
            self._pictures[address] += 1

    def remove(self, token: str) -> None:
        """Forgets a state."""
        state = self.states.pop(token)
        self.size -= _text_bytes(state)
        for address, size in _pixels(state).items():
            self._pictures[address] -= 1
            self.size -= 0 if self._pictures[address] else size
        self._pictures = +self._pictures


def _text_bytes(state: PageState) -> int:
    return OVERHEAD + sum(len(each) for each in state if isinstance(each, str))


def _pixels(state: PageState) -> dict[int, int]:
    """Returns the bytes of the pictures of a state by the address of their pixels."""
    given = (state.user_picture, state.pinned_picture)
    shown = [each for picture in given if picture for each in (picture, picture.upload) if each]
    images = (each.picture.sample.image for each in shown)
    return {image.data_ptr(): image.nbytes for image in images}


def _key(state: PageState) -> tuple:
    # Pictures are compared by identity: while a state holds one, no other can have its address.
    pictures = {"user_picture": id(state.user_picture), "pinned_picture": id(state.pinned_picture)}
    fields = {**state._asdict(), **pictures, **dict.fromkeys((*BROWSER_FIELDS, *AT_REST))}
    return tuple(fields.values())


def browser_fields(state: PageState) -> dict[str, Any]:
    """Returns the fields that the browser keeps beside the settings."""
    return {name: getattr(state, name) for name in BROWSER_FIELDS if name != "settings"}


TOKENS = Tokens(MAX_BYTES, MAX_OF_ONE)
