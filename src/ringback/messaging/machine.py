"""The statuses of a message as a table; what is not in it does not happen (the docs draw it)."""

from __future__ import annotations

from typing import Final

MESSAGE: Final[dict[tuple[str, str], str]] = {
    ("accepted", "queue"): "queued",
    ("accepted", "fail"): "failed",
    ("scheduled", "queue"): "queued",
    ("scheduled", "cancel"): "canceled",
    ("accepted", "cancel"): "canceled",
    ("queued", "cancel"): "canceled",
    ("queued", "send"): "sending",
    ("queued", "fail"): "failed",
    ("sending", "wait"): "queued",
    ("sending", "take"): "sent",
    ("sending", "fail"): "failed",
    ("sent", "deliver"): "delivered",
    ("sent", "miss"): "undelivered",
    ("sent", "fail"): "failed",
    ("sent", "read"): "read",
    ("delivered", "read"): "read",
    ("receiving", "receive"): "received",
}
"""(status, event) → status. ``sending`` begins with the commit that claims the message: from there it is never sent
again, and what nobody knows of it (``MessageUnclear``) is ``fail`` with 30008. Only what its channel knows not to have
been sent when the server stops waits again."""

BEGINS: Final = ("accepted", "queued", "scheduled", "receiving")
OVER: Final = frozenset({"delivered", "undelivered", "failed", "read", "received", "canceled"})
"""Statuses after which the carrier has nothing more to do."""
UNSENT: Final = frozenset({"accepted", "queued", "scheduled"})
"""Those in which it can still be kept from being sent."""
RECEIPTS: Final = {"delivered": "deliver", "undelivered": "miss", "failed": "fail", "read": "read"}
"""Status in a receipt → event. ``sent`` says nothing new."""
TOLD: Final = frozenset({"queued", "sent", "delivered", "undelivered", "failed", "read", "canceled"})
"""Statuses that the application is told of when a message comes to them. The one that it begins with is in the
answer to the request."""


def following(status: str, event: str) -> str | None:
    """The status after an event; None: nothing changes."""
    return MESSAGE.get((status, event))
