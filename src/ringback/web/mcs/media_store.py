"""The media store: a row and a file for each, within the limits of the settings; and what clears up behind it.

The file is whole and in its place before its row is committed, and a row goes before its file: a crash between the two
leaves a file that nobody has, which the next look removes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from ringback.effects import Delete, Effect, Save
from ringback.effects.media import DropMedia
from ringback.events.messaging import Attachment
from ringback.kernel.clock import Clock
from ringback.kernel.errors import Refused
from ringback.kernel.media_limits import MediaLimits
from ringback.kernel.sid import is_sid
from ringback.resources.mcs.media_file import Category, MediaFile
from ringback.sharing.seats import Full, Seats
from ringback.store import Condition, DeleteIf, Query, Stale, Store
from ringback.web.mcs import ticket
from ringback.web.mcs.files import Files
from ringback.web.mcs.sniffing import HEAD, true_type

log = logging.getLogger("ringback.media")

UPLOADS: Final = 16
"""Files that come in at a time; a quarter is never one account's alone."""
LONGEST_LINE: Final = 200
"""Of one account that may wait."""
PIECE: Final = 256 * 1024
"""Bytes that are written at a time."""
GRACE: Final = 3600.0
"""Seconds between the time from which an upload cannot be attached any more and its removal."""
SLICE: Final = 100


