"""The store: what the rest of the product calls. It speaks in records and effects; engines speak SQL."""

from __future__ import annotations

import copy
import itertools
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

import msgspec
import sqlalchemy as sa

from ringback.effects import ClaimDial, ClearDeadline, Delete, QueueDial, Save, SendWebhook, SetDeadline
from ringback.effects.media import AttachMedia, DropMedia
from ringback.effects.messaging import ClaimSend, QueueSend
from ringback.kernel.lane import Lane
from ringback.kernel.resource import Record
from ringback.kernel.sid import SidMaker
from ringback.resources import all_nouns
from ringback.store import ledger, messages, migrate
from ringback.store.codec import decoder, encoder
from ringback.store.engine import Engine, Holder
from ringback.store.hurried import HurriedEngine
from ringback.store.pruning import Pruning
from ringback.store.query import Condition, Page, Query
from ringback.store.sql import Statement, sql_texts
from ringback.store.tables import tables
from ringback.store.writes import (
    Attempt,
    DeleteIf,
    Leaving,
    LogHttp,
    Message,
    MessageDone,
    MessageFailed,
    OutboxDone,
    Owed,
    SaveIf,
)

log = logging.getLogger("ringback.store")

R = TypeVar("R", bound=Record)

FEW = 30
"""Records that are read on the event loop: with more, a thread costs less than what waits meanwhile."""

_dump = msgspec.json.Encoder().encode
_LEAVING: dict[str, Callable[[str], Leaving]] = {
    "webhook": msgspec.json.Decoder(SendWebhook).decode,
    "dial": msgspec.json.Decoder(QueueDial).decode,
    "send": msgspec.json.Decoder(QueueSend).decode,
}
"""Kinds of rows of the outbox."""


def make_engine(
    url: str,
    synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
    patience: float = 10.0,
    waiting: Callable[[Holder], None] | None = None,
) -> Engine:
    """Choose the engine: ``sqlite:///path`` or ``postgresql://…``. Raises ``ValueError`` for others."""
    if url.startswith("sqlite:///"):
        from ringback.store.sqlite import SqliteEngine

        return SqliteEngine(url.removeprefix("sqlite:///"), synchronous, patience)
    if url.startswith(("postgresql://", "postgres://")):
        from ringback.store.postgresql import PostgresqlEngine

        return PostgresqlEngine(url, patience=patience, waiting=waiting)
    raise ValueError(f"database URL {url!r}: write sqlite:///path or postgresql://user@host/name")


