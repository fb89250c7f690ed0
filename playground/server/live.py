"""The short way from a knob to the picture: the browser asks for what to show in one call, past Gradio's events.

What an event of Gradio's has shown is remembered under a token. With it the browser asks again, for other settings of
the same step, picture and selection, and paints the answer itself (`live.js`). An answer comes in parts, one a line:
while the browser paints the first, the picture, the server works on the next.
"""

import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any

from gradio.route_utils import API_PREFIX
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playground.state.page_state import PageState

SCRIPT = (Path(__file__).parent / "live.js").read_text("utf-8")
PATH = f"{API_PREFIX}/live"  # where Gradio's own server in front, if there is one, lets requests through
MAX_BYTES = 64 * 1024  # of what a browser sends, of which the settings are about five
UNTOUCHED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies hand on each line as it comes
BROWSERS = ("settings", "curve", "p_t", "frame")  # what the browser itself says of what it asks for
# Steps, selections and the like whose knobs are answered; whoever is forgotten is answered by Gradio's events.
KEPT = 4096
KEPT_OWN = 48  # of them with somebody's own pictures, of up to 12 MB each
NOT_IN_HASTE = {"held": False, "switched": MappingProxyType({})}


class Tokens:
    """What was asked, under random names that only those who asked know; bounded, the oldest goes first.

    Args:
        size: How many are kept.
        own: How many of them may hold somebody's own pictures.
    """

    def __init__(self, size: int, own: int) -> None:
        self._size, self._own = size, own
        self._asked: OrderedDict[str, PageState] = OrderedDict()
        self._names: dict[tuple, str] = {}
        self._lock = Lock()

    def of(self, state: PageState) -> str:
        """Returns the name of what is asked, the same whatever `BROWSERS` say."""
        key = _key(state)
        with self._lock:
            name = self._names.setdefault(key, secrets.token_urlsafe(16))
            self._asked[name] = state._replace(**NOT_IN_HASTE)
            self._asked.move_to_end(name)
            self._forget(list(self._asked), self._size)
            if _holds_pictures(state):
                self._forget([each for each, kept in self._asked.items() if _holds_pictures(kept)], self._own)
        return name

    def _forget(self, names: list[str], size: int) -> None:
        for name in names[: max(0, len(names) - size)]:
            del self._names[_key(self._asked.pop(name))]

    def get(self, name: object) -> PageState | None:
        """Returns what was asked under a name, None if it is not known."""
        with self._lock:
            if not isinstance(name, str) or name not in self._asked:
                return None
            self._asked.move_to_end(name)
            return self._asked[name]


def _key(state: PageState) -> tuple:
    # Own pictures are known by their identity: they are kept here, so no other ones can take their place.
    usual = dict.fromkeys((*BROWSERS, *NOT_IN_HASTE))
    rest = state._replace(user_picture=id(state.user_picture), pinned_picture=id(state.pinned_picture), **usual)
    return tuple(rest)


def _holds_pictures(state: PageState) -> bool:
    return bool(state.user_picture or state.pinned_picture)


def look_of(state: PageState) -> dict[str, Any]:
    """Returns what the browser keeps beside the settings."""
    return {name: getattr(state, name) for name in BROWSERS if name != "settings"}


def route(answers: Callable[[object], Iterator[dict[str, Any]]]) -> Route:
    """Returns the way in for the browser's questions.

    Args:
        answers: Takes what the browser sends and yields what it is answered.
    """

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                return Response(status_code=413)
        lines = (json.dumps(each, separators=(",", ":")) + "\n" for each in answers(_read(body)))
        return StreamingResponse(lines, headers=UNTOUCHED, media_type="application/x-ndjson")

    return Route(PATH, endpoint, methods=["POST"])


def _read(body: bytes) -> object:
    """Returns what a JSON text says, None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def head() -> str:
    """Returns what the page's head needs, so that it is there before any part of the page."""
    return f"<script>{SCRIPT}</script>"
