"""The audit log: what a write by REST changed, and who asked for it (``monitor/v1/Events``).

A change of a stored noun is logged in its own transaction. A live noun is changed by an event; its entry follows
when that has been answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ringback.kernel.resource import Record
from ringback.resources.monitor.audit_event import AuditEvent
from ringback.web.rest.context import Context

LONGEST: Final = 500
"""Characters of a value that are kept."""
_TYPES: Final = {"IncomingPhoneNumber": "phone-number", "Key": "api-key"}
"""Noun → how events call it, where it is not its own name with hyphens."""
_SECRET: Final = frozenset({"auth_token", "secret", "password"})
_DATES: Final = frozenset({"date_created", "date_updated"})
_DONE: Final = {"create": "created", "update": "updated", "delete": "deleted"}


def entry(ctx: Context, operation: str, before: Record | None, after: Record | None) -> AuditEvent | None:
    """The event of a write that succeeds; None for an update that changes nothing, and for test credentials."""
    record = after if after is not None else before
    if record is None or ctx.caller.is_test:
        return None
    changed = _changed(before, after)
    if operation == "update" and not changed:
        return None
    key, settings, name = ctx.caller.key, ctx.services.settings, type(record).__name__
    kind = _TYPES.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    client = ctx.scope.get("client") if ctx.scope is not None else None
    return AuditEvent(
        sid=settings.make_sid("AE"), account_sid=ctx.account.sid, date_created=ctx.now, date_updated=ctx.now,
        actor_sid=ctx.caller.account.sid if key is None else key.sid,
        actor_type="account" if key is None else "api-key",
        event_data={"resource_properties": changed},
        event_date=ctx.now,
        event_type=f"{kind}.{_DONE[operation]}",
        resource_sid=record.sid,
        resource_type=kind,
        source_ip_address=client[0] if client else None,
        resource_path=_path(ctx, record),
    )  # fmt: skip


def _changed(before: Record | None, after: Record | None) -> dict[str, Any]:
    record = after if after is not None else before
    assert record is not None
    found: dict[str, Any] = {}
    for field in record.__noun__.fields:
        if field.hidden or field.name in _SECRET or field.name in _DATES:
            continue
        old, new = (None if one is None else getattr(one, field.name) for one in (before, after))
        if old != new:
            found[field.key] = {"previous": _short(old), "updated": _short(new)}
    return found


def _short(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None):
        return value if not isinstance(value, str) or len(value) <= LONGEST else value[:LONGEST] + "…"
    if isinstance(value, Mapping | list) and len(str(value)) <= LONGEST:
        return value
    return str(value)[:LONGEST] + "…"


def _path(ctx: Context, record: Record) -> str:
    if not ctx.place.key:  # a path beside the noun
        return f"/{ctx.place.product}{ctx.path}"
    path = ctx.place.path
    for name in ctx.place.parents:
        path = path.replace("{" + name + "}", ctx.args.get(name, ""))
    suffix = ".json" if ctx.place.classic else ""
    return f"/{ctx.place.product}{path}/{record.sid}{suffix}"
