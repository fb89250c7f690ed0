"""The names and addresses under which the page is opened."""

import ipaddress
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from core.config import ConfigError
from core.errors import quote
from playground.support.starting import LOCAL

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
FLAG = "--allowed-host"
SPACE_HOST = "SPACE_HOST"  # the environment variable with the names of a hosted Space, separated by commas
PORTS = {"http": 80, "https": 443}
AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]{2,45}\]|[\w.-]{1,253})(?::(?P<port>\d{1,5}))?", re.ASCII | re.IGNORECASE)


class Authority(NamedTuple):
    """The name or the address of a server, and the port, None for that of the scheme."""

    name: str
    port: int | None

    @staticmethod
    def parse(text: str) -> "Authority | None":
        """Returns the authority that a text such as `[::1]:7860` writes, None if it writes none; it is untrusted."""
        found = AUTHORITY.fullmatch(text.strip())
        if not found:
            return None
        name = found["name"].strip("[]").lower().rstrip(".")
        return Authority(str(_parse_address(name) or name), int(found["port"]) if found["port"] else None)

    def is_at(self, other: "Authority", scheme: str) -> bool:
        """True if both are the same, where a missing port is that of a scheme."""
        default = PORTS.get(scheme)
        return self.name == other.name and (self.port or default) == (other.port or default)


class KnownHosts:
    """The names and addresses that the page's server answers to.

    Attributes:
        listening: The address or the name that it listens on.
        public: The names that it was given, and those of a Space.

    Args:
        listening: As above.
        named: Further names, such as that of a proxy before it; those of a Space are known.

    Raises:
        ConfigError: One of `named` is no name.
    """

    def __init__(self, listening: str = LOCAL, named: Sequence[str] = ()) -> None:
        space = filter(None, map(Authority.parse, os.environ.get(SPACE_HOST, "").split(",")))
        self.listening = listening
        self.public = {*map(_parse_name, named), *(each.name for each in space)}
        own = Authority.parse(f"[{listening.strip('[]')}]" if ":" in listening else listening)
        address = own and _parse_address(own.name)
        self._any_address = bool(address and address.is_unspecified)
        self._names = {*self.public, *LOCAL_NAMES, *([own.name] if own else [])}

    def know(self, name: str) -> bool:
        """True for a name that the server answers to; a stranger's name can point to it, but no address is a name."""
        return name in self._names or (self._any_address and _parse_address(name) is not None)


def is_local(host: str) -> bool:
    """True if an address to listen on can only be reached from this machine."""
    address = _parse_address(host)
    return address.is_loopback if address else host == "localhost"


def _parse_name(text: str) -> str:
    """Returns a name that the server is given.

    Raises:
        ConfigError: It is more than a name, or none.
    """
    authority = Authority.parse(text)
    if authority is None or authority.port is not None:
        raise ConfigError(
            f"{FLAG} {quote(text)} is not a name: write it as browsers send it, without scheme, port and path, "
            "such as page.example.org."
        )
    return authority.name


def _parse_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
