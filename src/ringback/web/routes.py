"""What every application of the HTTP server says of itself: its routes, and who may ask them.

The front (``server.py``) takes no application that does not say it; ``access.py`` decides by it, and
``tests/web/test_every_route.py`` walks all of them with every kind of credentials.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Rule(StrEnum):
    """Who may ask (rest-conventions.md §1)."""

    TICKET = "ticket"
    """Whoever has a URL that we have signed, until it expires; credentials do not help (``web/mcs/ticket.py``)."""
    OPEN = "open"
    """Anybody: nothing of an account is told."""
    SIGNED = "signed"
    """A request signed with the account's auth token (webhooks.md §3)."""
    CARRIER = "carrier"
    """A request that a carrier of the settings proves to be its own (``edges/http_carrier/``)."""
    AGENT = "agent"
    """An access token with a grant for TaskRouter: an active account, its workspace, a worker of that."""
    WORKER = "worker"
    """An access token with a grant for a Conversations service: an active account, its service, an active user of
    that who has the token's identity."""
    VISITOR = "visitor"
    """An access token with a grant for a Conversations service: an active account, and a conversation in which the
    token's identity takes part."""
    ACCOUNT = "account"
    """An active account for itself or, as its parent, for the subaccount that the path names; API keys too."""
    TESTER = "tester"
    """As ``ACCOUNT``, and test credentials."""
    MANAGER = "manager"
    """As ``ACCOUNT``, but no standard API key: accounts and keys are managed here."""
    OPERATOR = "operator"
    """The first account by its auth token or a main key: it sees to the whole installation."""


SOCKET = "WEBSOCKET"
"""In place of a method: the upgrade to a web socket."""


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for."""

    method: str
    """Of HTTP, or :data:`SOCKET`."""
    path: str
    """With its prefix and ``{CallSid}`` parts."""
    rule: Rule


class Routed(Protocol):
    """An ASGI application that says what can be asked of it."""

    def routes(self) -> Iterable[Route]:
        """All of it: what is not said here is answered with 404 or 405."""
