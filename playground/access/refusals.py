"""The responses to requests that are refused, and to those that fail because of an error in the program."""

from fastapi.exceptions import RequestValidationError
from gradio.route_utils import API_PREFIX
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from playground.support.wording import NOT_READ, hide_server

DIRECT = f"{API_PREFIX}/run/predict"  # events that do not queue
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
SENTENCES = {
    400: NOT_READ,
    403: "This file is not for visitors.",
    404: "There is nothing at this address: open the page itself.",
    405: "This address cannot be used in this way: open the page itself.",
    413: "The page sent more than the server takes: reload it.",
    429: "Too much is waiting for the server already: try again in a moment.",
    500: "Something went wrong on the server: reload the page.",
    507: "The disk of the server is full: try again later.",
}


def refuse(path: str, status: int, sentence: str = "") -> Response:
    """Returns a refusal: plain text for people, JSON where the scripts of the page expect it.

    Args:
        path: What was asked for.
        status: The status.
        sentence: What is said, "" for what is usual for the status.
    """
    said = hide_server(sentence) or SENTENCES.get(status, NOT_READ)
    if API_PREFIX in path and f"{API_PREFIX}/upload" not in path:
        return JSONResponse({"error" if DIRECT in path else "detail": said}, status, HEADERS)
    return PlainTextResponse(said, status, HEADERS)


async def _refuse_as_found(request: Request, error: Exception) -> Response:
    """Says what Gradio says with a status of its own only where it is not about what was sent."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    said = str(error.detail) if isinstance(error, HTTPException) and status == 503 else ""
    return refuse(request.url.path, status, said)


async def _apologise(request: Request, error: Exception) -> Response:
    """Answers where the program failed; the error is in the server's log."""
    return refuse(request.url.path, 500)


HANDLERS = {
    HTTPException: _refuse_as_found,
    RequestValidationError: _refuse_as_found,
    ClientDisconnect: _refuse_as_found,  # what was sent broke off: nobody reads the answer
    Exception: _apologise,
}
