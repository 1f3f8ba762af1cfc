"""Audit events: read only; their links lead to other products."""

from __future__ import annotations

from typing import Any

from ringback.resources.monitor.audit_event import AuditEvent
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context


class AuditEventRules(NounRules):
    """Written beside the changes that they tell of (``web/audit.py``)."""

    noun = AuditEvent

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """Where the actor and the resource are."""
        base = ctx.services.settings.public_url
        accounts = f"{base}/api/2010-04-01/Accounts/{record.account_sid}"
        by_key = record.actor_type == "api-key"
        body["links"] = {
            "actor": f"{accounts}/Keys/{record.actor_sid}.json" if by_key else f"{accounts}.json",
            "resource": base + record.resource_path,
        }
