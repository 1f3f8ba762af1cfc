"""``POST /v1/Accounts/{AccountSid}/Tokens/validate`` of the product ``iam``: whose access token is this?

An application asks it with its own credentials when an agent's desktop comes to it, through npm's
``twilio-flex-token-validator``. The names are those of that package's documentation.
"""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.web.event_bridge.workspaces import TaskRouter
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.render import iso8601

ROLES = {"worker": "agent", "supervisor": "supervisor", "admin": "admin"}
"""Role in the token's grant for TaskRouter → role as applications know it."""
NOTHING: dict[str, Any] = dict.fromkeys(
    ("worker_sid", "roles", "realm_user_id", "identity", "expiration", "message")
)


class TokenValidation:
    """The handler."""

    def __init__(self, taskrouter: TaskRouter) -> None:
        self._taskrouter = taskrouter

    async def validate(self, ctx: Context) -> Answer:
        """Field ``token``. Always 200: ``valid`` tells, and ``code`` and ``message`` why not (errors.md §3.4).

        Only agents' tokens are valid, as at the event bridge: an application lets in whoever is, and a token for calls
        alone may be a customer's.
        """
        token = (ctx.params.get("token") or [""])[-1]
        try:
            found = await self._read(ctx, token)
        except Refused as refusal:
            found = {"valid": False, "code": refusal.code, "message": refusal.message}
        return json_answer(200, {**NOTHING, **found})

    async def _read(self, ctx: Context, token: str) -> dict[str, Any]:
        grant = await ctx.services.access.agent(token, self._taskrouter, ctx.account.sid)
        return {
            "valid": True,
            "code": 0,
            "worker_sid": grant.worker_sid or None,
            "roles": [ROLES[grant.role]],
            "realm_user_id": grant.identity,
            "identity": grant.identity,
            "expiration": iso8601(grant.expires),
        }
