"""The configuration of a service: its default roles are its own, of the right type."""

from __future__ import annotations

from typing import Any

from ringback.resources.conversations.service_configuration import ServiceConfiguration
from ringback.web.conversations.service import configuration_of_service
from ringback.web.conversations.single import SingleRules
from ringback.web.nouns.conversations.role import role_of
from ringback.web.rest.context import Context

_TYPES = {
    "default_conversation_creator_role_sid": "conversation",
    "default_conversation_role_sid": "conversation",
    "default_chat_service_role_sid": "service",
}


class ServiceConfigurationRules(SingleRules):
    """One a service."""

    noun = ServiceConfiguration

    async def current(self, ctx: Context) -> ServiceConfiguration:
        """The path's service's."""
        return await configuration_of_service(ctx.store, ctx.args["ChatServiceSid"])

    async def before_save(self, ctx: Context, before: Any) -> None:
        """The roles must be there; an empty parameter leaves one as it is. Raises ``Refused``."""
        record = ctx.record
        for name, kind in _TYPES.items():
            sid = getattr(record, name) or getattr(before, name)
            setattr(record, name, sid)
            if sid != getattr(before, name):
                param = self.noun.__noun__.by_name[name].param
                await role_of(ctx, sid, record.chat_service_sid, kind, param)
