"""The public REST API as any client sees it, for what a worker's app begins: with the account's own credentials."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from ringback.kernel.errors import Refused


class Exchange(Protocol):
    """Requests to this process's own API (``web/features/local.py``)."""

    async def exchange(
        self, method: str, path: str, fields: list[tuple[str, str]], headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one request."""


class Public:
    """See the module."""

    def __init__(self, local: Exchange, auth_token: Callable[[str], Awaitable[str]]) -> None:
        """``auth_token(account SID)``: its password."""
        self._local, self._auth_token = local, auth_token

    async def post(self, account_sid: str, path: str, fields: list[tuple[str, str]]) -> dict[str, Any]:
        """The JSON of a good answer. Raises ``Refused`` as the API refuses."""
        user = f"{account_sid}:{await self._auth_token(account_sid)}"
        headers = {
            "Authorization": "Basic " + base64.b64encode(user.encode()).decode(),
            "X-Twilio-Webhook-Enabled": "true",
        }
        status, _, body = await self._local.exchange("POST", path, fields, headers)
        found: dict[str, Any] = msgspec.json.decode(body) if body else {}
        if status >= 300:
            raise Refused(int(found.get("code") or 20500), str(found.get("message") or ""), status)
        return found
