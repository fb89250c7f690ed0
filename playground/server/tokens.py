"""Tokens: names under which the server remembers the states that it has shown.

The browser sends one back to ask for other settings of the same state.
"""

import secrets
from collections import OrderedDict
from threading import Lock
from types import MappingProxyType
from typing import Any

from playground.state.page_state import PageState

# The fields of the state that the browser sends itself.
BROWSER_FIELDS = ("settings", "curve", "p_t", "frame", "dials")
MAX_STATES = 4096  # a forgotten one is answered by an event of Gradio instead
MAX_WITH_PICTURES = 48  # of them hold pictures of visitors, up to 12 MB each
AT_REST: dict[str, Any] = {"held": False, "switched": MappingProxyType({})}


class Tokens:
    """States under random names that only their visitor knows. Bounded: the oldest are forgotten first.

    Args:
        size: Maximum number of states.
        with_pictures: Maximum number of states that hold pictures of visitors.
    """

    def __init__(self, size: int, with_pictures: int) -> None:
        self._size, self._with_pictures = size, with_pictures
        self._states: OrderedDict[str, PageState] = OrderedDict()
        self._tokens: dict[tuple, str] = {}
        self._lock = Lock()

    def issue(self, state: PageState) -> str:
        """Returns the token of a state, which does not depend on `BROWSER_FIELDS`."""
        key = _key(state)
        with self._lock:
            token = self._tokens.setdefault(key, secrets.token_urlsafe(16))
            self._states[token] = state._replace(**AT_REST)
            self._states.move_to_end(token)
            self._forget(list(self._states), self._size)
            if _has_pictures(state):
                self._forget([each for each, kept in self._states.items() if _has_pictures(kept)], self._with_pictures)
        return token

    def _forget(self, tokens: list[str], size: int) -> None:
        for token in tokens[: max(0, len(tokens) - size)]:
            del self._tokens[_key(self._states.pop(token))]

    def find(self, token: object, visitor: str) -> PageState | None:
        """Returns the state of a visitor's token, None if the visitor has no such token; `token` is untrusted."""
        with self._lock:
            if not isinstance(token, str) or token not in self._states or self._states[token].visitor != visitor:
                return None
            self._states.move_to_end(token)
            return self._states[token]


def _key(state: PageState) -> tuple:
    # Pictures are compared by identity: while a state holds one, no other can have its address.
    pictures = {"user_picture": id(state.user_picture), "pinned_picture": id(state.pinned_picture)}
    fields = {**state._asdict(), **pictures, **dict.fromkeys((*BROWSER_FIELDS, *AT_REST))}
    return tuple(fields.values())


def _has_pictures(state: PageState) -> bool:
    return bool(state.user_picture or state.pinned_picture)


def browser_fields(state: PageState) -> dict[str, Any]:
    """Returns the fields that the browser keeps beside the settings."""
    return {name: getattr(state, name) for name in BROWSER_FIELDS if name != "settings"}


TOKENS = Tokens(MAX_STATES, MAX_WITH_PICTURES)
