"""All that decides what the server answers, as options of the app."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playground.access import uploads
from playground.access.hosts import KnownHosts
from playground.access.origins import OriginGuard, refuse_nameless
from playground.access.refusals import HANDLERS
from playground.access.routes import RouteGuard


def app_options(hosts: KnownHosts, routes: Sequence[Route]) -> dict[str, Any]:
    """Returns the options of the app.

    Args:
        hosts: The names that it answers to.
        routes: The page's own routes, beside those that it has of Gradio.
    """
    own = [uploads.route(), *routes]
    return {
        "routes": own,
        "middleware": [Middleware(OriginGuard, hosts=hosts), Middleware(RouteGuard, own=own)],
        "exception_handlers": HANDLERS,
        "lifespan": _put_first,
        "openapi_url": None,
    }


@asynccontextmanager
async def _put_first(app: Starlette) -> AsyncIterator[None]:
    """Refuses requests that name no server before Gradio's own middleware, which needs the name and comes first."""
    inner = app.middleware_stack
    assert inner is not None  # it has been built to get here

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = refuse_nameless(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refusal or inner)(scope, receive, send)

    app.middleware_stack = outer
    yield