class MediaStore:
    """See the module. ``files`` is its folder; :meth:`look` is asked for now and then by retention."""

    def __init__(
        self,
        *,
        store: Store,
        files: Files,
        clock: Clock,
        limits: MediaLimits,
        new_sid: Callable[[str], str],
        secret_of: Callable[[str], Awaitable[str]],
        full: Callable[[], str],
        public_url: str,
    ) -> None:
        """``secret_of`` gives an account's auth token, which signs URLs; ``full()`` says why the disk takes nothing."""
        self._store, self.files, self._clock, self._limits = store, files, clock, limits
        self._new_sid, self._secret_of, self._full = new_sid, secret_of, full
        self.public_url = public_url
        self._uploads = Seats(UPLOADS, reserve=UPLOADS // 4, longest=LONGEST_LINE)
        self._used: dict[str, int] = {}
        """Bytes of an account's media, once they have been added up."""
        self._coming: Counter[str] = Counter()
        """Bytes of an account's uploads that are under way."""
        self._going: set[asyncio.Task[None]] = set()
        self.removed = 0

    @property
    def largest(self) -> int:
        """Bytes of one file at most."""
        return int(self._limits.media_megabytes * 1e6)

    def figures(self) -> dict[str, float]:
        """For ``/metrics``."""
        return {
            "media_uploads": float(self._uploads.busy),
            "media_uploads_waiting": float(self._uploads.waiting),
            "media_removed_total": float(self.removed),
        }

    # --- in ---------------------------------------------------------------------------------------------

    async def take(
        self,
        account_sid: str,
        pieces: AsyncIterator[bytes],
        told: Callable[[], tuple[str, str]],
        *,
        category: Category = "media",
        author: str = "system",
        chat_service_sid: str = "",
        message_sid: str = "",
    ) -> MediaFile:
        """Keep a file. ``told`` gives its Content-Type and name once all of it has come.

        Raises ``Refused``: 413/20413 too large, or more than the account may keep; 415/20001 a type that is not
        taken; 400/20001 nothing; 429 too many at once; 503/20503 the disk is full. Nothing is kept then.
        """
        try:
            async with self._uploads.of(account_sid):
                return await self._take(
                    account_sid, pieces, told, category, author, chat_service_sid, message_sid
                )
        except Full as full:
            raise Refused(20429, f"Too many uploads at once: {full}", 429) from None

    async def _take(
        self, account_sid: str, pieces: AsyncIterator[bytes], told: Callable[[], tuple[str, str]],
        category: Category, author: str, chat_service_sid: str, message_sid: str,
    ) -> MediaFile:  # fmt: skip
        if why := self._full():
            raise Refused(20503, f"No media can be kept now: {why}", 503)
        room = await self._room(account_sid)
        sid, size, kept = self._new_sid("ME"), 0, False
        try:
            file = await asyncio.to_thread(self.files.begin, sid)
            try:
                head, held = b"", bytearray()
                async for piece in pieces:
                    size += len(piece)
                    self._coming[account_sid] += len(piece)
                    self._check(account_sid, size, room)
                    head = head or b""
                    if len(head) < HEAD:
                        head += piece[: HEAD - len(head)]
                    held += piece
                    if len(held) >= PIECE:
                        await asyncio.to_thread(file.write, bytes(held))
                        held.clear()
                if not size:
                    raise Refused(20001, "The file is empty", 400)
                declared, name = told()
                content_type = true_type(head, declared)
                if not self._limits.takes(content_type):
                    raise Refused(20001, f"Files of the type {content_type} are not taken here", 415)
                await asyncio.to_thread(file.write, bytes(held))
                await asyncio.to_thread(self.files.finish, sid, file)
                kept = True
            finally:
                if not kept:
                    await asyncio.to_thread(self.files.drop, sid, file)
            now = self._clock.now()
            record = MediaFile(
                sid=sid, account_sid=account_sid, date_created=now, date_updated=now, message_sid=message_sid,
                content_type=content_type, chat_service_sid=chat_service_sid, filename=name or None, size=size,
                category=category, author=author,
            )  # fmt: skip
            try:
                await self._store.commit([Save(record)])
            except BaseException:
                await asyncio.to_thread(self.files.remove, sid)
                raise
        except OSError as error:
            log.warning("a file of %d bytes could not be written: %s", size, error.strerror)
            raise Refused(20503, f"The file could not be kept: {error.strerror}", 503) from None
        finally:
            self._coming[account_sid] -= size
            if not self._coming[account_sid]:
                del self._coming[account_sid]
        if account_sid in self._used:
            self._used[account_sid] += size
        return record

    def _check(self, account_sid: str, size: int, room: float) -> None:
        if size > self.largest:
            raise Refused(20413, f"The file is larger than {self._limits.media_megabytes:g} MB", 413)
        if self._coming[account_sid] > room:
            most = self._limits.account_media_megabytes
            raise Refused(20413, f"The account's media would be more than {most:g} MB", 413)

    async def _room(self, account_sid: str) -> float:
        """Bytes that the account may still keep; at least those of its uploads under way count against them."""
        most = self._limits.account_media_megabytes * 1e6
        if not most:
            return float("inf")
        if account_sid not in self._used:
            self._used[account_sid] = await self._store.total(MediaFile, account_sid, "size")
        return most - self._used[account_sid]

    # --- out --------------------------------------------------------------------------------------------

    async def url(self, record: MediaFile, seconds: int = ticket.SECONDS) -> str:
        """Where anybody may fetch it for a while."""
        secret = await self._secret_of(record.account_sid)
        expires = int(self._clock.now()) + seconds
        return f"{self.public_url}/mcs/v1/Content/{record.sid}?{ticket.query(secret, record.sid, expires)}"

    async def find(
        self, account_sid: str, chat_service_sid: str, sids: Sequence[str]
    ) -> list[dict[str, Any]]:
        """What a message tells of the uploads that it takes: ``sid``, ``category``, ``content_type``, ``filename``,
        ``size``. Raises ``Refused``: 404/20404 for one that there is not, 400/20001 for one that is another message's.
        """
        found = []
        for given in sids:
            sid = given[:2] + given[2:].lower()
            record = await self._store.get(MediaFile, sid, account_sid) if is_sid(sid, "ME") else None
            if record is None or record.chat_service_sid != chat_service_sid:
                raise Refused(20404, f"The media {given[:34]} was not found", 404)
            if not self.attachable(record):
                raise Refused(20001, f"The media {sid} belongs to another message, or has expired", 400)
            found.append(record.facts)
        return found

    async def located(
        self, account_sid: str, attachments: Sequence[Attachment], seconds: int
    ) -> tuple[Attachment, ...]:
        """The same attachments with a URL each by which a carrier may fetch them for so many seconds; those that are
        in the store no more are left out."""
        found = []
        for each in attachments:
            if each.sid:
                record = await self._store.get(MediaFile, each.sid, account_sid)
                if record is None:
                    continue
                each = replace(each, url=await self.url(record, seconds))
            found.append(each)
        return tuple(found)

    def attachable(self, record: MediaFile) -> bool:
        """Whether a message may still take this upload: it has none yet, and is not about to be removed."""
        return not record.message_sid and record.date_created > self._clock.now() - self._unattached

    @property
    def _unattached(self) -> float:
        return self._limits.media_unattached_hours * 3600

    # --- away -------------------------------------------------------------------------------------------

    async def remove(self, record: MediaFile) -> None:
        """Delete the row, then the file."""
        await self._store.commit([Delete(record)])
        await self.forget([record.sid])
        if record.account_sid in self._used:
            self._used[record.account_sid] -= record.size

    def follow(self, effects: Iterable[Effect]) -> None:
        """After a commit: the bytes of what it dropped go too."""
        gone = [each.media_sid for each in effects if isinstance(each, DropMedia)]
        if gone:
            task = asyncio.get_running_loop().create_task(self.forget(gone))
            self._going.add(task)
            task.add_done_callback(self._going.discard)

    async def close(self) -> None:
        """Wait for files that are being deleted."""
        if self._going:
            await asyncio.wait(self._going)

    async def forget(self, sids: Iterable[str]) -> None:
        """Delete files whose rows are gone."""
        for sid in sids:
            await asyncio.to_thread(self.files.remove, sid)
            self.removed += 1

    async def look(self) -> None:
        """Remove uploads that no message has taken, and files that a crash has left without a row."""
        self._used.clear()  # others delete rows with their messages; it is added up again when it is needed
        await self._expire()
        await self._orphans()

    async def _expire(self) -> None:
        before, after = self._clock.now() - self._unattached - GRACE, ""
        unattached = [Condition("message_sid", "=", "")]
        while True:
            query = Query(conditions=unattached, limit=SLICE, after=after, ascending=True)
            found = (await self._store.page(MediaFile, query)).records
            for record in found:
                if record.date_created >= before:
                    return
                read = await self._store.get_versioned(MediaFile, record.sid)
                if read is None or read[0].message_sid:
                    continue
                try:
                    await self._store.commit([DeleteIf(*read)])
                except Stale:
                    continue  # a message has taken it at the last moment
                await self.forget([record.sid])
            if len(found) < SLICE:
                return
            after = found[-1].sid

    async def _orphans(self) -> None:
        there = await asyncio.to_thread(lambda: list(self.files.old()))
        for start in range(0, len(there), SLICE):
            some = there[start : start + SLICE]
            rows = await self._store.sids(
                MediaFile, Query(conditions=[Condition("sid", "in", tuple(some))], limit=SLICE)
            )
            gone = sorted(set(some) - set(rows))
            if gone:
                log.warning("%d files of media had no row: they are removed", len(gone))
                await self.forget(gone)
