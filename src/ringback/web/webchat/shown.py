"""A message as a customer's browser is told it."""

from __future__ import annotations

from typing import Any

from ringback.resources.conversations.message import Message
from ringback.resources.mcs.media_file import MediaFile
from ringback.store import Store
from ringback.web.mcs.media_store import MediaStore
from ringback.web.rest.render import iso8601


class Shown:
    """See the module."""

    def __init__(self, store: Store, media: MediaStore) -> None:
        self._store, self._media = store, media

    async def message(self, message: Message, identity: str) -> dict[str, Any]:
        """``own``: whether the reader has written it; the files' ``url`` is good for five minutes, null: it is gone."""
        return {
            "sid": message.sid,
            "index": message.index,
            "author": message.author,
            "own": message.author == identity,
            "body": message.body,
            "media": [await self._file(message, each) for each in message.media or ()],
            "attributes": message.attributes,
            "date_created": iso8601(message.date_created),
        }

    async def _file(self, message: Message, facts: dict[str, Any]) -> dict[str, Any]:
        found = await self._store.get(MediaFile, str(facts.get("sid") or ""), message.account_sid)
        names = ("sid", "content_type", "filename", "size")
        url = None if found is None else await self._media.url(found)
        return {name: facts.get(name) for name in names} | {"url": url}
