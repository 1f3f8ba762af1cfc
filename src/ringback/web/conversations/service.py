"""A new service with what it begins with: its roles, and the configuration that gives them out."""

from __future__ import annotations

from collections.abc import Callable

from ringback.effects import Save
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.role import default_roles
from ringback.resources.conversations.service_configuration import ServiceConfiguration, configuration_sid
from ringback.store import Store


def beginnings(service: ChatService, new_sid: Callable[[str], str], now: float) -> list[Save]:
    """What is saved together with a new service."""
    roles = default_roles(service.sid, service.account_sid, new_sid, now)
    configuration = ServiceConfiguration(
        sid=configuration_sid(service.sid), account_sid=service.account_sid, date_created=now, date_updated=now,
        chat_service_sid=service.sid,
        default_conversation_creator_role_sid=roles["channel admin"].sid,
        default_conversation_role_sid=roles["channel user"].sid,
        default_chat_service_role_sid=roles["service user"].sid,
    )  # fmt: skip
    return [*(Save(role) for role in roles.values()), Save(configuration)]


async def configuration_of_service(store: Store, chat_service_sid: str) -> ServiceConfiguration:
    """A service's configuration; raises ``LookupError`` for a service that is none."""
    found = await store.get(ServiceConfiguration, configuration_sid(chat_service_sid))
    if found is None:
        raise LookupError(f"{chat_service_sid} has no configuration")
    return found
