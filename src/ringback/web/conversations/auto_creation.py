"""What an address configuration makes of a customer who is in no open conversation (conversations.md §1.3): the same
for every channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ringback.kernel.sid import is_sid
from ringback.resources.conversations.chat_service import ChatService
from ringback.store import Store
from ringback.web.conversations.default_service import default_service

CHANGEABLE = frozenset({"friendly_name", "unique_name", "attributes"})
"""What the pre-event may change of a conversation that is made by itself (conversations.md §1.4)."""


async def service_of(
    store: Store, account_sid: str, sid: str | None, new_sid: Callable[[str], str], now: float
) -> str | None:
    """SID of the service, or of the default one; None: the account has none of that SID."""
    if not sid:
        return (await default_service(store, account_sid, new_sid, now)).sid
    service = await store.get(ChatService, sid, account_sid) if is_sid(sid, "IS") else None
    return None if service is None or service.removed else service.sid


def scoped_webhook(made: Mapping[str, Any]) -> dict[str, Any] | None:
    """The webhook that is attached to the conversation; None: the type is ``default``."""
    kind = made.get("type")
    if kind == "webhook":
        return {
            "target": "webhook",
            "url": made.get("webhook_url"),
            "method": made.get("webhook_method") or "POST",
            "filters": list(made.get("webhook_filters") or ()),
        }
    if kind == "studio":
        return {"target": "studio", "flow_sid": made.get("studio_flow_sid")}
    return None
