"""The addresses that the page uses. Gradio has many more: they are closed, since nobody needs them here.

Some of those would work for anybody who finds them: files written for every request, programs started, streams that
ask the server twenty times a second.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qs, unquote_plus

from gradio.route_utils import API_PREFIX
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.access import uploads
from playground.access.bodies import MAX_BODY, rewrite
from playground.access.notices import Told, refuse_event
from playground.access.places import Places
from playground.access.refusals import DIRECT, refuse
from playground.access.windows import windows_of
from playground.support.visitors import Sender, sender_of

LONGEST_NAME = 255  # bytes of a file's name on most systems
READING = ("GET", "HEAD")
SESSION = r"[\w-]{1,64}"  # what a page calls itself
READ = ("", "config/?", "(static|assets|svelte)/.+", r"theme\.css", r"robots\.txt", r"manifest\.json", r"favicon\.ico")
READ_BY_SCRIPTS = (
    *("app_id/?", "info/?", r"theme\.css", "startup-events", "queue/data"),
    *(f"heartbeat/{SESSION}", "file=.+"),
)
STREAM = f"{API_PREFIX}/queue/data"  # the answers to events that queue
HEARTBEAT = f"{API_PREFIX}/heartbeat/"  # a connection for as long as a window is open
FREEING = tuple(f"{API_PREFIX}/{each}" for each in ("cancel", "reset"))
SENT = ("queue/join", "run/predict", "component_server", "cancel", "reset")
DROPPED = ("page", "deep_link")  # parameters of Gradio's that name what this page does not have


class Door(NamedTuple):
    """Addresses that are open.

    Attributes:
        pattern: Matches their paths.
        methods: The methods that Gradio has for them, or more: those that it lacks it refuses itself.
    """

    pattern: re.Pattern[str]
    methods: tuple[str, ...]


def _open(methods: tuple[str, ...], prefix: str, paths: tuple[str, ...]) -> Door:
    return Door(re.compile(f"{prefix}/({'|'.join(paths)})"), methods)


DOORS = (
    _open(READING, "", READ), _open(READING, API_PREFIX, READ_BY_SCRIPTS),
    _open(("POST",), API_PREFIX, tuple(f"{each}/?" for each in SENT)),
)  # fmt: skip


class RouteGuard:
    """The ASGI middleware that answers only where the page asks, and reads what it sends before Gradio does.

    Args:
        app: The application.
        own: The routes of the page that are not Gradio's; they check what they get themselves.
    """

    def __init__(self, app: ASGIApp, own: Sequence[BaseRoute]) -> None:
        self._app, self._own = app, own
        self._places = Places()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif self._is_own(scope):
            await self._pass_own(_find_path(scope), scope, receive, send)
        elif (status := _closed(path := _find_path(scope), scope["method"])) is not None:
            await refuse(path, status)(scope, receive, send)
        elif scope["method"] == "POST":
            await self._pass_body(path, scope, receive, send)
        elif path == STREAM:
            await self._pass_stream(scope, receive, send)
        else:
            if path.startswith(HEARTBEAT):
                windows_of(scope["app"]).note(path.removeprefix(HEARTBEAT), _sender(scope))
            await self._app({**scope, "query_string": _drop(scope["query_string"])}, receive, send)

    def _is_own(self, scope: Scope) -> bool:
        return any(route.matches(scope)[0] != Match.NONE for route in self._own)

    async def _pass_own(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a request to a route of the page: all but uploads bound themselves how many they answer."""
        if path != uploads.PATH:
            await self._app(scope, receive, send)
        elif self._is_full(scope):
            await refuse(path, 429)(scope, receive, send)
        else:
            with self._places.take(_sender(scope)):
                await self._app(scope, receive, send)

    async def _pass_body(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        path, blocks = path.rstrip("/"), scope["app"].get_blocks()
        is_full = path not in FREEING and self._is_full(scope)
        if is_full and path != DIRECT:
            await refuse(path, 429)(scope, receive, send)
            return
        with self._places.take(_sender(scope)):
            body = await _read(receive)
            if body is None:
                return
            passed = rewrite(path, body, blocks) if len(body) <= MAX_BODY else 413
            if isinstance(passed, int):
                await refuse(path, passed)(scope, receive, send)
            elif is_full:
                await refuse_event(blocks.fns[passed.function], 429)(scope, receive, send)
            else:
                windows_of(scope["app"]).note(passed.session, _sender(scope))
                told = Told(blocks.fns[passed.function], send).send if path == DIRECT else send
                await self._app(_with_body(scope, passed.content), _replay(passed.content, receive), told)

    def _is_full(self, scope: Scope) -> bool:
        """True if too many other requests of a request's sender, or of all, are being answered or wait."""
        app = scope["app"]
        return self._places.is_full(_sender(scope), app.get_blocks()._queue, windows_of(app))

    async def _pass_stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on a request for answers to a window that waits for some; Gradio itself would fail on others."""
        session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[-1]
        if session not in scope["app"].get_blocks()._queue.pending_messages_per_session:
            await refuse(STREAM, 404)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            # The window has been forgotten meanwhile, which the last message says.
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _find_path(scope: Scope) -> str:
    """Returns the path below that of the page: a proxy may leave GRADIO_ROOT_PATH in front of it, or take it away."""
    path, root = scope["path"], scope.get("root_path", "")
    return path.removeprefix(root) or "/" if path == root or path.startswith(f"{root}/") else path


def _closed(path: str, method: str) -> int | None:
    """Returns the status of the refusal for an address that is closed."""
    if any(len(part.encode(errors="replace")) > LONGEST_NAME for part in path.split("/")):
        return 404
    door = next((each for each in DOORS if each.pattern.fullmatch(path)), None)
    if door is None:
        return 404
    return None if method in door.methods else 405


async def _read(receive: Receive) -> bytes | None:
    """Returns what is sent, and little more than `MAX_BODY` of it at most; None if the browser has gone."""
    body = bytearray()
    while len(body) <= MAX_BODY:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


def _drop(query: bytes) -> bytes:
    """Returns a query without the parameters of Gradio's that the page does not use; its scripts read the address."""
    kept = [each for each in query.split(b"&") if unquote_plus(each.split(b"=")[0].decode("latin-1")) not in DROPPED]
    return b"&".join(kept)


def _sender(scope: Scope) -> Sender:
    return sender_of(HTTPConnection(scope))


def _with_body(scope: Scope, body: bytes) -> Scope:
    """Returns the scope with the headers of another body: Gradio reads JSON whatever the sender calls it."""
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"content-type")]
    added = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/json")]
    return {**scope, "headers": kept + added}


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns what gives a body that has been read, and then what the connection gives."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