class Store:
    """All records, the outbox, the durable timers and the log of requests."""

    def __init__(self, engine: Engine, nouns: Iterable[type[Record]]) -> None:
        self.nouns = tuple(record for record in nouns if record.__noun__.stored)
        self.metadata = tables(self.nouns)
        self._engine: Engine = engine
        self._sql = sql_texts(engine.dialect, self.metadata, engine.insert)
        self._encode = {record: encoder(record) for record in self.nouns}
        self._decode = {record: decoder(record) for record in self.nouns}
        self._latest = 0.0
        own = random.SystemRandom().getrandbits(64)
        self.new_sid = SidMaker(self._now, lambda bits: own & ((1 << bits) - 1))
        """Of the rows of outbox and messages: in the order in which they are made, and of no other process. Nobody
        outside sees them, so they need not be hard to guess: the random part is the process's."""
        self._entry_ids = itertools.count(1)
        self._turn: dict[type[Any], Callable[[Any, list[Owed]], Statement]] = {
            Save: self._save,
            Delete: self._delete,
            SaveIf: self._save_if,
            DeleteIf: self._delete_if,
            SendWebhook: self._owe,
            QueueDial: self._queue_dial,
            ClaimDial: self._claim_dial,
            QueueSend: self._queue_send,
            ClaimSend: self._claim_send,
            Message: self._send,
            MessageDone: self._received,
            MessageFailed: self._unreceived,
            AttachMedia: self._attach,
            DropMedia: self._drop,
            SetDeadline: self._set_deadline,
            ClearDeadline: self._clear_deadline,
            OutboxDone: self._done,
            LogHttp: self._log,
        }

    @classmethod
    async def open(
        cls,
        url: str,
        nouns: Iterable[type[Record]] | None = None,
        synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
        patience: float = 10.0,
        waiting: Callable[[Holder], None] | None = None,
    ) -> Store:
        """Become the owner and bring the tables up to date. ``nouns``: default all that are declared.

        A database has one owner: ``patience`` is for how many seconds the end of another is waited for; then
        ``OSError``. On PostgreSQL ``waiting`` is told meanwhile who that is, and patience may be infinite.
        """
        engine = make_engine(url, synchronous, patience, waiting)
        store = cls(engine, all_nouns() if nouns is None else nouns)
        await store._engine.open()
        try:
            await migrate.upgrade(store._engine, store.metadata)
            await store._continue_counting()
            engine.watch()
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def broken(self) -> str:
        """Why nothing can be written now, or any more (for ``/ready``); empty: it can."""
        if self._engine.broken:
            return self._engine.broken
        why = self._engine.backlog.why
        return f"the database cannot be written: {why}" if why else ""

    @property
    def trouble(self) -> str:
        """Why the database cannot be written at the moment; it may be over soon, and writes are kept."""
        return self._engine.backlog.why

    @property
    def refusing(self) -> bool:
        """Whether that has lasted so long that requests are refused at once."""
        return self._engine.backlog.refusing

    def watch(self, told: Callable[[str, float, bool], None]) -> None:
        """Have the begin of trouble told (why, 0, …), and its end (empty, how many seconds it took, whether it was
        more than a moment)."""
        self._engine.backlog.watchers.append(told)

    def hurried(self) -> Store:
        """The same store for requests: :class:`Unavailable` in place of a long wait."""
        found = copy.copy(self)
        found._engine = HurriedEngine(self._engine)
        return found

    @property
    def pruning(self) -> Pruning:
        """What removes old rows that are no records."""
        return Pruning(self._engine)

    async def total(self, record: type[Record], account_sid: str, column: str) -> int:
        """The sum of a column (bytes) of an account's records."""
        table = self.metadata.tables[record.__noun__.table]
        one = sa.select(sa.func.sum(table.c[column])).where(
            table.c.account_sid == sa.bindparam("owner", type_=table.c.account_sid.type)
        )
        return int((await self._engine.rows(self._sql.text(one), (account_sid,)))[0][0] or 0)

    def figures(self) -> dict[str, float]:
        """For ``/metrics``."""
        backlog = self._engine.backlog
        return {
            "store_trouble": float(bool(self.broken)),
            "store_troubles_total": float(backlog.troubles),
            "store_waiting": float(len(backlog.jobs)),
            "store_kept_bytes": float(backlog.bytes),
            "store_kept_writes_total": float(backlog.kept),
            "store_refused_writes_total": float(backlog.refused),
        }

    async def lost(self) -> str:
        """Wait until another process owns the database; gives why. Nothing can be written any more then."""
        return await self._engine.lost()

    async def close(self) -> None:
        """Finish the writes handed in, then disconnect."""
        await self._engine.close()

    def _now(self) -> float:
        self._latest = max(
            self._latest, time.time()
        )  # a clock that is set back must not turn the order round
        return self._latest

    async def _continue_counting(self) -> None:
        found = await self._engine.rows("SELECT COALESCE(MAX(id), 0) FROM http_events", ())
        self._entry_ids = itertools.count(int(found[0][0]) + 1)

    # --- writing --------------------------------------------------------------------------------------

    async def commit(self, writes: Sequence[Any]) -> list[Owed]:
        """Write all or nothing: the committed effects, messages, ``SaveIf``, ``DeleteIf`` …

        Many concurrent commits share one transaction. Gives the outbox rows that were made, in order.
        Records are read now: changing them afterwards does not change what is written.
        While the database cannot be written, this waits for it, however long it takes (see :meth:`hurried`).
        Raises :class:`Conflict` for a broken unique key, :class:`Stale` for a record that is not as expected,
        :class:`OwnershipLost` when another process owns the database by now, :class:`Unavailable` when more waits
        already than memory is given.
        """
        owed: list[Owed] = []
        statements = self._statements(writes, owed)
        if statements:
            await self._engine.write(statements)
        return owed

    async def commit_or_keep(
        self, writes: Sequence[Any], kept: Callable[[Sequence[Owed] | Exception], None]
    ) -> list[Owed] | None:
        """The same for who cannot wait: None means that the database cannot be written now and the writes are kept;
        ``kept`` is told the rows when they are there, or why they are not after all."""
        owed: list[Owed] = []
        statements = self._statements(writes, owed)
        if statements and not await self._engine.write(statements, told=partial(_tell, kept, owed)):
            return None
        return owed

    def commit_soon(self, writes: Sequence[Any]) -> None:
        """Write without waiting, for what may be lost with the last second (the log of requests)."""
        self._engine.write_soon(self._statements(writes, []))

    def _statements(self, writes: Sequence[Any], owed: list[Owed]) -> list[Statement]:
        if len(writes) > 1:
            writes = _last_of_each(writes)
        return [self._turn[type(write)](write, owed) for write in writes]

    def _save(self, write: Save, _: list[Owed]) -> Statement:
        record = type(write.record)
        table = record.__noun__.table
        return Statement(self._sql.upsert(table), self._encode[record](write.record), table)

    def _delete(self, write: Delete, _: list[Owed]) -> Statement:
        table = type(write.record).__noun__.table
        return Statement(self._sql.delete(table), (write.record.sid,), table)

    def _save_if(self, write: SaveIf, _: list[Owed]) -> Statement:
        record = type(write.record)
        table = record.__noun__.table
        return Statement(
            self._sql.save_if(table), (*self._encode[record](write.record), write.version), table
        )

    def _delete_if(self, write: DeleteIf, _: list[Owed]) -> Statement:
        table = type(write.record).__noun__.table
        return Statement(self._sql.delete_if(table), (write.record.sid, write.version), table)

    def _owe(self, write: SendWebhook, owed: list[Owed]) -> Statement:
        return self._leave(Owed(self.new_sid("OX"), write), "webhook", owed)

    def _queue_dial(self, write: QueueDial, owed: list[Owed]) -> Statement:
        return self._leave(Owed(write.call_sid, write), "dial", owed)

    def _queue_send(self, write: QueueSend, owed: list[Owed]) -> Statement:
        return self._leave(Owed(write.message_sid, write), "send", owed)

    def _leave(self, row: Owed, kind: str, owed: list[Owed]) -> Statement:
        owed.append(row)
        return Statement(self._sql.upsert("outbox"), (row.sid, kind, _dump(row.what).decode()), "outbox")

    def _claim_dial(self, write: ClaimDial, _: list[Owed]) -> Statement:
        return Statement(self._sql.delete("outbox"), (write.call_sid,), "outbox")

    def _claim_send(self, write: ClaimSend, _: list[Owed]) -> Statement:
        return Statement(self._sql.delete("outbox"), (write.message_sid,), "outbox")

    def _done(self, write: OutboxDone, _: list[Owed]) -> Statement:
        return Statement(self._sql.delete("outbox"), (write.sid,), "outbox")

    def _send(self, write: Message, _: list[Owed]) -> Statement:
        return Statement(
            self._sql.upsert("messages"), (write.sid, *messages.dump(write.event), None), "messages"
        )

    def _received(self, write: MessageDone, _: list[Owed]) -> Statement:
        return Statement(self._sql.delete("messages"), (write.sid,), "messages")

    def _unreceived(self, write: MessageFailed, _: list[Owed]) -> Statement:
        return Statement(self._sql.mark("messages", "failed"), (write.why, write.sid), "messages")

    def _attach(self, write: AttachMedia, _: list[Owed]) -> Statement:
        values = (write.chat_service_sid, write.conversation_sid, write.message_sid, write.media_sid)
        return Statement(self._sql.attach("mcs_media"), values, "mcs_media")

    def _drop(self, write: DropMedia, _: list[Owed]) -> Statement:
        return Statement(self._sql.delete("mcs_media"), (write.media_sid,), "mcs_media")

    def _set_deadline(self, write: SetDeadline, _: list[Owed]) -> Statement:
        return Statement(self._sql.upsert("timers"), (*write.lane, write.name, write.at), "timers")

    def _clear_deadline(self, write: ClearDeadline, _: list[Owed]) -> Statement:
        return Statement(self._sql.delete("timers"), (*write.lane, write.name), "timers")

    def _log(self, write: LogHttp, _: list[Owed]) -> Statement:
        return ledger.row(next(self._entry_ids), write, self._engine.dialect.name)

    # --- reading --------------------------------------------------------------------------------------

    async def get(self, record: type[R], sid: str, account_sid: str | None = None) -> R | None:
        """One record by its SID; None when there is none, or when it is another account's."""
        if "\0" in sid:  # which PostgreSQL takes in no text
            return None
        row = await self._engine.get(self._sql.get(record.__noun__.table), (sid,))
        if row is None:
            return None
        found: R = self._decode[record](row)
        return None if account_sid is not None and found.account_sid != account_sid else found

    async def get_versioned(
        self, record: type[R], sid: str, account_sid: str | None = None
    ) -> tuple[R, int] | None:
        """The same with the version of its row, for ``SaveIf`` and ``DeleteIf``."""
        row = await self._engine.get(self._sql.versioned(record.__noun__.table), (sid,))
        if row is None:
            return None
        found: R = self._decode[record](row[:-1])
        return None if account_sid is not None and found.account_sid != account_sid else (found, int(row[-1]))

    async def page(self, record: type[R], query: Query) -> Page:
        """A part of a list, newest first."""
        sql, params = self._sql.page(record, query)
        rows = list(await self._engine.rows(sql, params))
        more = len(rows) > query.limit
        records = [self._decode[record](row) for row in rows[: query.limit]]
        if query.before and not query.after:
            records.reverse()
            return Page(records, more_after=True, more_before=more)
        return Page(records, more_after=more, more_before=bool(query.after))

    async def first(self, record: type[R], **equals: Any) -> R | None:
        """The newest record with these values of indexed fields: quick, like `get`. None when there is none."""
        sql, params = self._sql.page(record, Query(conditions=_conditions(equals), limit=1))
        row = await self._engine.get(sql, params)
        return None if row is None else self._decode[record](row)

    async def find(self, record: type[R], *, limit: int = 10_000, **equals: Any) -> list[R]:
        """Records whose attributes have these values (a tuple: any of them), newest first."""
        page = await self.page(record, Query(conditions=_conditions(equals), limit=limit))
        return page.records

    async def few(self, record: type[R], **equals: Any) -> list[R]:
        """The same by indexed fields, where there are a handful nearly always: quick, like `get`."""
        sql, params = self._sql.page(record, Query(conditions=_conditions(equals), limit=FEW))
        rows = await self._engine.few(sql, params)
        if len(rows) > FEW:
            return await self.find(record, **equals)
        return [self._decode[record](row) for row in rows]

    async def sids(self, record: type[Record], query: Query) -> list[str]:
        """The SIDs of a part of a list, newest first: for who works through very many records slice by slice."""
        sql, params = self._sql.page(record, query)
        return [str(row[0]) for row in await self._engine.rows(f"SELECT sid FROM ({sql}) AS found", params)]  # noqa: S608

    async def count(self, record: type[Record], *conditions: Condition, **equals: Any) -> int:
        """How many records have these values, and meet these conditions."""
        query = Query(conditions=[*_conditions(equals), *conditions])
        sql, params = self._sql.page(record, query, count=True)
        return int((await self._engine.rows(sql, params))[0][0])

    async def owed(self) -> list[Owed]:
        """The whole outbox in order, for the start."""
        rows = await self._engine.rows("SELECT sid, kind, body FROM outbox ORDER BY sid", ())
        return [Owed(sid, _LEAVING[kind](body)) for sid, kind, body in rows]

    async def messages(self) -> list[Message]:
        """What was on its way between lanes when the last run ended, in order."""
        rows = await self._engine.rows(
            "SELECT sid, event, body FROM messages WHERE failed IS NULL ORDER BY sid", ()
        )
        found: list[Message] = []
        unreadable: list[MessageFailed] = []
        for sid, name, body in rows:
            try:
                found.append(Message(sid, messages.load(name, body)))
            except (
                KeyError,
                msgspec.MsgspecError,
            ) as error:  # of another version: it must not stop the start
                log.error("message %s (%s) cannot be read; its row is kept", sid, name)
                unreadable.append(MessageFailed(sid, f"{type(error).__name__}: {error}"))
        if unreadable:
            await self.commit(unreadable)
        return found

    async def deadlines(self) -> list[tuple[Lane, str, float]]:
        """The durable timers (lane, name, due), for the start."""
        rows = await self._engine.rows("SELECT kind, lane, name, due FROM timers ORDER BY due", ())
        return [(Lane(kind, sid), name, float(due)) for kind, sid, name, due in rows]

    async def requests_of(self, resource_sid: str, *, limit: int = 1001, after: int = 0) -> list[Attempt]:
        """Logged requests of a call, oldest first, with ids above ``after``."""
        marks = ("?", "?", "?") if self._engine.dialect.name == "sqlite" else ("$1", "$2", "$3")
        sql = (
            f"SELECT id, entry, packed FROM http_events WHERE resource_sid = {marks[0]} AND id > {marks[1]} "  # noqa: S608
            f"ORDER BY id LIMIT {marks[2]}"
        )
        rows = await self._engine.rows(sql, (resource_sid, after, limit))
        return [Attempt(int(row[0]), ledger.read(row[1], row[2])) for row in rows]


def _tell(
    kept: Callable[[Sequence[Owed] | Exception], None], owed: Sequence[Owed], error: Exception | None
) -> None:
    kept(owed if error is None else error)


def _last_of_each(writes: Sequence[Any]) -> Sequence[Any]:
    """Without the saves of records that the same commit saves or deletes once more: all of it is written at once."""
    last = {write.record.sid: write for write in writes if type(write) is Save or type(write) is Delete}
    if len(last) == len(writes):
        return writes
    return [write for write in writes if type(write) is not Save or last[write.record.sid] is write]


def _conditions(equals: dict[str, Any]) -> list[Condition]:
    return [
        Condition(name, "in" if isinstance(value, tuple) else "=", value) for name, value in equals.items()
    ]
