"""Roles: permissions by type; one that somebody has, or that new ones get, stays (conversations.md §1.5)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.role import PERMISSIONS, Role
from ringback.resources.conversations.user import User
from ringback.web.conversations.service import configuration_of_service
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params


class RoleRules(NounRules):
    """What a role may allow depends on its type."""

    noun = Role

    async def before_save(self, ctx: Context, before: Any) -> None:
        """Put the permissions in order. Raises ``Refused``."""
        record = ctx.record
        known = PERMISSIONS[record.type]
        if not record.permissions:
            raise Refused(20001, "Missing Permission", 400)
        for name in record.permissions:
            if name not in known:
                raise Refused(50104, f"A role of type {record.type} has no permission {name[:64]!r}", 400)
        record.permissions = [name for name in known if name in record.permissions]

    async def delete(self, ctx: Context, params: Params) -> None:
        """Refused (409) while somebody has the role, or gets it."""
        role, store = ctx.record, ctx.store
        given = await configuration_of_service(store, role.chat_service_sid)
        if role.sid in (
            given.default_conversation_creator_role_sid,
            given.default_conversation_role_sid,
            given.default_chat_service_role_sid,
        ):
            raise Refused(20409, "The role is a default of its service; choose another default first", 409)
        for holder in (User, Participant):
            if await store.first(holder, account_sid=ctx.account.sid, role_sid=role.sid) is not None:
                raise Refused(20409, f"The role is in use by a {holder.__name__.lower()}", 409)
        await super().delete(ctx, params)


async def role_of(ctx: Context, sid: str, chat_service_sid: str, kind: str, param: str = "RoleSid") -> Role:
    """The role that a parameter names: one of the service, of the right type. Raises ``Refused`` (50100, 50105)."""
    role = await ctx.store.get(Role, sid[:2] + sid[2:].lower(), ctx.account.sid)
    if role is None or role.chat_service_sid != chat_service_sid:
        raise Refused(50100, f"{param}: there is no role {sid[:64]!r} in this service", 400)
    if role.type != kind:
        raise Refused(50105, f"{param}: {role.sid} is a role of type {role.type}, not {kind}", 400)
    return role
