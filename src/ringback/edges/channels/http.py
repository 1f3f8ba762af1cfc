"""A carrier by HTTP (WhatsApp-style): messages are posted to it as JSON; it posts messages and receipts to us
(``edges/http_carrier/``).

Sent at most once: what never reached the carrier (no connection) or was told to wait (429, 503) is tried again; any
other failure after the request was written is unclear.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from ringback.edges.channels import Channel, Declined, NotYet, Outcome, Taken, Unclear
from ringback.edges.channels._pace import Pace
from ringback.effects.messaging import SendText
from ringback.kernel.text_carrier import HttpCarrier, carried

log = logging.getLogger("ringback.channels")

LARGEST_ANSWER: Final = 64 * 1024
WAIT: Final = frozenset({429, 503})
"""The carrier has not taken it and says that it may come again."""
UNKNOWN, UNREACHABLE, OVERFLOW = 30008, 30006, 30001
LONGEST_TEXT: Final = 200
"""Characters of a carrier's words that are kept."""


class HttpChannel(Channel):
    """See the module."""

    def __init__(self, setting: HttpCarrier) -> None:
        self.name = f"http:{setting.name}"
        self._setting = setting
        self._pace = Pace(setting.throughput)
        self._session: aiohttp.ClientSession | None = None
        self._why = ""
        self._figures = dict.fromkeys(("sent", "declined", "unclear", "not_yet", "throttled"), 0)

    async def start(self) -> None:
        """Open the pool of connections; nothing is asked."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._setting.timeout), auto_decompress=False
        )

    async def stop(self) -> None:
        """Close it; what waits to be sent stays in line until the next start."""
        self._pace.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def carries(self, address: str) -> bool:
        """Whether it is one of the numbers of the setting."""
        return carried(self._setting.numbers, address)

    @property
    def ready(self) -> str:
        """Why the last message could not be handed over; empty: it could, or there was none."""
        return self._why

    def figures(self) -> Mapping[str, float]:
        """Numbers for ``/metrics``."""
        prefix = "channel_http_" + self._setting.name.replace("-", "_")
        return {f"{prefix}_{name}_total": float(count) for name, count in self._figures.items()}

    async def send(self, text: SendText) -> Outcome:
        """Post one message; again as long as it is known not to have been taken, within ``patience``."""
        outcome = await self._send(text)
        kind = {Taken: "sent", Declined: "declined", Unclear: "unclear", NotYet: "not_yet"}[type(outcome)]
        self._figures[kind] += 1
        return outcome

    async def _send(self, text: SendText) -> Outcome:
        if any(not each.url for each in text.media):
            return Declined(UNKNOWN, "A file has no URL that the carrier could fetch")
        body = json.dumps(message(text), ensure_ascii=False).encode("utf-8", "replace")
        until = asyncio.get_running_loop().time() + self._setting.patience
        code, why = OVERFLOW, "too much to send"
        while await self._pace.turn(until):
            if self._session is None:
                break
            try:
                status, answer = await self._post(text.message_sid, body)
            except aiohttp.ClientConnectorError as error:  # never connected: nothing was written
                code, why = UNREACHABLE, f"no connection ({error.strerror or type(error).__name__})"
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._why = str(error) or type(error).__name__
                return Unclear(f"no answer ({self._why}): whether it was sent is not known")
            else:
                if status not in WAIT:
                    self._why = ""
                    self._pace.went()
                    return _outcome(status, answer)
                self._figures["throttled"] += 1
                code, why = OVERFLOW, f"the carrier takes no more ({status})"
            self._why = why
            self._pace.slow()
        if self._session is None:
            return NotYet(f"It was not sent: {why}")
        return Declined(code, f"It was not sent: {why}")

    async def _post(self, message_sid: str, body: bytes) -> tuple[int, Any]:
        assert self._session is not None
        headers = {
            "Authorization": f"Bearer {self._setting.token}", "Content-Type": "application/json",
            "Accept": "application/json", "Idempotency-Key": message_sid,
        }  # fmt: skip
        async with self._session.post(
            self._setting.send_url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            raw = b""
            async for chunk in answer.content.iter_any():
                raw += chunk
                if len(raw) > LARGEST_ANSWER:
                    break
            try:
                return answer.status, json.loads(raw)
            except (ValueError, RecursionError):
                return answer.status, None


def message(text: SendText) -> dict[str, Any]:
    """What is posted."""
    found: dict[str, Any] = {"id": text.message_sid, "from": text.from_, "to": text.to, "body": text.body}
    if text.media:
        found["media"] = [{"url": each.url, "content_type": each.content_type} for each in text.media]
    return found


def _outcome(status: int, answer: Any) -> Outcome:
    told = answer if isinstance(answer, dict) else {}
    if 200 <= status < 300:
        name = told.get("id")
        return Taken(name if isinstance(name, str) and len(name) <= 128 else "")
    if status >= 500:
        return Unclear(f"the carrier answered {status}: whether it was sent is not known")
    inner = told.get("error")
    error = inner if isinstance(inner, dict) else told
    code, words = error.get("code"), error.get("message")
    shown = words[:LONGEST_TEXT] if isinstance(words, str) else f"status {status}"
    known = code if type(code) is int and 30000 <= code <= 64999 else UNKNOWN
    return Declined(known, f"The carrier refused it: {shown}")
