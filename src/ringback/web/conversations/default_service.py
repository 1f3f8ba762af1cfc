"""The account's default service, which the short paths mean (conversations.md §1), and its configuration."""

from __future__ import annotations

from collections.abc import Callable

from ringback.effects import Save
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.configuration import Configuration
from ringback.store import Conflict, Store
from ringback.web.conversations.service import beginnings

NAME = "Default Conversations Service"


async def configuration_of(
    store: Store, account_sid: str, new_sid: Callable[[str], str], now: float
) -> Configuration:
    """The account's configuration. The first who asks makes it, and the default service with it: of two at once one
    breaks the unique key and reads what the other has made."""
    found = await store.first(Configuration, owner=account_sid)
    if found is not None:
        return found
    service = ChatService(
        sid=new_sid("IS"), account_sid=account_sid, date_created=now, date_updated=now, friendly_name=NAME
    )
    made = Configuration(
        sid=new_sid("CJ"), account_sid=account_sid, date_created=now, date_updated=now, owner=account_sid,
        default_chat_service_sid=service.sid,
    )  # fmt: skip
    try:
        await store.commit([Save(service), *beginnings(service, new_sid, now), Save(made)])
    except Conflict:
        found = await store.first(Configuration, owner=account_sid)
        if found is None:
            raise
        return found
    return made


async def default_service(
    store: Store, account_sid: str, new_sid: Callable[[str], str], now: float
) -> ChatService:
    """The service itself; another one when it was deleted."""
    configuration = await configuration_of(store, account_sid, new_sid, now)
    sid = configuration.default_chat_service_sid
    service = await store.get(ChatService, sid, account_sid) if sid else None
    if service is not None and not service.removed:
        return service
    service = ChatService(
        sid=new_sid("IS"), account_sid=account_sid, date_created=now, date_updated=now, friendly_name=NAME
    )
    changed = configuration.copy()
    changed.default_chat_service_sid, changed.date_updated = service.sid, now
    await store.commit([Save(service), *beginnings(service, new_sid, now), Save(changed)])
    return service
