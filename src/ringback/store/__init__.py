"""The store: records, the outbox and timers, on SQLite or PostgreSQL; start at ``store.py``."""

from ringback.store.query import Condition, Page, Query
from ringback.store.store import Store
from ringback.store.writes import (
    Attempt,
    Conflict,
    DeleteIf,
    LogHttp,
    OutboxDone,
    OwedWebhook,
    OwnershipLost,
    SaveIf,
    Stale,
)

__all__ = [
    "Attempt",
    "Condition",
    "Conflict",
    "DeleteIf",
    "LogHttp",
    "OutboxDone",
    "OwedWebhook",
    "OwnershipLost",
    "Page",
    "Query",
    "SaveIf",
    "Stale",
    "Store",
]
