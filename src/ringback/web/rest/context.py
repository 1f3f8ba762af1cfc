"""What an operation knows of its request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from ringback.kernel.resource import Place, Record
from ringback.resources.api.account import Account
from ringback.store import Store
from ringback.web.access import Access
from ringback.web.auth import Authenticator, Caller

Params = dict[str, list[str]]
"""A form or query as received: PascalCase names, repeated values in order."""
OWNER = "AccountSid"
"""The part of a path that authentication answers for; every other one names a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """What the REST side needs from the outside."""

    public_url: str
    """Base of absolute URLs, without a trailing slash."""
    now: Callable[[], float]
    make_sid: Callable[[str], str]
    make_secret: Callable[[], str]
    """A new auth token or API key secret: 32 hex digits."""
    operator_sid: str = ""
    """The first account, which sees to the whole installation."""
    test_account_sid: str = ""
    test_auth_token: str = ""
    body_limit: int = 256 * 1024
    """Bytes."""
    audit: Callable[[Context, str, Any, Any], Record | None] = lambda ctx, operation, before, after: None
    """Gives the audit log's entry of a write, from the record before and after it (None: there is none)."""
    field_limit: int = 1000
    """Parameters of one request."""
    at_once: int = 32
    """Requests that are carried out at a time; further ones wait, the accounts taking turns."""


class Locks:
    """A lock a key: two updates of one record do not overlap."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()

    @asynccontextmanager
    async def __call__(self, key: str) -> AsyncIterator[None]:
        """Hold the lock of ``key``."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]


@dataclass(slots=True, kw_only=True)
class Services:
    """What every operation shares."""

    store: Store
    settings: RestSettings
    auth: Authenticator
    access: Access
    locks: Locks = field(default_factory=Locks)


@dataclass(slots=True, kw_only=True)
class Context:
    """One request."""

    services: Services
    caller: Caller
    account: Account
    """The account it is about: the caller's, or one of its subaccounts."""
    place: Place
    args: dict[str, str]
    """The SIDs of the path by their names: ``AccountSid``, ``CallSid``, ``Sid`` …"""
    path: str
    method: str
    headers: dict[bytes, bytes]
    params: Params = field(default_factory=dict)
    record: Any = None
    """The record that an update or delete is about."""
    version: int | None = None
    """The version of its row in the store; None when it was read elsewhere."""
    audited: bool = False
    """Whether the write's entry of the audit log is in its own transaction."""
    request_id: str = ""
    scope: Any = None

    @property
    def store(self) -> Store:
        """The store."""
        return self.services.store

    @property
    def now(self) -> float:
        """Unix seconds by the product's clock."""
        return self.services.settings.now()
