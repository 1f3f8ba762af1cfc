"""Look-ups for the routing of new conversations: a service's settings, who may get one, whose turn it is."""

from __future__ import annotations

from typing import Any, Final

from msgspec import structs

from ringback.events import Event
from ringback.events.frontline import WorkerWanted
from ringback.resources.conversations.user import User
from ringback.resources.frontline.frontline_service import FrontlineService
from ringback.resources.frontline.pool_turn import PoolTurn
from ringback.store import Store

LARGEST_POOL: Final = 10_000
"""Workers of one service that routing chooses from."""


class Workers:
    """See the module."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prepare(self, event: WorkerWanted) -> Event:
        """Fill in what routing must know; read in the service's own turn, so after the choice before it."""
        settings = await self._store.get(FrontlineService, event.chat_service_sid, event.account_sid)
        known: dict[str, Any] = {"settings": settings, "workers": [], "turns": {}}
        if settings is not None and settings.routing == "pool":
            service = event.chat_service_sid
            known["workers"] = await self._store.find(
                User, account_sid=event.account_sid, chat_service_sid=service, state="active",
                is_available=True, limit=LARGEST_POOL,
            )  # fmt: skip
            turns = await self._store.find(PoolTurn, chat_service_sid=service, limit=LARGEST_POOL)
            known["turns"] = {turn.sid: turn.assigned_at for turn in turns}
        return structs.replace(event, known=known)
