"""Chat services: which one the short paths mean (conversations.md §1)."""

from __future__ import annotations

from ringback.resources.conversations.chat_service import ChatService
from ringback.web.conversations.default_service import default_service
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context


class ChatServiceRules(NounRules):
    """Services."""

    noun = ChatService

    async def implied(self, ctx: Context) -> ChatService:
        """The account's default service, made when it is first needed."""
        async with ctx.services.locks(f"default-service {ctx.account.sid}"):
            return await default_service(ctx.store, ctx.account.sid, self.ports.new_sid, ctx.now)
