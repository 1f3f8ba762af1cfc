"""Delivers what the outbox owes: a webhook to the customer, and its debugger entry on failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from msgspec import structs

from ringback.effects import SendWebhook
from ringback.kernel.clock import Clock
from ringback.resources.api.alert import Alert, explained
from ringback.web.documents import ledger, warnings
from ringback.web.outcomes import TERMINAL
from ringback.web.webhooks.delivery import Attempt
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

NEVER_SENT: Final = {32503: 32502}
"""Failure code → the one for a request that could not even be tried."""


class FaultBook(Protocol):
    """Faults that a tester asked for (surface.md, ``/sim/v1/Faults``)."""

    def take(self, kind: str, facts: dict[str, str]) -> Any:
        """The fault to apply now, counted down; None or False when there is none."""


class Notifications:
    """Sends status callbacks and their like."""

    def __init__(
        self,
        *,
        sender: WebhookSender,
        clock: Clock,
        auth_token: Callable[[str], Awaitable[str]],
        new_sid: Callable[[str], str],
        log: Callable[[list[Any]], None],
        faults: FaultBook | None = None,
        late: Callable[[str, Sequence[Any]], Awaitable[None]] | None = None,
        again_after: float = 0.0,
    ) -> None:
        """``late(token, records)`` is told when a webhook that a fault put off has been sent. A final notification
        that nobody took is sent once more after ``again_after`` seconds; 0: never."""
        self._finished = late
        self._again_after = again_after
        self._sender = sender
        self._clock = clock
        self._auth_token = auth_token
        self._new_sid = new_sid
        self._log = log
        self._faults = faults
        self._held: dict[str, SendWebhook] = {}
        self._late: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> int:
        """Webhooks that a fault has put off."""
        return len(self._held) + len(self._late)

    async def deliver(self, hook: SendWebhook) -> Sequence[Any] | None:
        """Send one webhook; gives the debugger entry when it could not be delivered (webhooks.md §4), and the last
        repetition of a final one. None: it is put off (a fault), ``late`` is told."""
        if self._faults is not None:
            times, waits, later = self._faulty(hook, self._faults)
            if waits:
                await self._sleep(waits)
            if later:
                self._put_off(hook)
                return None
            records: list[Any] = [] if times else self._failed(hook, "a fault dropped it", None, hook.url)
            for _ in range(times):
                records = await self._send(hook)
            overtaken = self._held.pop(hook.key, None)
            if overtaken is not None:
                await self._send_late(overtaken)
            return records
        return await self._send(hook)

    def _put_off(self, hook: SendWebhook) -> None:
        """Let the next of its key overtake it; if none comes within five seconds, it was the last one."""
        self._held[hook.key] = hook

        def late() -> None:
            if self._held.get(hook.key) is hook:
                del self._held[hook.key]
                task = asyncio.get_running_loop().create_task(self._send_late(hook))
                self._late.add(task)
                task.add_done_callback(self._late.discard)

        self._clock.call_at(self._clock.now() + 5.0, late)

    async def _send_late(self, hook: SendWebhook) -> None:
        records = await self._send(hook)
        if self._finished is not None:
            await self._finished(hook.token, records)

    def _faulty(self, hook: SendWebhook, faults: FaultBook) -> tuple[int, float, bool]:
        """How often to send it, after how many seconds, and whether the next of its key goes first."""
        facts = {"url": hook.url, "call_sid": hook.call_sid or "", **dict(hook.params)}
        facts["repeat"] = "true" if hook.not_before else "false"
        if faults.take("drop_callback", facts):
            return 0, 0.0, False
        if faults.take("reorder_callbacks", facts) and hook.key not in self._held:
            return 0, 0.0, True
        delay = faults.take("delay_callback", facts)
        times = 2 if faults.take("duplicate_callback", facts) else 1
        return times, float(getattr(delay, "seconds", 5.0)) if delay else 0.0, False

    async def _sleep(self, seconds: float) -> None:
        done = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not done.done():
                done.set_result(None)

        alarm = self._clock.call_at(self._clock.now() + seconds, wake)
        try:
            await done
        finally:
            alarm.cancel()

    async def _send(self, hook: SendWebhook) -> list[Any]:
        hold = self._clock.hold()
        try:
            delivery = await self._sender.send(
                Hook(
                    url=hook.url,
                    method=hook.method,
                    params=hook.params,
                    auth_token=await self._auth_token(hook.account_sid),
                    token=hook.token,
                    kind="notification",
                    status_error=hook.failure_code,
                    account=hook.account_sid,
                )
            )
        finally:
            hold.release()
        now = self._clock.now()
        self._log(
            [
                *ledger(delivery, hook.account_sid, hook.key, hook.params),
                *warnings(
                    delivery,
                    hook.account_sid,
                    hook.key,
                    hook.call_sid,
                    hook.method,
                    new_sid=self._new_sid,
                    now=now,
                ),
            ]
        )
        if delivery.ok:
            return []
        last = delivery.attempts[-1] if delivery.attempts else None
        return self._failed(hook, delivery.error_text, last, last.url if last else delivery.final_url)

    def _failed(self, hook: SendWebhook, why: str, last: Attempt | None, url: str) -> list[Any]:
        """Nobody took it: the debugger entry, and for a final one its last repetition."""
        now = self._clock.now()
        code = hook.failure_code if last is not None else NEVER_SENT.get(hook.failure_code, hook.failure_code)
        entry = Alert(
            sid=self._new_sid("NO"),
            account_sid=hook.account_sid,
            date_created=now,
            date_updated=now,
            log=1,
            error_code=code,
            message_text=f"The callback could not be delivered: {why}",
            message_date=now,
            call_sid=hook.call_sid,
            resource_sid=hook.resource_sid or hook.key,
            more_info=explained(code),
            request_method=hook.method,
            request_url=url,
            request_variables=urlencode(hook.params),
            response_headers="" if last is None else urlencode(last.response_headers),
            response_body=None if last is None else last.body_excerpt,
        )
        if not self._again_after or hook.not_before or not final(hook):
            return [entry]
        return [entry, structs.replace(hook, not_before=now + self._again_after)]


def final(hook: SendWebhook) -> bool:
    """Whether a notification is the last word about its subject: lost for good if nobody takes it."""
    facts = dict(hook.params)
    if facts.get("CallbackSource") == "call-progress-events":
        return facts.get("CallStatus") in TERMINAL
    if facts.get("CallbackSource") == "voice-conversation-service":
        return facts.get("Status") == "call-completed"
    return "VerificationStatus" in facts
