"""The configuration of an account's Conversations: default services and timers (conversations.md §1, §1.2)."""

from __future__ import annotations

from typing import Any, Final

from ringback.kernel.duration import seconds
from ringback.kernel.errors import Refused
from ringback.resources.conversations.chat_service import ChatService
from ringback.resources.conversations.configuration import Configuration
from ringback.web.conversations.default_service import configuration_of
from ringback.web.conversations.single import SingleRules
from ringback.web.rest.context import Context

_TIMERS: Final = {
    "default_inactive_timer": ("DefaultInactiveTimer", 60.0, "1 minute", 50375),
    "default_closed_timer": ("DefaultClosedTimer", 600.0, "10 minutes", 50376),
}
"""Attribute → parameter, the least seconds, the same in words, the code for less."""


class ConfigurationRules(SingleRules):
    """One record an account, made when it is first asked for."""

    noun = Configuration

    async def current(self, ctx: Context) -> Configuration:
        """The account's."""
        return await configuration_of(ctx.store, ctx.account.sid, self.ports.new_sid, ctx.now)

    async def before_save(self, ctx: Context, before: Any) -> None:
        """The default service must be there, and timers not too short. Raises ``Refused``."""
        record = ctx.record
        record.default_chat_service_sid = sid = (
            record.default_chat_service_sid or before.default_chat_service_sid
        )
        if sid != before.default_chat_service_sid:
            service = await ctx.store.get(ChatService, sid, ctx.account.sid)
            if service is None or service.removed:
                raise Refused(50050, f"DefaultChatServiceSid: there is no service {sid}", 400)
        for name, (param, least, words, code) in _TIMERS.items():
            text = getattr(record, name)
            length = seconds(text) if text else 0.0
            if length == 0.0:
                setattr(record, name, None)
            elif length < least:
                raise Refused(code, f"{param} must be {words} or longer", 400)
