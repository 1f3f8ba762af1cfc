"""The store: records, the outbox and timers, on SQLite or PostgreSQL; start at ``store.py``."""

from ringback.store.query import Condition, Page, Query
from ringback.store.store import Store
from ringback.store.writes import (
    Attempt,
    Conflict,
    DeleteIf,
    LogHttp,
    Message,
    MessageDone,
    MessageFailed,
    OutboxDone,
    Owed,
    OwnershipLost,
    SaveIf,
    Stale,
    Unavailable,
)

__all__ = [
    "Attempt",
    "Condition",
    "Conflict",
    "DeleteIf",
    "LogHttp",
    "Message",
    "MessageDone",
    "MessageFailed",
    "OutboxDone",
    "Owed",
    "OwnershipLost",
    "Page",
    "Query",
    "SaveIf",
    "Stale",
    "Store",
    "Unavailable",
]
