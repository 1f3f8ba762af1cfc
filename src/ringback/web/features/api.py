"""A client of the public REST API: this Ringback's, another's, or the hosted service's (issue 4, point 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from ringback.effects.features import Ask, Reply
from ringback.web.features.local import Local
from ringback.web.features.retry import BROKEN, Failed, Retries, with_retries

HOSTED: Final = "twilio"
"""``base_url`` for the hosted service, which has a host name a product."""
TIMEOUT: Final = aiohttp.ClientTimeout(total=12, sock_connect=5)
"""Seconds; less than the 15 that a webhook may take."""
ANSWER_LIMIT: Final = 8 * 1024 * 1024
MEDIA_LIMIT: Final = 64 * 1024 * 1024
CONNECTIONS: Final = 64


class Api:
    """Requests with the account's credentials, tried again where that is safe."""

    def __init__(
        self,
        base_url: Callable[[], str],
        account_sid: str,
        auth_token: str,
        retries: Retries | None = None,
        local: Local | None = None,
    ) -> None:
        """``base_url()`` gives ``http://host:port``, or :data:`HOSTED`. With ``local`` requests (but for media) go
        to this process's own API."""
        self._local = local
        self._base, self._account = base_url, account_sid
        self._authorization = aiohttp.encode_basic_auth(account_sid, auth_token)
        self._retries = retries or Retries()
        self._session: aiohttp.ClientSession | None = None

    def url(self, product: str, path: str) -> str:
        """Where a path is."""
        base = self._base().rstrip("/")
        root = f"https://{product}.twilio.com" if base == HOSTED else f"{base}/{product}"
        if product == "api":
            return f"{root}/2010-04-01/Accounts/{self._account}/{path}"
        return f"{root}/v1/{path}"

    async def request(self, ask: Ask) -> Reply:
        """Carry one out; whatever happens is told in the reply.

        A version conflict is not repeated here: whoever sent ``If-Match`` has to read again first.
        """
        result = await with_retries(lambda: self._once_more(ask), self._retries)
        if isinstance(result.data, Reply):
            return result.data
        return Reply(
            result.status, code=result.code, message=result.message, more_info=result.doc_page,
            unclear=result.error in BROKEN,
        )  # fmt: skip

    async def _once_more(self, ask: Ask) -> Reply:
        headers = {"Authorization": self._authorization}
        if ask.if_match is not None:
            headers["If-Match"] = ask.if_match
        fields = _fields(ask.params)
        suffix = ".json" if ask.product == "api" else ""
        url = self.url(ask.product, ask.path) + suffix
        if self._local is not None:
            path = urlsplit(url).path
            status, found, raw = await self._local.exchange(ask.method, path, fields, headers)
            return _reply(status, found.get("etag"), raw)
        sent: dict[str, Any] = {"params": fields} if ask.method == "GET" else {"data": fields}
        try:
            async with self._client().request(ask.method, url, headers=headers, **sent) as answer:
                raw = await answer.content.read(ANSWER_LIMIT)
                status, etag = answer.status, answer.headers.get("ETag")
        except (TimeoutError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                raise Failed(500, f"{url}: {error}") from error  # never sent
            name = "ETIMEDOUT" if isinstance(error, TimeoutError) else "ECONNRESET"
            if ask.repeatable:
                raise Failed(500, f"{url}: {name}", error=name) from error
            return Reply(500, message=f"{url}: {name}", unclear=True)
        return _reply(status, etag, raw)

    @asynccontextmanager
    async def media(self, recording_sid: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The MP3 of a recording, with credentials whether or not they are demanded (§8)."""
        url = self.url("api", f"Recordings/{recording_sid}.mp3")
        async with self._client().get(url, headers={"Authorization": self._authorization}) as answer:
            yield answer

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=4.0)
            )
        return self._session


def _reply(status: int, etag: str | None, raw: bytes) -> Reply:
    """The reply; raises :class:`Failed` for what the server asks to be tried again."""
    body = _object(raw)
    if status < 400:
        return Reply(status, body, etag)
    code, words, page = (
        _number(body.get("code")),
        str(body.get("message") or ""),
        str(body.get("more_info") or ""),
    )
    if status in (429, 503):
        raise Failed(status, words, code=code, doc_page=page)
    return Reply(status, body, etag, code, words, page)


def _fields(params: Mapping[str, str | tuple[str, ...]]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in params.items():
        found += [(name, one) for one in value] if isinstance(value, tuple) else [(name, value)]
    return found


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(raw) if raw.strip() else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
