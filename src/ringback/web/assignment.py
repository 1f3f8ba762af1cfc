"""Performs ``AskAssignment``: the assignment callback, and its fallback when that fails (taskrouter.md §8)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ringback.effects.taskrouter import AskAssignment
from ringback.events import Event
from ringback.events.taskrouter import AssignmentAnswered
from ringback.kernel.clock import Clock
from ringback.web.documents import ledger
from ringback.web.webhooks.delivery import Delivery
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

LIMIT: Final = 5.0
"""Seconds within which an answer counts (§8)."""


class Assignments:
    """Asks what to do with reservations; ``AssignmentAnswered`` follows exactly once for each."""

    def __init__(
        self,
        *,
        sender: WebhookSender,
        clock: Clock,
        post: Callable[[Event], None],
        auth_token: Callable[[str], Awaitable[str]],
        new_token: Callable[[], str],
        log: Callable[[list[Any]], None],
    ) -> None:
        """``auth_token(account_sid)`` gives the token that signs; ``new_token()`` an idempotency token."""
        self._sender, self._clock, self._post = sender, clock, post
        self._auth_token, self._new_token, self._log = auth_token, new_token, log
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._tasks)

    def ask(self, effect: AskAssignment) -> None:
        """Start asking."""
        task = asyncio.get_running_loop().create_task(self._ask(effect, self._clock.hold()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what is under way: those reservations time out, after a restart too."""
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks))

    async def _ask(self, effect: AskAssignment, hold: Any) -> None:
        try:
            auth_token, token = await self._auth_token(effect.account_sid), self._new_token()
            code, problem, answer = None, "", Delivery(False, effect.url, None, {}, b"", 11200, "", ())
            failed: list[tuple[int | None, str, str]] = []
            for url in (effect.url, effect.fallback_url):
                if not url:
                    continue
                if problem:
                    failed.append((code, problem, answer.final_url))
                try:
                    async with asyncio.timeout(LIMIT):
                        answer = await self._sender.send(
                            Hook(
                                url=url, method="POST", params=effect.params, auth_token=auth_token,
                                token=token, kind="notification", account=effect.account_sid,
                            )
                        )  # fmt: skip
                except TimeoutError:
                    problem = f"The assignment callback did not answer within {LIMIT:.0f} seconds"
                    code, answer = 11205, Delivery(False, url, None, {}, b"", 11205, problem, ())
                    continue
                self._log(ledger(answer, effect.account_sid, effect.reservation_sid, effect.params))
                code, problem = _problem(answer)
                if not problem:
                    break
            self._post(
                AssignmentAnswered(
                    workspace_sid=effect.workspace_sid, reservation_sid=effect.reservation_sid, ok=not problem,
                    body=answer.body, error_code=code, error_text=problem,
                    url=answer.final_url, failed=tuple(failed),
                )
            )  # fmt: skip
        finally:
            hold.release()


def _problem(answer: Delivery) -> tuple[int | None, str]:
    """Why an answer does not count, and its code; no text: it does. No content at all is a valid "later"."""
    if not answer.ok:
        return answer.error_code, answer.error_text or "The assignment callback failed"
    if answer.status == 204 or not answer.body.strip():
        return None, ""
    if answer.status != 200:
        return 11200, f"The assignment callback answered {answer.status}, not 200"
    kind = answer.content_type
    if kind != "application/json":
        return 40000, f"The assignment callback answered {kind or 'no type'}, not application/json"
    return None, ""
