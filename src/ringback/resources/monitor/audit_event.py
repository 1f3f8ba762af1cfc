"""AuditEvent: a change that somebody made by REST, as the Monitor API tells it (``monitor/v1/Events``)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.resource import Record, field, resource


@resource(
    "/v1/Events",
    product="monitor",
    sid="AE",
    key="events",
    can=("list", "fetch"),
    filters={"StartDate": "event_date >=", "EndDate": "event_date <="},
    tag="Event",
    show={
        "sid": "sid", "account_sid": "account_sid", "actor_sid": "actor_sid", "actor_type": "actor_type",
        "description": "description", "event_data": "event_data", "event_date": "event_date",
        "event_type": "event_type", "resource_sid": "resource_sid", "resource_type": "resource_type",
        "source": "source", "source_ip_address": "source_ip_address",
    },
)  # fmt: skip
class AuditEvent(Record):
    """What changed, when, and who changed it. Kept for 30 days."""

    actor_sid: str | None = field(None, filter=True, index=True)
    """The account, or the API key, whose credentials the request brought."""
    actor_type: str = field("account")
    """account or api-key."""
    description: str | None = field(None)
    """What happened, in words; null where the type says it all."""
    event_data: dict[str, Any] = field(dict)
    """``resource_properties``: of each that changed the ``previous`` and the ``updated`` value. Secrets are never in
    it, and long texts are cut."""
    event_date: float = field(0.0, wire="date", index=True)
    """When it happened."""
    event_type: str = field("", filter=True, index=True)
    """``phone-number.created``, ``application.updated``, ``api-key.deleted`` …"""
    resource_sid: str = field("", filter=True, index=True)
    """What changed."""
    resource_type: str = field("")
    """``phone-number``, ``application`` …"""
    source: str = field("api")
    """``api``."""
    source_ip_address: str | None = field(None, filter=True)
    """Where the request came from."""

    resource_path: str = field("", hidden=True)
    """Where the resource is, below the base of our URLs."""
