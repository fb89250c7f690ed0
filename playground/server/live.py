"""The fast path from a knob to the picture: the browser asks the server directly, past Gradio's events.

The state that an event of Gradio has shown is remembered under a token. The browser sends it back with other settings
and paints the answer itself (`live.js`). An answer is a stream of JSON lines: while the browser paints the first one,
the picture, the server computes the next. While a knob moves, a window has two questions in progress (`requests.js`).
"""

import json
from asyncio import wrap_future
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from gradio.route_utils import API_PREFIX
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from core.reader import reading_for
from playground.layout.page_update import PAINT_STAGES
from playground.server.in_progress import IN_PROGRESS
from playground.sharing.lanes import BusyError, lane_for
from playground.support.scripts import read_scripts
from playground.support.visitors import Sender, sender_of, visitor_of
from playground.support.wording import hide_server

# One program, in this order.
SCRIPTS = ("server/painter.js", "server/fetch_answer.js", "server/requests.js", "server/live.js")
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
        sent, visitor = _parse(body), visitor_of(request)
        lines = compute_in_turn(answer, sent, visitor, sender_of(request), is_heavy=is_heavy(sent, visitor))
        return StreamingResponse(lines, headers=HEADERS, media_type="application/x-ndjson")

    return Route(PATH, endpoint, methods=["POST"])


async def compute_in_turn(
    answer: Answer, sent: object, visitor: str, sender: Sender, *, is_heavy: bool
) -> AsyncIterator[str]:
    """Yields the lines of an answer, computed in its lane; what a browser that has gone has asked for is dropped.

    Pieces are computed one by one, so that visitors take turns at each, and a newer question of the same window comes
    before the rest of an older one, which is given up once the newer picture has been computed.
    """
    # Visitors without a cookie are told apart by what they see.
    token = sent.get("token") if isinstance(sent, dict) else None
    lane, key, pieces = lane_for(is_heavy), visitor or str(token), answer(sent, visitor)
    try:
        with IN_PROGRESS.enter(visitor, sent) as (window, number):
            piece: dict[str, Any] | None = {}
            while piece is not None and piece.get("postponed") is None:  # the last piece of a picture tells that
                async with window.turns[is_heavy]:
                    if number < window.shown:
                        return
                    piece = await wrap_future(lane.submit(key, partial(_next_piece, pieces, sender)))
                    if number < window.shown:
                        return
                    if piece and piece.get("canvas"):
                        window.shown = number
                if piece:
                    yield _to_line(piece)
    except BusyError as error:
        yield _to_line({"failed": True, "postponed": True, "notice": str(error)})


def _next_piece(pieces: Iterator[dict[str, Any]], sender: Sender) -> dict[str, Any] | None:
    with reading_for(*sender):
        return next(pieces, None)


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
