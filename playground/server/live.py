"""The fast path from a knob to the picture: the browser asks the server directly, past Gradio's events.

The state that an event of Gradio has shown is remembered under a token. The browser sends it back with other settings
and paints the answer itself (`live.js`). An answer is a stream of JSON lines: while the browser paints the first one,
the picture, the server computes the next.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from gradio.route_utils import API_PREFIX
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playground.layout.page_update import PAINT_STAGES
from playground.support.scripts import read_scripts
from playground.support.visitors import visitor_of

SCRIPTS = ("server/painter.js", "server/fetch_answer.js", "server/live.js")  # one program, in this order
PATH = f"{API_PREFIX}/live"  # under the prefix that Gradio's own front-end server, if there is one, forwards
MAX_BYTES = 64 * 1024  # of a request, of which the settings are about five
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # proxies forward each line at once


def route(answer: Callable[[object, str], Iterator[dict[str, Any]]]) -> Route:
    """Returns the route of the fast path.

    Args:
        answer: Takes a parsed request and the visitor who sent it, and yields the parts of its answer.
    """

    async def endpoint(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                return Response(status_code=413)
        lines = (json.dumps(each, separators=(",", ":")) + "\n" for each in answer(_parse(body), visitor_of(request)))
        return StreamingResponse(lines, headers=HEADERS, media_type="application/x-ndjson")

    return Route(PATH, endpoint, methods=["POST"])


def _parse(body: bytes | bytearray) -> object:
    """Returns the value of a JSON text, None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def head() -> str:
    """Returns the scripts of the page's head, which run before any part of the page is built."""
    return f"<script>const PAINT_STAGES = {json.dumps(PAINT_STAGES)};\n{read_scripts(*SCRIPTS)}</script>"
