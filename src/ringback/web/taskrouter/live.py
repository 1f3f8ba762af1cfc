"""What REST writes to TaskRouter's nouns become: one event of the workspace, whatever the noun."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from ringback.events import Event
from ringback.events.taskrouter import Actor, WorkspaceWriteRequested
from ringback.kernel.resource import Noun
from ringback.web.rest.context import Context, Params
from ringback.web.rest.generic import wanted_version
from ringback.web.taskrouter.reading import read

Ask = Callable[[Event], Awaitable[Any]]


class LiveNoun:
    """Create, update and delete of one noun."""

    def __init__(self, noun: Noun, ask: Ask, new_sid: Callable[[str], str]) -> None:
        self._noun, self._ask, self._new_sid = noun, ask, new_sid

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST to the list: gives the new record. Raises ``Refused``."""
        return await self._request(ctx, "create", self._new_sid(self._noun.prefix), params)

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST to the instance: gives the record as it is now. Raises ``Refused``; 412/20412 for a stale version."""
        return await self._request(ctx, "update", ctx.record.sid, params)

    async def delete(self, ctx: Context, params: Params) -> None:
        """DELETE of the instance. Raises ``Refused``."""
        await self._ask(self._event(ctx, "delete", ctx.record.sid, {}, {}))

    async def _request(
        self, ctx: Context, operation: Literal["create", "update"], sid: str, params: Params
    ) -> Any:
        values, rest = read(self._noun, operation, params)
        return await self._ask(self._event(ctx, operation, sid, values, rest))

    def _event(
        self, ctx: Context, operation: Literal["create", "update", "delete"], sid: str, values: dict[str, Any],
        params: dict[str, str],
    ) -> WorkspaceWriteRequested:  # fmt: skip
        client = ctx.scope.get("client") if ctx.scope is not None else None
        return WorkspaceWriteRequested(
            call_sid=sid if self._noun.name == "Workspace" else ctx.args["WorkspaceSid"],
            account_sid=ctx.account.sid, noun=self._noun.name, operation=operation, sid=sid, values=values,
            params=params, if_match=wanted_version(ctx),
            actor=Actor(type="account", sid=ctx.account.sid, source="API", ip=client[0] if client else ""),
        )  # fmt: skip
