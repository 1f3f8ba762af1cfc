"""Files of messages: their path without ``.json`` leads to the file itself."""

from __future__ import annotations

from typing import Any

from ringback.effects import Delete
from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.api.media import Media
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.rules import normal


class MediaRules(NounRules):
    """Of the message that the path names, and no other's."""

    noun = Media
    audited = frozenset({"delete"})
    media = ("",)

    async def fetch(self, ctx: Context, word: str) -> Any:
        """One of the message's files."""
        found = await super().fetch(ctx, word)
        return found if found is not None and found.message_sid == normal(ctx.args["MessageSid"]) else None

    async def sound(self, ctx: Context, suffix: str) -> Answer:
        """A redirect to where the file is."""
        sid = normal(ctx.args["Sid"])
        found = await self.fetch(ctx, sid) if is_sid(sid, "ME") else None
        if found is None or not found.url:
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        return Answer(307, headers=[(b"location", found.url.encode())])

    async def delete(self, ctx: Context, params: Params) -> None:
        """The record; the file is not ours."""
        await ctx.store.commit([Delete(ctx.record), *self.told(ctx, "delete", ctx.record, None)])
        ctx.audited = True
