"""Whether a caller wants to stay unknown, and who the network says that they are (RFC 3323, RFC 3325)."""

from typing import Final

from ringback.sip.message import MalformedMessage, Request
from ringback.sip.uri import Uri

_ASKED: Final = frozenset({"id", "user", "header"})
"""Values of Privacy that ask for the caller's identity to be hidden; what is between them does not matter here."""
_RESTRICTED: Final = frozenset({"full", "uri"})
"""Values of the ``privacy`` parameter of Remote-Party-ID, which older networks send in place of Privacy."""


def wants_privacy(request: Request) -> bool:
    """Whether the caller's address is not to be shown, although From may tell it."""
    if _ASKED & {
        word.strip() for value in request.headers.all("privacy") for word in value.lower().split(";")
    }:
        return True
    try:
        older = request.addresses("remote-party-id")
    except MalformedMessage:
        return False
    return any(
        (one.params.get("party") or "calling").lower() == "calling"
        and (one.params.get("privacy") or "").lower() in _RESTRICTED
        for one in older
    )


def asserted(request: Request) -> Uri | None:
    """P-Asserted-Identity: who the caller is by the word of a network that is trusted; a number before an address.

    None when there is none, or when it cannot be read.
    """
    try:
        found = [one.uri for one in request.addresses("p-asserted-identity")]
    except MalformedMessage:
        return None
    return min(found, key=lambda uri: not uri.user.startswith("+"), default=None)
