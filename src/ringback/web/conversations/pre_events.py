"""Pre-event webhooks: the customer's application is asked before something is written (conversations.md §1.4).

Asked by whoever writes: REST (only with ``X-Twilio-Webhook-Enabled: true``), the pair lane, the SDK. 5 s; 4xx and 5xx
refuse; what cannot be asked, or read, changes nothing and is told in the debugger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ringback.effects import Save
from ringback.kernel.clock import Clock
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.resources.api.alert import Alert, explained
from ringback.resources.conversations.webhook import WebhookSettings
from ringback.store import Store
from ringback.web.conversations.looked_up import webhook_settings
from ringback.web.documents import ledger
from ringback.web.webhooks.delivery import Delivery
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

LIMIT = 5.0
"""Seconds (conversations.md §1.4)."""
LONGEST_ANSWER = 64 * 1024
"""Bytes."""

Form = Callable[[str, str, str, str, Record | None, Mapping[str, Any]], list[tuple[str, str]]]
Changes = Callable[[str, bytes], dict[str, Any]]


class PreEvents:
    """Asks, and reads the answers."""

    def __init__(
        self,
        *,
        store: Store,
        sender: WebhookSender,
        clock: Clock,
        auth_token: Callable[[str], Awaitable[str]],
        new_token: Callable[[], str],
        new_sid: Callable[[str], str],
        form: Form,
        changes: Changes,
    ) -> None:
        """``form`` and ``changes``: of ``conversations/pre_event.py``."""
        self._store, self._sender, self._clock = store, sender, clock
        self._auth_token, self._new_token, self._new_sid = auth_token, new_token, new_sid
        self._form, self._changes = form, changes

    async def ask(
        self,
        kind: str,
        *,
        account_sid: str,
        chat_service_sid: str,
        facts: Mapping[str, Any],
        record: Record | None = None,
        source: str = "API",
        identity: str = "",
        subject: str = "",
    ) -> dict[str, Any]:
        """What the applications change of the values that are to be written: those of the account, then the service's.

        ``facts``: the values, and what else the parameters are made from; ``record``: what is changed or removed;
        ``subject``: the SID for the debugger. Raises ``Refused`` when one of them says no.
        """
        changed: dict[str, Any] = {}
        for each in await webhook_settings(self._store, account_sid, chat_service_sid):
            if each.pre_webhook_url and kind in each.filters:
                form = self._form(kind, account_sid, source, identity, record, {**facts, **changed})
                changed |= await self._one(kind, each, account_sid, form, subject or chat_service_sid)
        return changed

    async def wanted(self, kind: str, account_sid: str, chat_service_sid: str) -> bool:
        """Whether anybody is asked."""
        found = await webhook_settings(self._store, account_sid, chat_service_sid)
        return any(each.pre_webhook_url and kind in each.filters for each in found)

    async def _one(
        self,
        kind: str,
        settings: WebhookSettings,
        account_sid: str,
        form: list[tuple[str, str]],
        subject: str,
    ) -> dict[str, Any]:
        url = str(settings.pre_webhook_url).partition("#")[0]  # connection overrides do not count here
        hook = Hook(
            url=url, method=settings.method, params=form, auth_token=await self._auth_token(account_sid),
            token=self._new_token(), kind="document", empty_ok=True, body_limit=LONGEST_ANSWER,
            account=account_sid,
        )  # fmt: skip
        hold = self._clock.hold()
        try:
            async with asyncio.timeout(LIMIT):
                answer = await self._sender.send(hook)
        except TimeoutError:
            await self._tell(account_sid, subject, 11205, url, f"{kind}: no answer within {LIMIT:.0f} s")
            return {}
        finally:
            hold.release()
        self._store.commit_soon(ledger(answer, account_sid, subject, form))
        return await self._read(kind, answer, account_sid, subject, url)

    async def _read(
        self, kind: str, answer: Delivery, account_sid: str, subject: str, url: str
    ) -> dict[str, Any]:
        if answer.status is not None and answer.status >= 400:
            raise Refused(20403, f"The webhook for {kind} refused it (it answered {answer.status})", 403)
        if not answer.ok:
            why = answer.error_text or "it could not be asked"
            await self._tell(account_sid, subject, answer.error_code or 11200, url, f"{kind}: {why}")
            return {}
        try:
            return self._changes(kind, answer.body)
        except ValueError as error:
            await self._tell(account_sid, subject, 11200, url, f"{kind}: {error}")
            return {}

    async def _tell(self, account_sid: str, subject: str, code: int, url: str, text: str) -> None:
        """The debugger says that the write went on unchanged."""
        now = self._clock.now()
        entry = Alert(
            sid=self._new_sid("NO"), account_sid=account_sid, date_created=now, date_updated=now, log=1,
            error_code=code, message_text=f"The pre-event webhook changed nothing: {text}", message_date=now,
            resource_sid=subject, more_info=explained(code), request_url=url,
        )  # fmt: skip
        await self._store.commit([Save(entry)])
