"""Which permission an operation needs that somebody with an identity wants (conversations.md §1.5).

REST with an account's credentials asks nothing of this: only who acts by a token does. A right can come from two roles,
the participant's in the conversation and the user's in the service; a service's holds in all its conversations.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from ringback.kernel.errors import Refused

EVERYBODY: Final = ""
"""In place of a permission: every participant may."""


class Needs(NamedTuple):
    """The permissions of which one is enough."""

    conversation: str | None
    """Of the participant's role; None: no role of a conversation allows it."""
    service: str | None = None
    """Of the user's role."""


_OWN: Final[dict[str, Needs]] = {
    "Message.update": Needs("editOwnMessage"),
    "Message.update.attributes": Needs("editOwnMessageAttributes"),
    "Message.delete": Needs("deleteOwnMessage"),
    "Participant.delete": Needs("leaveConversation"),
    "Participant.update.attributes": Needs(EVERYBODY),
    "Participant.update.read": Needs(EVERYBODY),
    "Participant.update.level": Needs("editNotificationLevel"),
    "User.update": Needs(None, "editOwnUserInfo"),
}
"""What somebody may do with what is their own: their message, their participation, their user."""

_ANY: Final[dict[str, Needs]] = {
    "Conversation.create": Needs(None, "createConversation"),
    "Conversation.fetch": Needs(EVERYBODY),
    "Conversation.update": Needs("editConversationName", "editConversationName"),
    "Conversation.update.attributes": Needs("editConversationAttributes", "editConversationAttributes"),
    "Conversation.delete": Needs("deleteConversation", "deleteConversation"),
    "Conversation.join": Needs(None, "joinConversation"),
    "Participant.create": Needs("addParticipant", "addParticipant"),
    "Participant.update.attributes": Needs("editAnyParticipantAttributes"),
    "Participant.delete": Needs("removeParticipant", "removeParticipant"),
    "Message.create": Needs("sendMessage"),
    "Message.create.media": Needs("sendMediaMessage"),
    "Message.update": Needs("editAnyMessage", "editAnyMessage"),
    "Message.update.attributes": Needs("editAnyMessageAttributes", "editAnyMessageAttributes"),
    "Message.delete": Needs("deleteAnyMessage", "deleteAnyMessage"),
    "User.update": Needs(None, "editAnyUserInfo"),
}
"""What concerns others too."""

_ATTRIBUTES: Final = frozenset({"attributes"})
_READ: Final = frozenset({"last_read_message_index", "last_read_timestamp"})
_LEVEL: Final = frozenset({"notification_level"})


class Rights(NamedTuple):
    """What somebody may do, by both their roles."""

    participant: bool
    """Whether they take part in the conversation."""
    conversation: Collection[str] = ()
    """Permissions of their role in it."""
    service: Collection[str] = ()
    """Permissions of their role in the service."""


def operations(noun: str, operation: str, changed: Collection[str] = (), *, joins: bool = False) -> list[str]:
    """The names, in the tables above, of what a write is: one for each kind of thing that it changes.

    ``changed``: attributes of the record that the write sets; ``joins``: they add themselves.
    """
    if joins:
        return ["Conversation.join"]
    name = f"{noun}.{operation}"
    if noun == "Message" and operation == "create":
        return [f"{name}.media"] if "media" in changed else [name]
    if operation != "update" or noun == "User":
        return [name]
    kinds: list[str] = []
    rest = set(changed)
    parts = [("attributes", _ATTRIBUTES)]
    if noun == "Participant":
        parts += [("read", _READ), ("level", _LEVEL)]
    for part, names in parts:
        if rest & names:
            kinds.append(f"{name}.{part}")
            rest -= names
    return [*kinds, *([name] if rest or not kinds else [])]


def allowed(what: str, rights: Rights, *, own: bool = False) -> bool:
    """Whether rights are enough for one of :func:`operations`; ``own``: it is about something of their own.

    What no table has (a role, a binding to an address) is nobody's to change but the account's.
    """
    tables = (_OWN, _ANY) if own else (_ANY,)
    return any(_enough(needs, rights) for table in tables if (needs := table.get(what)) is not None)


def _enough(needs: Needs, rights: Rights) -> bool:
    here = needs.conversation
    if rights.participant and here is not None and (here == EVERYBODY or here in rights.conversation):
        return True
    return needs.service is not None and needs.service in rights.service


def check(
    noun: str,
    operation: str,
    rights: Rights,
    changed: Collection[str] = (),
    *,
    own: bool = False,
    joins: bool = False,
) -> None:
    """Raises ``Refused``: 403/50430 for somebody who does not take part, 403/50107 for who lacks a permission."""
    for what in operations(noun, operation, changed, joins=joins):
        if allowed(what, rights, own=own):
            continue
        if (
            not rights.participant
            and noun != "User"
            and what not in ("Conversation.create", "Conversation.join")
        ):
            raise Refused(50430, "You are no participant of this conversation", 403)
        raise Refused(50107, "Your role does not allow this", 403)
