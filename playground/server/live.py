"""The fast path from a knob to the picture: the browser asks the server directly, past Gradio's events.

The state that an event of Gradio has shown is remembered under a token. The browser sends it back with other settings
and paints the answer itself (`live.js`). An answer is a stream of JSON lines: while the browser paints the first one,
the picture, the server computes the next.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from threading import Event
from typing import Any

from gradio.route_utils import API_PREFIX
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.reader import reading_for
from playground.layout.page_update import PAINT_STAGES
from playground.sharing.lanes import BusyError, lane_for
from playground.support.scripts import read_scripts
from playground.support.visitors import sender_of, visitor_of
from playground.support.wording import hide_server

SCRIPTS = ("server/painter.js", "server/fetch_answer.js", "server/live.js")  # one program, in this order
PATH = f"{API_PREFIX}/live"  # under the prefix that Gradio's own front-end server, if there is one, forwards
MAX_BYTES = 64 * 1024  # of a request, of which the settings are about five
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies forward each line at once


Answer = Callable[[object, str], Iterator[dict[str, Any]]]


def route(answer: Answer, is_heavy: Callable[[object, str], bool]) -> Route:
    """Returns the route of the fast path.

    Args:
        answer: Takes a parsed request and the visitor who sent it, and yields the parts of its answer.
        is_heavy: Takes the same, and returns True if the answer takes long.
    """

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                return Response(status_code=413)
        sent = _parse(body)
        lines = _compute_in_turn(answer, sent, request, is_heavy=is_heavy(sent, visitor_of(request)))
        return StreamingResponse(lines, headers=HEADERS, media_type="application/x-ndjson")

    return Route(PATH, endpoint, methods=["POST"])


async def _compute_in_turn(answer: Answer, sent: object, request: Request, *, is_heavy: bool) -> AsyncIterator[str]:
    """Yields the lines of an answer, computed in its lane; what a browser that has gone has asked for is dropped.

    The lane does not wait for the browser to read them.
    """
    loop, lines, gone = asyncio.get_running_loop(), asyncio.Queue[str | None](), Event()
    visitor = visitor_of(request)

    def hand_out(line: str | None) -> None:
        with suppress(RuntimeError):  # the server has been stopped
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def compute() -> None:
        with reading_for(*sender_of(request)):
            for each in answer(sent, visitor):
                if gone.is_set():
                    return
                hand_out(_to_line(each))

    # Visitors without a cookie are told apart by what they see.
    token = sent.get("token") if isinstance(sent, dict) else None
    future = lane_for(is_heavy).submit(visitor or str(token), compute)
    future.add_done_callback(lambda _: hand_out(None))
    try:
        while (line := await lines.get()) is not None:
            yield line
        future.result()
    except BusyError as error:
        yield _to_line({"failed": True, "postponed": True, "notice": str(error)})
    finally:
        gone.set()
        future.cancel()


def _to_line(part: dict[str, Any]) -> str:
    if said := part.get("notice"):
        part = part | {"notice": hide_server(said)}
    return json.dumps(part, separators=(",", ":")) + "\n"


def _parse(body: bytes | bytearray) -> object:
    """Returns the value of a JSON text, None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def head() -> str:
    """Returns the scripts of the page's head, which run before any part of the page is built."""
    return f"<script>const PAINT_STAGES = {json.dumps(PAINT_STAGES)};\n{read_scripts(*SCRIPTS)}</script>"
