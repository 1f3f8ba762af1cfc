"""Emptying: what was in a removed service goes in small pieces; nobody waits for it.

The service itself is marked as removed (``ChatService.removed``) and is the last row to go: a process that dies in the
middle goes on at its next start. A conversation is removed in its own lane, by the event that REST would send.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ringback.effects import Delete
from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.kernel.resource import Record
from ringback.resources.conversations.binding import Binding
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.role import Role
from ringback.resources.conversations.service_configuration import ServiceConfiguration, configuration_sid
from ringback.resources.conversations.service_notification import ServiceNotification, notification_sid
from ringback.resources.conversations.user import User
from ringback.resources.frontline.pool_turn import PoolTurn
from ringback.store import Condition, Query, Store, Unavailable

log = logging.getLogger("ringback.emptying")

SLICE: Final = 100
"""Rows of one transaction."""
PAUSE: Final = 0.02
"""Seconds between two pieces (real time): others have their turn."""
AGAIN: Final = 60.0
"""Seconds (real time) after which it is tried again when the database could not be written, or a lane was full."""


class Emptying:
    """See the module."""

    def __init__(self, store: Store, ask: Callable[[Any], Awaitable[Any]]) -> None:
        """``ask`` hands an event in and waits for its answer; raises ``Refused``."""
        self._store, self._ask = store, ask
        self._task: asyncio.Task[None] | None = None
        self._asked = False

    def start(self) -> None:
        """Look for removed services, now; one look at a time."""
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def close(self) -> None:
        """Give up between two pieces; the next start goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        while self._asked:
            self._asked = False
            try:
                await self.look()
            except (Unavailable, Refused) as trouble:
                log.info("removed services are emptied later: %s", trouble)
                await asyncio.sleep(AGAIN)
                self._asked = True
            except Exception:
                log.exception("a removed service could not be emptied; the next start tries again")

    async def look(self) -> None:
        """Empty every removed service."""
        while True:
            found = await self._store.find(ChatService, removed=True, limit=SLICE)
            for service in found:
                await self._empty(service)
            if not found:
                return

    async def _empty(self, service: ChatService) -> None:
        await self._conversations(service)
        rows = 0
        for noun in (Binding, User, Role, PoolTurn):
            rows += await self._rows(noun, service)
        last: list[Record] = [service]
        for kind, sid in (
            (ServiceConfiguration, configuration_sid(service.sid)),
            (ServiceNotification, notification_sid(service.sid)),
        ):
            record = await self._store.get(kind, sid)
            last += [record] if record is not None else []
        await self._store.commit([Delete(each) for each in last])
        log.info("service %s was emptied (%d users, roles and devices)", service.sid, rows)

    async def _conversations(self, service: ChatService) -> None:
        while True:
            found = await self._store.find(Conversation, chat_service_sid=service.sid, limit=SLICE)
            for one in found:
                await self.remove(one)
            if not found:
                return
            await asyncio.sleep(PAUSE)

    async def remove(self, one: Conversation) -> None:
        """Remove a conversation as REST does; its messages follow in pieces."""
        try:
            await self._ask(
                ConversationWriteRequested(
                    conversation_sid=one.sid, account_sid=one.account_sid, chat_service_sid=one.chat_service_sid,
                    noun="Conversation", operation="delete", sid=one.sid,
                )
            )  # fmt: skip
        except Refused as refusal:
            if refusal.status != 404:  # somebody else has removed it meanwhile
                raise

    async def _rows(self, noun: type[Record], service: ChatService) -> int:
        gone = 0
        own = [Condition("chat_service_sid", "=", service.sid)]
        while True:
            page = await self._store.page(noun, Query(conditions=own, limit=SLICE))
            if not page.records:
                return gone
            await self._store.commit([Delete(each) for each in page.records])
            gone += len(page.records)
            await asyncio.sleep(PAUSE)
