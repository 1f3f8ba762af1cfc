"""Files of messages: their path without ``.json`` leads to the file itself."""

from __future__ import annotations

from typing import Any

from ringback.effects import Delete
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.api.media import Media
from ringback.resources.mcs.media_file import MediaFile
from ringback.web.nouns import NounRules
from ringback.web.nouns.ports import Ports
from ringback.web.rest.answer import Answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.rules import normal


class MediaRules(NounRules):
    """Of the message that the path names, and no other's."""

    noun = Media
    audited = frozenset({"delete"})
    media = ("",)

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self.open_media = not ports.media_auth

    async def fetch(self, ctx: Context, word: str) -> Any:
        """One of the message's files."""
        found = await super().fetch(ctx, word)
        return found if found is not None and found.message_sid == normal(ctx.args["MessageSid"]) else None

    async def sound(self, ctx: Context, suffix: str) -> Answer:
        """A redirect to where the file is."""
        sid = normal(ctx.args["Sid"])
        found = await self.fetch(ctx, sid) if is_sid(sid, "ME") else None
        kept = found and found.store_sid and await ctx.store.get(MediaFile, found.store_sid, ctx.account.sid)
        if kept:
            return Answer(307, headers=[(b"location", (await self.ports.media.url(kept)).encode())])
        if found is None or not found.url:
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        return Answer(307, headers=[(b"location", found.url.encode())])

    async def delete(self, ctx: Context, params: Params) -> None:
        """The record, and the file that came with it, unless a conversation has taken that over."""
        await ctx.store.commit([Delete(ctx.record), *self.told(ctx, "delete", ctx.record, None)])
        ctx.audited = True
        file = ctx.record.store_sid and await ctx.store.get(MediaFile, ctx.record.store_sid, ctx.account.sid)
        if file and file.message_sid == ctx.record.message_sid:
            await self.ports.media.remove(file)
