"""Addresses between SIP and the product: E.164 numbers, trunks, and our own phones (pure).

A number arrives as the user part of a request URI and leaves as one; ``sip:`` addresses stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from ringback.edges.sip.arrival import CallRequest
from ringback.numbers.withheld import WITHHELD, is_withheld
from ringback.numbers.written import e164
from ringback.settings import Trunk
from ringback.sip.uri import BadAddress, split_host_port

ANONYMOUS = "anonymous"
"""What stands for a caller who may not be told."""
_NUMBER = re.compile(r"\+?[0-9().-]{3,20}\Z")
_URI = re.compile(r"(?P<scheme>sips?):(?:(?P<user>[^@]*)@)?(?P<host>[^;?>]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """How an outbound INVITE goes."""

    uri: str
    """Request URI and To."""
    from_uri: str
    next_hop: str | None
    """``host[:port]`` when it differs from the URI's."""
    transport: str | None
    credentials: tuple[str, str] | None
    headers: tuple[tuple[str, str], ...] = ()


def number_of(user: str) -> str:
    """A user part as E.164 when it looks like a number, else as it is.

    Ten digits get ``+1``, more get ``+`` (voice-calls.md §2 takes national US forms); short codes stay.
    """
    text = unquote(user).partition(";")[0]
    if _NUMBER.match(text):
        digits = re.sub(r"[^0-9]", "", text)
        if text.startswith("+") or len(digits) >= 8:
            try:
                return e164(text)
            except ValueError:
                return text
    return text


def split_uri(uri: str) -> tuple[str, str]:
    """User and host (with port) of a ``sip:`` URI; empty strings for what is not there."""
    found = _URI.match(uri.strip().strip("<>"))
    return (found["user"] or "", found["host"]) if found else ("", "")


def host_of(address: str) -> str:
    """The host of `host`, `host:port`, `[v6]` or `[v6]:port`, without port and brackets."""
    try:
        return split_host_port(address)[0].strip("[]")
    except BadAddress:
        return address.strip("[]")


def within_uri(host: str) -> str:
    """A host as it stands in a URI: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def caller_of(user: str, host: str, display: str) -> str:
    """What the product calls the caller: a number, a withheld marker, or the ``sip:`` URI."""
    address = f"sip:{user}@{within_uri(host)}"
    if is_withheld(address):
        word = unquote(user).lower()
        return word if word in WITHHELD else ANONYMOUS
    number = number_of(user)
    if number.startswith("+"):
        return number
    return ANONYMOUS if display.lower() == ANONYMOUS else address


def shown_caller(facts: CallRequest) -> str:
    """Who calls, as far as it may be told: by From, by the network's word when From says nothing; a marker when they
    ask for privacy (RFC 3325 §7), whoever they are."""
    if facts.private:
        return ANONYMOUS
    caller = caller_of(facts.from_user, facts.from_host, facts.from_display)
    if facts.asserted is None or not is_withheld(caller):
        return caller
    return caller_of(*facts.asserted, "")


CONVERSATION: Final = "ConversationSid"
"""The one custom parameter that a phone can give with its call (connect-conversation.md §3)."""


def custom_parameters(facts: CallRequest) -> tuple[tuple[str, str], ...]:
    """What a phone of ours gives with its call: the header ``X-ConversationSid``, or the parameter of that name in
    the URI that it calls (``sip:+15550100;ConversationSid=CH…@host`` or behind the host), for phones that cannot
    send headers."""
    wanted = CONVERSATION.lower()
    found = next((value for name, value in facts.x_headers.items() if name.lower() == f"x-{wanted}"), "")
    for part in re.split(r"[;?&@]", facts.uri)[1:]:
        name, _, value = part.partition("=")
        if name.lower() == wanted and not found:
            found = unquote(value)
    return ((CONVERSATION, found.strip()[:64]),) if found else ()


def split_headers(uri: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A ``sip:`` URI without its headers part, and those headers (RFC 3261 §19.1.1)."""
    bare, _, part = uri.partition("?")
    headers = []
    for pair in part.split("&") if part else ():
        name, _, value = pair.partition("=")
        headers.append((unquote(name), unquote(value)))
    return bare, tuple(headers)


def trunk_route(trunk: Trunk, to: str, from_: str, own_host: str) -> Route:
    """The way of a number through a trunk."""
    caller = from_ if from_.startswith("+") else (trunk.username or "anonymous")
    domain = host_of(trunk.host) if trunk.register else own_host
    credentials = (trunk.username, trunk.password) if trunk.username and trunk.password else None
    return Route(
        uri=f"sip:{to}@{trunk.host}",
        from_uri=f"sip:{caller}@{within_uri(domain)}",
        next_hop=None,
        transport=trunk.transport,
        credentials=credentials,
    )


def longest_prefix(trunks: Sequence[Trunk], number: str) -> Trunk | None:
    """The trunk whose prefix of the number is the longest; ``*`` matches all."""
    best: tuple[int, Trunk] | None = None
    for trunk in trunks:
        for prefix in trunk.prefixes:
            if prefix == "*" or number.startswith(prefix):
                length = 0 if prefix == "*" else len(prefix)
                if best is None or length > best[0]:
                    best = (length, trunk)
    return best[1] if best else None
