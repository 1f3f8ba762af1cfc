"""``Tokens``: passing credentials for the TURN relay that browsers may need (rest-conventions.md §5.1).

The relay is the operator's own (coturn and its like), told by two settings. Its credentials follow
draft-uberti-behave-turn-rest-00: the user name says until when it is good, the password is its HMAC under a secret
that the relay shares.
"""

from __future__ import annotations

import base64
import hmac
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context
from ringback.web.rest.params import first
from ringback.web.rest.render import rfc2822

LONGEST: Final = 86_400
"""Seconds; also the default."""


class RelayTokens:
    """Makes them; nothing is stored."""

    def __init__(self, urls: tuple[str, ...], secret: str) -> None:
        """``urls`` (``stun:…``, ``turn:…``) and ``secret``: of the relay. None: tokens name no server."""
        self._urls, self._secret = urls, secret

    async def create(self, ctx: Context) -> Answer:
        """``POST Tokens`` with ``Ttl`` in seconds: 201; raises 20001."""
        text = first(ctx.params, "Ttl") or str(LONGEST)
        if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= LONGEST):
            raise Refused(20001, f"Invalid Ttl: must be a whole number from 1 to {LONGEST}", 400)
        user = f"{int(ctx.now) + int(text)}:{ctx.account.sid}"
        password = ctx.services.settings.make_secret()
        if self._secret:
            digest = hmac.digest(self._secret.encode(), user.encode(), "sha1")
            password = base64.b64encode(digest).decode()
        now = rfc2822(ctx.now)
        servers = [self._server(url, user, password) for url in self._urls]
        return json_answer(
            201,
            {
                "username": user, "password": password, "ttl": text, "account_sid": ctx.account.sid,
                "date_created": now, "date_updated": now, "ice_servers": servers,
            },
        )  # fmt: skip

    def _server(self, url: str, user: str, password: str) -> dict[str, Any]:
        shown: dict[str, Any] = {"url": url, "urls": url}
        return shown if url.startswith("stun") else {**shown, "username": user, "credential": password}
