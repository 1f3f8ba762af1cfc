"""Files of texts that come as URLs of a carrier: fetched once, through the webhooks' guard, and kept as our own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import PurePosixPath
from typing import BinaryIO, Final
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from ringback.events.messaging import Attachment
from ringback.kernel.errors import Refused
from ringback.sharing.seats import Full, Seats
from ringback.web.mcs.media_store import PIECE, MediaStore
from ringback.web.mcs.upload import shown_name
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

log = logging.getLogger("ringback.media")

DOWNLOADS: Final = 16
"""At a time; a quarter is never one account's alone."""
LONGEST_LINE: Final = 1000
UNFETCHED: Final = 11200


class MediaFetcher:
    """Turns attachments with a URL into attachments in the store; what cannot be had keeps its URL."""

    def __init__(
        self, media: MediaStore, sender: WebhookSender, lost: Callable[[str, str, int, str], Awaitable[None]]
    ) -> None:
        """``lost(account_sid, message_sid, code, text)`` is told of each file that could not be had."""
        self._media, self._sender, self._lost = media, sender, lost
        self._downloads = Seats(DOWNLOADS, reserve=DOWNLOADS // 4, longest=LONGEST_LINE)

    async def keep(
        self, account_sid: str, attachments: Sequence[Attachment], message_sid: str
    ) -> tuple[Attachment, ...]:
        """All of one message, at the same time. They are uploads until the message attaches them."""
        return tuple(
            await asyncio.gather(*(self._one(account_sid, each, message_sid) for each in attachments))
        )

    async def _one(self, account_sid: str, given: Attachment, message_sid: str) -> Attachment:
        if given.sid or not given.url:
            return given
        host = ""
        try:
            host = urlsplit(given.url).hostname or ""
            async with self._downloads.of(account_sid):
                return await self._fetched(account_sid, given)
        except (Full, Refused, ValueError) as why:  # ValueError: what the carrier gave is no URL
            log.warning("%s is not kept, only its URL: %s", host, why)
            code = why.code if isinstance(why, Refused) else UNFETCHED
            await self._lost(
                account_sid, message_sid, code, f"The file of the message at {host} is not kept: {why}"
            )
            return given

    async def _fetched(self, account_sid: str, given: Attachment) -> Attachment:
        with self._media.files.scratch() as file:
            delivery = await self._sender.send(
                Hook(
                    url=urlsplit(given.url)._replace(fragment="").geturl(), method="GET", kind="media",
                    sink=file.write, body_limit=self._media.largest, account=account_sid,
                )
            )  # fmt: skip
            if not delivery.ok:
                raise Refused(delivery.error_code or 11200, delivery.error_text)
            kind = delivery.headers.get("content-type", "") or given.content_type
            name = given.filename or PurePosixPath(unquote(urlsplit(delivery.final_url).path)).name
            record = await self._media.take(account_sid, _pieces(file), lambda: (kind, shown_name(name)))
        return replace(
            given,
            sid=record.sid,
            content_type=record.content_type,
            size=record.size,
            filename=record.filename or "",
        )


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece
