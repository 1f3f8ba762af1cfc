"""What an operation knows of its request, and the protocol of those who carry out live operations."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ringback.kernel.resource import Place, Record
from ringback.resources.api.account import Account
from ringback.store import Page, Query, Store
from ringback.web.auth import Authenticator, Caller

Params = dict[str, list[str]]
"""A form or query as received: PascalCase names, repeated values in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """What the REST side needs from the outside."""

    public_url: str
    """Base of absolute URLs, without a trailing slash."""
    now: Callable[[], float]
    make_sid: Callable[[str], str]
    make_secret: Callable[[], str]
    """A new auth token or API key secret: 32 hex digits."""
    recordings: Path
    """Folder of the recordings; the file of one is ``<SID>.wav``."""
    encode_mp3: Callable[[Path], Path] | None = None
    """Makes (or finds) the MP3 beside a WAV file; blocking, called in a thread. Raises ``ValueError`` when
    there is no sound to encode."""
    recording_auth: bool = True
    """Whether a recording's sound needs credentials."""
    test_account_sid: str = ""
    test_auth_token: str = ""
    body_limit: int = 256 * 1024
    """Bytes."""
    field_limit: int = 1000
    """Parameters of one request."""


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
    live: Mapping[type[Record], LiveHandler]
    sources: Mapping[type[Record], Source] = field(default_factory=dict)
    """Nouns that are read elsewhere than in the store."""
    verify: Callable[[Context], Awaitable[dict[str, Any]]] | None = None
    """Places the call that verifies a caller id and gives the answer; None: it counts as verified at once."""
    locks: Locks = field(default_factory=Locks)
    follow: Callable[[Record, bool], None] = lambda record, gone: None
    """Told of every committed write (True: a delete) of the nouns whose rules ask for it (``rules.py``)."""


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


class Source(Protocol):
    """Reads one noun from where it lives, in place of the store."""

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list; ``memory.page_of`` does it for records in memory. Raises ``Refused``."""

    async def fetch(self, ctx: Context, sid: str) -> Any:
        """The record that the path's last part names (a SID or another word), or None."""


class Creates(Protocol):
    """Carries out the creation of a noun."""

    async def create(self, ctx: Context, params: Params) -> Any:
        """Return the new record; raises ``Refused``."""


class Updates(Protocol):
    """Carries out updates of a noun."""

    async def update(self, ctx: Context, params: Params) -> Any:
        """Return ``ctx.record`` after the update; raises ``Refused``."""


class Deletes(Protocol):
    """Carries out the removal of a noun."""

    async def delete(self, ctx: Context, params: Params) -> Any:
        """Delete ``ctx.record``; raises ``Refused``."""


LiveHandler = Creates | Updates | Deletes
"""Carries out the live operations of one noun, all that its places declare: they become events (house.md, "REST:
declared")."""


def check_handlers(nouns: Iterable[type[Record]], live: Mapping[type[Record], LiveHandler]) -> None:
    """Raise ``TypeError`` when a handler lacks a live operation that a place of its noun declares."""
    for record in nouns:
        handler = live.get(record)
        if handler is None:
            continue  # such operations are answered with 503
        for place in record.__noun__.places:
            missing = [each for each in place.live if not callable(getattr(handler, each, None))]
            if missing:
                raise TypeError(f"{type(handler).__name__} has no {', '.join(missing)} for {place.path}")
