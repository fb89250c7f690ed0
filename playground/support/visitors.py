"""Who made a run or a data set: a browser keeps a secret in a cookie, and what it makes is marked with its hash.

If visitors are kept apart, only the browser that made a run or a data set can stop, change or delete it; everyone can
look at it and use it. Everyone may change what has no owner, such as a run of the command line.
"""

import hashlib
import ipaddress
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple, Protocol

from core.errors import UserError

COOKIE = "retinanet_visitor"
MAX_NOTED = 20_000  # visitors whose address is known
LONGEST = 200  # characters of a secret; the script below makes 32
IPV6_NETWORK = 8  # bytes of an address that a user cannot choose
# Inside a frame of another site, such as a hosted space, browsers keep only partitioned cookies.
HEAD = f"""<script>
if (!new URLSearchParams(location.search).has("embed") && !document.cookie.includes("{COOKIE}=")) {{
  const secret = Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0"));
  const framed = location.protocol === "https:" && window.self !== window.top;
  const where = framed ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
  document.cookie = `{COOKIE}=${{secret.join("")}}; Path=/; Max-Age=31536000; ${{where}}`;
}}
</script>"""


class NotYoursError(UserError):
    """The run or data set belongs to another visitor."""


class Request(Protocol):
    """The part of a request, Gradio's or the server's, that is used here; `client` is missing in some."""

    @property
    def cookies(self) -> dict[str, str]:
        """Cookies by name."""


class Sender(NamedTuple):
    """Between whom the server is shared. Cookies can be invented, addresses cannot.

    Attributes:
        who: The visitor; one without a cookie is known by the address.
        address: From where the request came; many visitors can have the same one.
    """

    who: str = ""
    address: str = ""

    @property
    def has_cookie(self) -> bool:
        """False for one who may be many: embedded parts set no cookie."""
        return self.who != self.address


class Visitors:
    """Decides who may change a run or a data set.

    Attributes:
        apart: True if visitors are kept apart; holds for all pages of this process.
    """

    def __init__(self) -> None:
        self.apart = False
        self._addresses: OrderedDict[str, str] = OrderedDict()  # where each visitor was seen last
        self._noting = Lock()

    def keep_apart(self, apart: bool) -> None:
        """Sets whether visitors may change only what they made themselves."""
        self.apart = apart

    def note(self, sender: Sender) -> None:
        """Notes where a visitor was seen."""
        with self._noting:
            self._addresses[sender.who] = sender.address
            self._addresses.move_to_end(sender.who)
            if len(self._addresses) > MAX_NOTED:
                self._addresses.popitem(last=False)

    def are_near(self, one: str, other: str) -> bool:
        """True if two visitors were seen last at the same address: one person may be both, with an invented cookie."""
        addresses = {self._addresses.get(each) for each in (one, other)}
        return one == other or (len(addresses) == 1 and None not in addresses)

    def may_change(self, owner: str, visitor: str, *, always: bool = False) -> bool:
        """True if a visitor may stop, change or delete what belongs to an owner; "" is no owner.

        Args:
            owner: To whom the thing belongs.
            visitor: Who wants to change it.
            always: True if it belongs to its owner even where visitors are not kept apart.
        """
        return owner in ("", visitor) or not (self.apart or always)

    def require(self, owner: str, visitor: str, thing: str, *, always: bool = False) -> None:
        """Refuses a change by a visitor who may not make it.

        Args:
            owner: To whom the thing belongs.
            visitor: Who wants to change it.
            thing: Name of the thing, with which the message begins.
            always: As in `may_change`.

        Raises:
            NotYoursError: It belongs to another visitor.
        """
        if not self.may_change(owner, visitor, always=always):
            raise NotYoursError(
                f"{thing} was made in another browser: only that browser can stop, change or delete it. "
                "You can look at it and use it."
            )


def visitor_of(request: Request | None) -> str:
    """Returns the visitor who sent a request: the hash of the browser's secret, "" if it has none."""
    secret = request.cookies.get(COOKIE) if request else None
    if not isinstance(secret, str) or not 0 < len(secret) <= LONGEST:
        return ""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def sender_of(request: Request | None) -> Sender:
    """Returns who sent a request, as far as its cookie and its address tell."""
    address = _address_of(request)
    return Sender(visitor_of(request) or address, address)


def _address_of(request: Request | None) -> str:
    """Returns the address that a request came from, "" if unknown; of IPv6 its network, in which users can choose."""
    host = str(getattr(getattr(request, "client", None), "host", ""))
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Address(address.packed[:IPV6_NETWORK].ljust(16, b"\0")))


VISITORS = Visitors()
