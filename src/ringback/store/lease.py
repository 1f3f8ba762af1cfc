"""The lease: the right of one process to write to a PostgreSQL database, as a row that it keeps renewing.

``lanes`` is the only lease today and covers every lane. All times are the database's: the clocks of two machines
need not agree. Whoever takes a lease makes its epoch grow; every transaction names the holder and the epoch that
it writes for (the fence), so a process that lost its lease without noticing writes nothing more.
See ``docs/adr/0014-one-owner.md``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

from ringback.store.engine import Holder
from ringback.store.tables import tables

log = logging.getLogger("ringback.store")

NAME: Final = "lanes"
TTL: Final = 6.0
"""Seconds that a lease lasts after it was taken or renewed."""
RENEW_EVERY: Final = 2.0
"""Seconds between renewals: two may fail before it runs out."""
ASK_EVERY: Final = 0.4
"""Seconds after which who waits for a lease asks again, or half as many: two who wait do not march in step."""

_NOW: Final = "EXTRACT(EPOCH FROM clock_timestamp())::float8"
_READ: Final = f"SELECT host, pid, since, expires - {_NOW} AS left FROM leases WHERE name = $1"  # noqa: S608
# SKIP LOCKED: a row that is locked belongs to somebody who renews or writes; to queue up behind them could win the
# row from a living owner whose transaction lasts longer than the lease.
_TAKE: Final = f"""
    UPDATE leases SET holder = $2, host = $3, pid = $4, epoch = epoch + 1, since = {_NOW}, expires = {_NOW} + {TTL},
        commits = 0
    WHERE name = (SELECT name FROM leases WHERE name = $1 AND expires <= {_NOW} FOR UPDATE SKIP LOCKED)
    RETURNING epoch"""  # noqa: S608 - our own constants
_OURS: Final = "WHERE name = $1 AND holder = $2 AND epoch = $3"
_RENEW: Final = f"UPDATE leases SET expires = {_NOW} + {TTL} {_OURS}"  # noqa: S608 - our own constants
_RELEASE: Final = f"UPDATE leases SET expires = 0 {_OURS}"  # noqa: S608 - our own constants
# FOR UPDATE waits for the end of a transaction that a lost connection left behind.
_COMMITS: Final = f"SELECT commits FROM leases {_OURS} FOR UPDATE"  # noqa: S608 - our own constants
_FREE: Final = "INSERT INTO leases VALUES ($1, '', '', 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING"
_MAKING: Final = 0x52494E47
"""Advisory lock: two processes that make the table at once would fail on PostgreSQL's own catalogue."""


class LeaseHeld(OSError):
    """Another process owns the database; the text says which, and what to do."""


async def holder_of(connection: Any) -> Holder | None:
    """Who holds the lease now; None: nobody, or there is no such table yet."""
    try:
        row = await connection.fetchrow(_READ, NAME)
    except asyncpg.UndefinedTableError:
        return None
    if row is None or row["left"] <= 0:
        return None
    return Holder(row["host"], row["pid"], row["since"], row["left"])


class Lease:
    """This process' claim to the database."""

    def __init__(self) -> None:
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._id = secrets.token_hex(16)
        self._epoch = 0
        self.why_lost = ""
        """Why this process may write no more; empty: it may."""
        self._gone = asyncio.Event()

    async def take(
        self, connection: Any, dialect: Dialect, patience: float, waiting: Callable[[Holder], None] | None
    ) -> None:
        """Take it as soon as it is free. Raises :class:`LeaseHeld` after ``patience`` seconds.

        ``waiting`` is told, at every look, who has it.
        """
        loop = asyncio.get_running_loop()
        end, made = loop.time() + patience, False
        while True:
            holder = await holder_of(connection)
            if holder is None:
                if not made:
                    await _make(connection, dialect)
                    made = True
                epoch = await connection.fetchval(_TAKE, NAME, self._id, self._host, self._pid)
                if epoch is not None:
                    self._epoch = int(epoch)
                    return
            elif waiting is not None:
                waiting(holder)
            if loop.time() > end:
                raise LeaseHeld(
                    f"the database is owned by {holder or 'a process that has just taken it'}, and one alone may "
                    f"write to it: stop that process (one that has died loses it within {TTL:.0f} s), or let a server "
                    "wait for its end with `ringback serve --standby`"
                )
            await asyncio.sleep(ASK_EVERY * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    def fence(self, commits: int) -> str:
        """Begin a transaction: answered with ``UPDATE 1`` as long as the lease is ours.

        The row stays locked until the transaction ends, so nobody can take over in the middle of it. One text in
        one round trip with ``BEGIN``; ``commits`` tells later whether this transaction took place.
        """
        return (
            f"BEGIN; UPDATE leases SET commits = {commits:d}"  # noqa: S608 - numbers and our own constants
            f" WHERE name = '{NAME}' AND holder = '{self._id}' AND epoch = {self._epoch:d}"
        )

    async def last_commit(self, connection: Any) -> int | None:
        """The number of the last transaction that took place; None: the lease is no longer ours.

        Waits for a transaction of ours whose connection was lost and which the server has not ended yet.
        """
        found = await connection.fetchval(_COMMITS, NAME, self._id, self._epoch)
        return None if found is None else int(found)

    async def keep(self, connect: Callable[[], Any]) -> None:
        """Renew it until it is lost. ``connect()`` gives a connection of its own."""
        connection: Any = None
        pause = RENEW_EVERY
        failing = False
        try:
            while not self.why_lost:
                await asyncio.sleep(pause)
                try:
                    if connection is None or connection.is_closed():
                        connection = await connect()
                    done = await connection.execute(_RENEW, NAME, self._id, self._epoch, timeout=TTL)
                    if done != "UPDATE 1":
                        self.lose(
                            f"it was taken over by {await holder_of(connection) or 'another, which has ended'}"
                        )
                    pause, failing = RENEW_EVERY, False
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    if not failing:  # once: that the database is away is said elsewhere
                        log.warning("the lease of the database could not be renewed: %r", error)
                    failing = True
                    pause = ASK_EVERY * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        finally:
            if connection is not None:
                connection.terminate()

    async def give_back(self, connection: Any) -> None:
        """Let another take it at once."""
        await connection.execute(_RELEASE, NAME, self._id, self._epoch)

    def lose(self, why: str) -> None:
        """It is not ours any more: say so, once."""
        if not self.why_lost:
            self.why_lost = f"this process no longer owns the database: {why}"
            log.critical("%s. It writes nothing more and ends.", self.why_lost)
            self._gone.set()

    async def lost(self) -> str:
        """Wait until it is lost; gives why."""
        await self._gone.wait()
        return self.why_lost


async def _make(connection: Any, dialect: Dialect) -> None:
    """Make the table and the row: before any migration, because who migrates must hold the lease."""
    table = tables(()).tables["leases"]
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MAKING)
        create = sa.schema.CreateTable(table, if_not_exists=True)
        await connection.execute(str(create.compile(dialect=dialect)))
        await connection.execute(_FREE, NAME)
