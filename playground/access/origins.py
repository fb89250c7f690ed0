"""Refuses requests to names that are not this server's, and changes that pages of other sites ask for.

A page of any site can make a browser send requests to a server on the same computer or network. It cannot read the
answers, but a request could delete a run. Such requests are known by headers that browsers add and scripts cannot
change: the origin, and how it relates to the address that is asked. A page could also let its own name point to this
server's address, and would then be of the same origin; that is why the name is checked as well.

Requests without these headers are not a browser's: programs may use the page.
"""

from gradio.route_utils import API_PREFIX
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from playground.access.hosts import FLAG, PORTS, Authority, KnownHosts
from playground.access.refusals import HEADERS

READING = ("GET", "HEAD")
OWN_SITE = (None, "none", "same-origin")  # none: typed by the visitor
FOREIGN = (
    "Refused: a page at another address asked for this. Open this page at its own address. If you did, it is behind a "
    f"proxy that changes the address: start it with {FLAG} NAME, where NAME is the name in your browser's address bar."
)


class OriginGuard:
    """The ASGI middleware that refuses requests to unknown names, and changes that pages of other sites ask for.

    What pages of other sites may do is to link to the page, to embed it, and to read its files, which are the same for
    everybody. All that the page asks its server for is below `API_PREFIX`, where reading can have effects, too.

    Args:
        app: The application.
        hosts: The names that it answers to.
    """

    def __init__(self, app: ASGIApp, hosts: KnownHosts) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        refusal = None if scope["type"] == "lifespan" else self._refuse(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refuse(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        asked = _read_asked(headers)
        unknown = [each for each in asked if each is None or not self._hosts.know(each.name)]
        if unknown or not asked:
            return PlainTextResponse(_say_unknown(next(filter(None, unknown), None)), 421, HEADERS)
        is_reading = scope.get("method") in READING and API_PREFIX not in scope["path"]
        if is_reading or not self._is_foreign(headers, [each for each in asked if each]):
            return None
        return PlainTextResponse(FOREIGN, 403, HEADERS)

    def _is_foreign(self, headers: Headers, asked: list[Authority]) -> bool:
        """True if a page of another origin sent a request."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in OWN_SITE:
            return True
        if origin is None or origin == "null":  # null: a page without an origin of its own, or one that hides it
            return origin == "null" and site is None
        return not self._is_own(origin, asked)

    def _is_own(self, origin: str, asked: list[Authority]) -> bool:
        """True for the origin of this page: that which was asked, or a public name that a proxy does not pass on."""
        scheme, _, rest = origin.partition("://")
        authority = Authority.parse(rest)
        if authority is None or scheme not in PORTS:  # programs that show pages invent schemes for their own
            return False
        is_public = authority.name in self._hosts.public and authority.port is None
        return is_public or any(authority.is_at(each, scheme) for each in asked)


def _read_asked(headers: Headers) -> list[Authority | None]:
    """Returns the names that were asked, None for each that cannot be read: the server's, and that before a proxy.

    Of several proxies the first counts, as it does where Gradio makes an address. The server's own name is checked all
    the same: the other header is not one that only a proxy can send.
    """
    forwarded = headers.get("x-forwarded-host", "").split(",")[0]
    hosts = headers.getlist("host")
    return [Authority.parse(each) for each in (*hosts, *([forwarded] if forwarded else []))] if len(hosts) == 1 else []


def refuse_nameless(headers: Headers) -> Response | None:
    """Returns a refusal for a request that names no server, as those of old programs, or several."""
    return None if _read_asked(headers) else PlainTextResponse(_say_unknown(None), 421, HEADERS)


def _say_unknown(asked: Authority | None) -> str:
    if asked is None:
        return "Refused: the request does not say which server it is for. Open the page with a browser."
    return (
        f"Refused: this server does not go by the name {asked.name}. To allow it, start the page with {FLAG} "
        f"{asked.name}."
    )
