"""Roles for an event of a conversation: those that it names, the service's defaults, and what an identity may do.

``role_types`` (SID → type, of those named that the service has), ``default_roles`` (``creator``, ``conversation``,
``service`` → SID), ``permissions`` (type of role → names, of the identity that acts).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.sid import is_sid
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.role import Role
from ringback.resources.conversations.service_configuration import ServiceConfiguration, configuration_sid
from ringback.resources.conversations.user import User
from ringback.store import Store


async def named_roles(
    store: Store, chat_service_sid: str, wanted: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """What new participants need to know of roles."""
    types: dict[str, str] = {}
    for values in wanted:
        sid = str(values.get("role_sid") or "")
        role = await store.get(Role, sid[:2] + sid[2:].lower()) if is_sid(sid, "RL") else None
        if role is not None and role.chat_service_sid == chat_service_sid:
            types[role.sid] = role.type
    given = await store.get(ServiceConfiguration, configuration_sid(chat_service_sid))
    defaults = {}
    if given is not None:
        defaults = {
            "creator": given.default_conversation_creator_role_sid,
            "conversation": given.default_conversation_role_sid,
            "service": given.default_chat_service_role_sid,
        }
    return {"role_types": types, "default_roles": defaults}


async def permissions_of(
    store: Store, event: ConversationWriteRequested, participants: Sequence[Participant]
) -> dict[str, Any]:
    """What the identity that acts may do; nothing is asked for account credentials."""
    if not event.identity:
        return {}
    service = event.chat_service_sid
    user = await store.first(User, identity=event.identity, chat_service_sid=service)
    role = user.role_sid if user is not None else None
    if role is None:
        given = await store.get(ServiceConfiguration, configuration_sid(service))
        role = given.default_chat_service_role_sid if given is not None else None
    inside = next((each.role_sid for each in participants if each.identity == event.identity), None)
    found: dict[str, list[str]] = {}
    for kind, sid in (("conversation", inside), ("service", role)):
        record = await store.get(Role, sid) if sid else None
        found[kind] = record.permissions if record is not None and record.chat_service_sid == service else []
    return {"permissions": found}
