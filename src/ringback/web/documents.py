"""Performs :class:`~ringback.effects.FetchDocument`: asks the customer's application for instructions."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from ringback.effects import FetchDocument, ReleaseCall, Save
from ringback.events import DocumentFetched, Event
from ringback.kernel.clock import Clock
from ringback.kernel.lane import Lane
from ringback.resources.api.alert import Alert, explained
from ringback.store.writes import LogHttp
from ringback.web.form import encode
from ringback.web.webhooks.delivery import Delivery
from ringback.web.webhooks.jar import CookieJar
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

SHARED = 10_000
"""Pairs of addresses whose cookies are kept; those that were not used for longest go first."""
SHARED_SECONDS = 4 * 3600.0
"""Without a message for so long, two addresses begin without cookies."""


def ledger(
    delivery: Delivery, account_sid: str, resource_sid: str, params: list[tuple[str, str]]
) -> list[LogHttp]:
    """The log entries of a delivery, one an exchange (voice-calls.md §12, Call Events)."""
    form = delivery.form if delivery.form is not None else encode(params)
    return [
        LogHttp(
            account_sid=account_sid,
            resource_sid=resource_sid,
            at=attempt.started,
            method=attempt.method,
            url=attempt.url,
            parameters=form,
            status=attempt.status,
            seconds=round(attempt.seconds, 6),
            content_type=attempt.response_headers.get("content-type", ""),
            body=attempt.body_excerpt,
            error_code=attempt.error_code,
        )
        for attempt in delivery.attempts
    ]


def warnings(
    delivery: Delivery,
    account_sid: str,
    resource_sid: str,
    call_sid: str | None,
    method: str,
    *,
    new_sid: Callable[[str], str],
    now: float,
) -> list[Save]:
    """Debugger entries for what the sender read differently than written (webhooks.md §5: 11243; 11322)."""
    return [
        Save(
            Alert(
                sid=new_sid("NO"), account_sid=account_sid, date_created=now, date_updated=now, log=1,
                error_code=trouble.code, message_text=trouble.text, message_date=now,
                call_sid=call_sid, resource_sid=resource_sid,
                request_method=method, request_url=delivery.final_url,
                more_info=explained(trouble.code),
            )
        )
        for trouble in delivery.warnings
    ]  # fmt: skip


class Documents:
    """Fetches documents; keeps one cookie jar a call (webhooks.md §7)."""

    def __init__(
        self,
        *,
        sender: WebhookSender,
        clock: Clock,
        post: Callable[[Event], None],
        auth_token: Callable[[str], Awaitable[str]],
        new_token: Callable[[], str],
        new_sid: Callable[[str], str],
        log: Callable[[list[Any]], None],
    ) -> None:
        """``auth_token(account_sid)`` gives the token that signs; ``new_token()`` an idempotency token."""
        self._sender = sender
        self._clock = clock
        self._post = post
        self._auth_token = auth_token
        self._new_token = new_token
        self._new_sid = new_sid
        self._log = log
        self._jars: dict[Lane, CookieJar] = {}
        self._shared: OrderedDict[str, tuple[float, CookieJar]] = OrderedDict()
        """By their names, with when they were last used."""
        self._tasks: dict[asyncio.Task[None], str] = {}

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._tasks)

    def fetch(self, effect: FetchDocument) -> None:
        """Start the request; ``DocumentFetched`` is posted exactly once."""
        task = asyncio.get_running_loop().create_task(self._fetch(effect))
        self._tasks[task] = effect.lane.sid
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    def release(self, effect: ReleaseCall) -> None:
        """Forget the cookies of a call."""
        self._jars.pop(Lane("call", effect.call_sid), None)

    def _jar(self, effect: FetchDocument) -> CookieJar:
        """The cookies that the request brings along (webhooks.md §7)."""
        lane, name = effect.lane, effect.jar
        if lane.kind == "call":
            return self._jars.setdefault(lane, CookieJar())
        if not name:  # a conference asks once for each announcement, and nobody releases it
            return CookieJar()
        now = self._clock.now()
        used, jar = self._shared.pop(name, (now, CookieJar()))
        self._shared[name] = now, jar if now - used < SHARED_SECONDS else CookieJar()
        if len(self._shared) > SHARED:
            self._shared.popitem(last=False)
        return self._shared[name][1]

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _fetch(self, effect: FetchDocument) -> None:
        hold, lane = self._clock.hold(), effect.lane
        try:
            jar = self._jar(effect)
            delivery = await self._sender.send(
                Hook(
                    url=effect.url,
                    method=effect.method,
                    params=effect.params,
                    auth_token=await self._auth_token(effect.account_sid),
                    token=self._new_token(),
                    kind="document",
                    empty_ok=effect.empty_ok,
                    jar=jar,
                    account=effect.account_sid,
                )
            )
            self._log(
                [
                    *ledger(delivery, effect.account_sid, lane.sid, effect.params),
                    *warnings(
                        delivery, effect.account_sid, lane.sid, lane.sid if lane.kind == "call" else None,
                        effect.method, new_sid=self._new_sid, now=self._clock.now(),
                    ),
                ]
            )  # fmt: skip
            self._post(
                DocumentFetched(
                    lane=lane,
                    request=effect.request,
                    url=delivery.final_url,
                    status=delivery.status,
                    content_type=delivery.content_type,
                    body=delivery.body,
                    error_code=None if delivery.ok else (delivery.error_code or 11200),
                    error_text=delivery.error_text,
                    headers=tuple(sorted(delivery.headers.items())),
                    excerpt=""
                    if delivery.ok or not delivery.attempts
                    else delivery.attempts[-1].body_excerpt,
                )
            )
        finally:
            hold.release()
