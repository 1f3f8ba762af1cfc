"""What REST writes to TaskRouter's nouns become: one event of the workspace, whatever the noun."""

from __future__ import annotations

from typing import Any, Literal

from ringback.events.taskrouter import Actor, WorkspaceWriteRequested
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.generic import wanted_version
from ringback.web.taskrouter.reading import read


class TaskRouterRules(NounRules):
    """Create, update and delete of one noun."""

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST to the list: gives the new record. Raises ``Refused``."""
        return await self._request(ctx, "create", self.ports.new_sid(self.noun.__noun__.prefix), params)

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST to the instance: gives the record as it is now. Raises ``Refused``; 412/20412 for a stale version."""
        return await self._request(ctx, "update", ctx.record.sid, params)

    async def delete(self, ctx: Context, params: Params) -> None:
        """DELETE of the instance. Raises ``Refused``."""
        await self.ports.ask(self._event(ctx, "delete", ctx.record.sid, {}, {}))

    async def _request(
        self, ctx: Context, operation: Literal["create", "update"], sid: str, params: Params
    ) -> Any:
        values, rest = read(self.noun.__noun__, operation, params)
        return await self.ports.ask(self._event(ctx, operation, sid, values, rest))

    def _event(
        self, ctx: Context, operation: Literal["create", "update", "delete"], sid: str, values: dict[str, Any],
        params: dict[str, str],
    ) -> WorkspaceWriteRequested:  # fmt: skip
        client = ctx.scope.get("client") if ctx.scope is not None else None
        return WorkspaceWriteRequested(
            workspace_sid=ctx.args.get("WorkspaceSid", sid),
            account_sid=ctx.account.sid, noun=self.noun.__name__, operation=operation, sid=sid, values=values,
            params=params, if_match=wanted_version(ctx),
            actor=Actor(type="account", sid=ctx.account.sid, source="API", ip=client[0] if client else ""),
        )  # fmt: skip
