"""Reading and checking the parameters that several nouns share."""

from __future__ import annotations

from typing import Any

import msgspec

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.taskrouter.expression import Expression, ExpressionError, compile_expression

ATTRIBUTES_LIMIT = 4096
"""Characters of a worker's or task's attributes (taskrouter.md §12)."""


def attributes(text: str) -> str:
    """A JSON object's text; raises :class:`Refused` 20001."""
    if len(text) > ATTRIBUTES_LIMIT:
        raise Refused(20001, f"Attributes has more than {ATTRIBUTES_LIMIT} characters")
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused(20001, f"Attributes is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise Refused(20001, "Attributes is not a JSON object")
    return text


def expression(text: str, name: str) -> Expression:
    """A queue's expression; raises :class:`Refused` 20001 with the position."""
    try:
        return compile_expression(text, "worker")
    except ExpressionError as error:
        raise Refused(20001, f"Invalid {name}: {error}") from None


def truth(text: str) -> bool:
    """``true``, ``1`` or ``yes``; everything else is false (taskrouter.md §2.2)."""
    return text.strip().lower() in ("true", "1", "yes")


def within(event: WorkspaceWriteRequested, name: str, low: int, high: int) -> None:
    """Refuse a number outside its range."""
    value = event.values.get(name)
    if value is not None and not low <= value <= high:
        raise Refused(20001, f"{''.join(part.title() for part in name.split('_'))} must be {low} to {high}")


def check_version(event: WorkspaceWriteRequested, record: Any) -> None:
    """If-Match (taskrouter.md §2.7); raises :class:`Refused` 412/20412 when the record has moved on."""
    if event.if_match not in (None, "*") and event.if_match != str(record.version):
        raise Refused(
            20412,
            f"{record.sid} is at version {record.version}, not {event.if_match[:40]}: read it again",
            412,
        )


def assign(record: Any, values: dict[str, Any]) -> None:
    """Set the given attributes."""
    for name, value in values.items():
        setattr(record, name, value)
