"""Pre-event webhooks: what is asked, and what an answer may change (conversations.md §1.4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ringback.conversations import checks
from ringback.conversations.parameters import parameters
from ringback.conversations.work import facts_of
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record

MAY_CHANGE = {
    "onConversationAdd": ("friendly_name", "unique_name", "attributes"),
    "onConversationUpdate": ("friendly_name", "unique_name", "attributes"),
    "onMessageAdd": ("body", "author", "attributes"),
    "onMessageUpdate": ("body", "author", "attributes"),
}
"""Event → what the JSON of its answer is read for."""


def form(
    kind: str, account_sid: str, source: str, identity: str, record: Record | None, facts: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The form of the request: the record as it would be. ``facts``: what is to be written."""
    whole = (facts_of(record) if record is not None else {}) | dict(facts)
    return parameters(kind, account_sid, source, identity, whole)


def changes(kind: str, body: bytes) -> dict[str, Any]:
    """What a 200 answer changes; empty: nothing. Raises ``ValueError`` for what is no JSON object of texts."""
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError("the answer is not a JSON object")
    read: dict[str, Any] = {}
    for name in MAY_CHANGE.get(kind, ()):
        value = found.get(name)
        if value is None:
            continue
        if name == "attributes" and isinstance(value, (dict, list)):
            value = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        if not isinstance(value, str):
            raise ValueError(f"{name} of the answer is not a text")
        try:  # a message from outside has nobody to whom it could be refused
            if name == "attributes":
                checks.attributes(value)
            elif name == "author":
                checks.text({name: value}, name, checks.NAME, "Author")
        except Refused as refusal:
            raise ValueError(f"{name} of the answer: {refusal.message}") from None
        read[name] = value
    return read
