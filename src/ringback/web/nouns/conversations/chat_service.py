"""Chat services: which one the short paths mean, what a new one begins with, and how one goes (conversations.md §1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringback.effects import Effect, Save
from ringback.kernel.resource import Operation
from ringback.resources.conversations.chat_service import ChatService
from ringback.store import Condition, SaveIf
from ringback.web.conversations.default_service import default_service
from ringback.web.conversations.service import beginnings
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params


class ChatServiceRules(NounRules):
    """A removed service is gone at once for everybody; all that was in it follows piece by piece."""

    noun = ChatService

    async def implied(self, ctx: Context) -> ChatService:
        """The account's default service, made when it is first needed."""
        async with ctx.services.locks(f"default-service {ctx.account.sid}"):
            return await default_service(ctx.store, ctx.account.sid, self.ports.new_sid, ctx.now)

    async def fetch(self, ctx: Context, word: str) -> Any:
        """One that is not being removed."""
        found = await super().fetch(ctx, word)
        return None if found is None or found.removed else found

    def only(self, ctx: Context) -> list[Condition]:
        """Those that are not being removed."""
        return [Condition("removed", "=", False)]

    def along(self, ctx: Context, operation: Operation, before: Any) -> Sequence[Effect]:
        """The roles and the configuration of a new one."""
        return beginnings(ctx.record, self.ports.new_sid, ctx.now) if operation == "create" else ()

    async def delete(self, ctx: Context, params: Params) -> None:
        """Mark it as removed; the rest needs no request to wait for it."""
        gone = ctx.record.copy()
        gone.removed, gone.date_updated = True, ctx.now
        told = self.told(ctx, "delete", ctx.record, None)
        await self._commit(ctx, Save(gone) if ctx.version is None else SaveIf(gone, ctx.version), *told)
        self.ports.service_removed()
