"""Files of texts: without ``.json`` the path leads to the bytes (rest-conventions.md §3, redirect)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.kernel.sid import is_sid
from ringback.resources.api.media import Media
from ringback.web.nouns import NounRules
from ringback.web.nouns.ports import Ports
from ringback.web.rest.answer import Answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.rules import normal


class MediaRules(NounRules):
    """The bytes are served by the media store, by a URL that is good for a while: 307."""

    noun = Media
    audited = frozenset({"delete"})
    media = ("",)

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self.open_media = not ports.media_auth

    async def sound(self, ctx: Context, suffix: str) -> Answer:
        """Where the bytes are."""
        sid, message = normal(ctx.args["Sid"]), normal(ctx.args["MessageSid"])
        record = await ctx.store.get(Media, sid, ctx.account.sid) if is_sid(sid, "ME") else None
        if record is None or record.message_sid != message:
            raise Refused(20404, f"The requested resource {ctx.path} was not found", 404)
        return Answer(307, headers=[(b"location", (await self.ports.media.url(record)).encode())])

    async def delete(self, ctx: Context, params: Params) -> Any:
        """The row and the file."""
        await self.ports.media.remove(ctx.record)
