"""The way of messages without a dialog: Via of what came, tags of what is not kept, ACK of a refusal."""

from typing import Final

from ringback.sip.message import Headers, Request, Response

MAX_FORWARDS: Final = 70
"""Hops of a request that begins with us (RFC 3261 section 8.1.1.6)."""


def same_tag(request: Request) -> str:
    """A To tag that a repeated request gets again."""
    return f"x{abs(hash((request.call_id, request.headers.get('from')))):x}"


def fix_via(request: Request, host: str, port: int) -> None:
    """Record received and rport in the topmost Via (RFC 3261 section 18.2.1, RFC 3581 section 4)."""
    via = request.via
    first = request.headers.all("via")[0]
    rport = "rport" in via.params
    if via.host.strip("[]") == host and not rport:
        return
    top, comma, more = first.partition(",")
    if rport:
        top = ";".join(
            f"rport={port}" if part.strip().lower().split("=")[0] == "rport" else part
            for part in top.split(";")
        )
    top += f";received={host}"
    request.headers.all("via")[0] = top + comma + more


def ack_of(request: Request, response: Response) -> Request:
    """The ACK of a non-2xx final response (RFC 3261 section 17.1.1.3)."""
    headers = Headers([("Via", request.headers.all("via")[0]), ("Max-Forwards", str(MAX_FORWARDS))])
    if routes := request.headers.all("route"):
        headers.set_all("Route", list(routes))
    headers.set("From", request.headers.get("from") or "")
    headers.set("To", response.headers.get("to") or "")
    headers.set("Call-ID", request.call_id)
    headers.set("CSeq", f"{request.cseq[0]} ACK")
    return Request("ACK", request.target, headers)
