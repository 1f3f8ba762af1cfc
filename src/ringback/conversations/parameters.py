"""What a webhook says of the thing that it is about: the names of conversations.md §1.4, for both kinds of events."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

CONVERSATION = {
    "ConversationSid": "sid",
    "DateCreated": "date_created",
    "DateUpdated": "date_updated",
    "DateRemoved": "date_removed",
    "FriendlyName": "friendly_name",
    "UniqueName": "unique_name",
    "Attributes": "attributes",
    "ChatServiceSid": "chat_service_sid",
    "MessagingServiceSid": "messaging_service_sid",
    "State": "state",
    "MessagingBinding.Address": "address",
    "MessagingBinding.ProxyAddress": "proxy_address",
    "MessagingBinding.ProjectedAddress": "projected_address",
    "MessagingBinding.AuthorAddress": "author_address",
    "MessageBody": "message_body",
    "Media": "media",
}
STATE = {
    "ConversationSid": "sid",
    "ChatServiceSid": "chat_service_sid",
    "MessagingServiceSid": "messaging_service_sid",
    "StateFrom": "state_from",
    "StateTo": "state_to",
    "StateUpdated": "state_updated",
    "Reason": "reason",
}
MESSAGE = {
    "ConversationSid": "conversation_sid",
    "ChatServiceSid": "chat_service_sid",
    "MessageSid": "sid",
    "MessagingServiceSid": "messaging_service_sid",
    "Index": "index",
    "DateCreated": "date_created",
    "DateUpdated": "date_updated",
    "DateRemoved": "date_removed",
    "Body": "body",
    "Author": "author",
    "ParticipantSid": "participant_sid",
    "Attributes": "attributes",
    "Media": "media",
}
PARTICIPANT = {
    "ConversationSid": "conversation_sid",
    "ChatServiceSid": "chat_service_sid",
    "ParticipantSid": "sid",
    "DateCreated": "date_created",
    "DateUpdated": "date_updated",
    "DateRemoved": "date_removed",
    "Identity": "identity",
    "RoleSid": "role_sid",
    "Attributes": "attributes",
    "MessagingBinding.Address": "address",
    "MessagingBinding.ProxyAddress": "proxy_address",
    "MessagingBinding.ProjectedAddress": "projected_address",
    "MessagingBinding.Type": "binding_type",
    "LastReadMessageIndex": "last_read_message_index",
}
USER = {
    "ChatServiceSid": "chat_service_sid",
    "UserSid": "sid",
    "Identity": "identity",
    "FriendlyName": "friendly_name",
    "RoleSid": "role_sid",
    "Attributes": "attributes",
    "IsOnline": "is_online",
    "IsNotifiable": "is_notifiable",
}
DELIVERY = {
    "ConversationSid": "conversation_sid",
    "ChatServiceSid": "chat_service_sid",
    "MessageSid": "message_sid",
    "DeliveryReceiptSid": "sid",
    "ChannelMessageSid": "channel_message_sid",
    "ParticipantSid": "participant_sid",
    "Status": "status",
    "ErrorCode": "error_code",
}


def family(event: str) -> Mapping[str, str]:
    """Parameter → fact, of an event by its name."""
    if event == "onConversationStateUpdated":
        return STATE
    if event == "onDeliveryUpdated":
        return DELIVERY
    for head, table in (
        ("onConversation", CONVERSATION), ("onMessage", MESSAGE), ("onParticipant", PARTICIPANT),
        ("onUser", USER),
    ):  # fmt: skip
        if event.startswith(head):
            return table
    raise ValueError(f"{event} is no event of conversations")


def parameters(
    event: str, account_sid: str, source: str, identity: str, facts: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """The form of one request. ``facts``: the record's attributes; those that are None or not there are left out."""
    found = [("AccountSid", account_sid), ("EventType", event), ("Source", source), ("RetryCount", "0")]
    if identity:
        found.append(("ClientIdentity", identity))
    for param, name in family(event).items():
        value = facts.get(name)
        if value is not None:
            found.append((param, _shown(name, value)))
    return found


def _shown(name: str, value: Any) -> str:
    if name.startswith("date_") or name == "state_updated":
        return iso(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def iso(seconds: float) -> str:
    """``2026-01-31T12:00:00.000Z``."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
