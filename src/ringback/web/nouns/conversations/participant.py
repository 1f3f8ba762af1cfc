"""Participants of conversations: by SID or identity (conversations.md §1)."""

from __future__ import annotations

from typing import ClassVar

from ringback.resources.conversations.participant import Participant
from ringback.web.conversations.writing import ConversationsRules


class ParticipantRules(ConversationsRules):
    """Participants of a conversation."""

    noun = Participant
    kind = "Participant"
    values: ClassVar = {
        "Identity": "identity",
        "MessagingBinding.Address": "address",
        "MessagingBinding.ProxyAddress": "proxy_address",
        "MessagingBinding.ProjectedAddress": "projected_address",
        "MessagingBinding.Name": "binding_name",
        "MessagingBinding.Level": "binding_level",
        "RoleSid": "role_sid",
        "Attributes": "attributes",
        "LastReadMessageIndex": "last_read_message_index",
        "LastReadTimestamp": "last_read_timestamp",
    }
    numbers = frozenset({"LastReadMessageIndex"})
    dates = frozenset({"LastReadTimestamp"})
