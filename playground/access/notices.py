"""Refusals of events that do not queue: where the browser would show them nowhere, they are notices of the page."""

import json

from gradio.block_function import BlockFunction
from gradio.blocks import Block
from gradio.helpers import skip
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Send

from playground.access.refusals import DIRECT, HEADERS, SENTENCES, refuse
from playground.support.wording import hide_server

NOTICE = "notice"  # the part of the page that shows them, see `playground.components.notice`


def refuse_event(function: BlockFunction, status: int) -> Response:
    """Returns the refusal of an event that does not queue."""
    answer = _say(function, SENTENCES[status])
    return JSONResponse(answer, headers=HEADERS) if answer else refuse(DIRECT, status)


class Told:
    """Tells a refusal from an error of the program: for Gradio both are errors of the server.

    Args:
        function: That of the event.
        send: Sends the answer.
    """

    def __init__(self, function: BlockFunction, send: Send) -> None:
        self._function, self._send = function, send
        self._start: Message = {}

    async def send(self, message: Message) -> None:
        """Sends an answer; that to an event which has failed is small, and comes in one piece."""
        if message["type"] == "http.response.start" and message["status"] == 500:
            self._start = message
            return
        if self._start:
            said = json.loads(message["body"]).get("error")
            status, answer = (400, {"error": said}) if said else (500, {"error": SENTENCES[500]})
            notice = _say(self._function, answer["error"])
            body = json.dumps(notice or answer).encode()
            kept = [pair for pair in self._start["headers"] if pair[0] != b"content-length"]
            headers = [*kept, (b"content-length", str(len(body)).encode())]
            await self._send({**self._start, "status": 200 if notice else status, "headers": headers})
            message = {**message, "body": body}
        await self._send(message)


def _say(function: BlockFunction, said: str) -> dict[str, object] | None:
    """Returns an answer that changes the notice alone, None if the event cannot change it."""
    if not any(map(_is_notice, function.outputs)):
        return None
    return {"data": [hide_server(said) if _is_notice(each) else skip() for each in function.outputs]}


def _is_notice(block: Block) -> bool:
    return getattr(block, "props", {}).get("part") == NOTICE
