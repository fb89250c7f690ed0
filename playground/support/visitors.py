"""Whose is what: a browser keeps a secret in a cookie, and what it makes carries a hash of it.

Where visitors are kept apart, a run or a data set can be stopped, changed or deleted by the browser that made it alone,
and looked at and used by all. What nobody made, such as runs of the command line, is everybody's.
"""

import hashlib
import ipaddress
from typing import Any

from core.errors import UserError

COOKIE = "retinanet_visitor"
LONGEST = 200  # characters of a secret; ours have 32
# Within somebody else's page, as on a hosted space, browsers keep only cookies that say they are meant for it.
HEAD = f"""<script>
if (!document.cookie.includes("{COOKIE}=")) {{
  const secret = Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0"));
  const framed = location.protocol === "https:" && window.self !== window.top;
  const where = framed ? "SameSite=None; Secure; Partitioned" : "SameSite=Lax";
  document.cookie = `{COOKIE}=${{secret.join("")}}; Path=/; Max-Age=31536000; ${{where}}`;
}}
</script>"""


class NotYoursError(UserError):
    """Another visitor made it; the message says what can be done."""


class Visitors:
    """Whether visitors are kept apart; all pages of this process agree."""

    def __init__(self) -> None:
        self.apart = False

    def may_change(self, owner: str, visitor: str) -> bool:
        """Tells whether a visitor may stop, change or delete what an owner made, "" being nobody."""
        return not self.apart or owner in ("", visitor)

    def require(self, owner: str, visitor: str, thing: str) -> None:
        """Raises `NotYoursError` if a visitor may not change a thing, whose name begins the sentence."""
        if not self.may_change(owner, visitor):
            raise NotYoursError(
                f"{thing} was made in another browser: only that one can stop, change or delete it. "
                "You can look at it and use it."
            )


def visitor_of(request: Any) -> str:
    """Returns who asks: a hash of the secret of their browser, "" for one without."""
    secret = request.cookies.get(COOKIE) if request else None
    if not isinstance(secret, str) or not 0 < len(secret) <= LONGEST:
        return ""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def is_local(host: str) -> bool:
    """Tells whether an address to listen on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


VISITORS = Visitors()
