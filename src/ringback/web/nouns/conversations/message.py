"""Messages of conversations, and the files that they bring (conversations.md §1)."""

from __future__ import annotations

from typing import Any, ClassVar

from ringback.resources.conversations.message import Message
from ringback.web.conversations.writing import ConversationsRules
from ringback.web.rest.context import Context, Params


class MessageRules(ConversationsRules):
    """Messages of a conversation."""

    noun = Message
    kind = "Message"
    values: ClassVar = {
        "Author": "author",
        "Body": "body",
        "Attributes": "attributes",
        "ContentSid": "content_sid",
        "ContentVariables": "content_variables",
        "Subject": "subject",
    }

    async def read(self, ctx: Context, params: Params) -> dict[str, Any]:
        """The values, with the facts of the files."""
        found = await super().read(ctx, params)
        sids = [each for each in params.get("MediaSid", ()) if each]
        if sids:
            found["media"] = await self.ports.media.find(ctx.account.sid, ctx.args["ChatServiceSid"], sids)
        return found
