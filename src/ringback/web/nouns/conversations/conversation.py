"""Conversations: by SID or unique name; writes are events of their own lanes (conversations.md §1)."""

from __future__ import annotations

from typing import ClassVar

from ringback.resources.conversations.conversation import Conversation
from ringback.web.conversations.writing import ConversationsRules
from ringback.web.rest.context import Context


class ConversationRules(ConversationsRules):
    """Conversations of a service."""

    noun = Conversation
    kind = "Conversation"
    values: ClassVar = {
        "FriendlyName": "friendly_name",
        "UniqueName": "unique_name",
        "Attributes": "attributes",
        "MessagingServiceSid": "messaging_service_sid",
        "State": "state",
        "Timers.Inactive": "timers_inactive",
        "Timers.Closed": "timers_closed",
        "Bindings.Email.Address": "email_address",
        "Bindings.Email.Name": "email_name",
    }

    def conversation_sid(self, ctx: Context, sid: str) -> str:
        """Its own."""
        return sid
