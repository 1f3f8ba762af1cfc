"""Who has forwarded a call: Diversion (RFC 5806) and History-Info (RFC 7044)."""

from ringback.sip.message import MalformedMessage, Request
from ringback.sip.uri import Uri


def forwarded_by(request: Request) -> Uri | None:
    """The address that a call was forwarded from last; None when it was not, or when that cannot be read."""
    try:
        if diversions := request.addresses("diversion"):
            return diversions[0].uri  # the newest stands on top
        history = request.addresses("history-info")
    except MalformedMessage:
        return None
    if len(history) < 2:
        return None
    *before, current = history
    # the entry that the call was sent on from says why, in its URI; or the newest one says by index whom it replaces
    for entry in reversed(before):
        if "reason=" in entry.uri.headers.lower():
            return entry.uri
    parent = current.params.get("mp") or current.params.get("rc")
    return next((entry.uri for entry in before if parent and entry.params.get("index") == parent), None)
