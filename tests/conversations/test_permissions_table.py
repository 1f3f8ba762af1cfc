"""Roles and permissions as a table (conversations.md §1.5)."""

from __future__ import annotations

import itertools

import pytest

from ringback.conversations.permissions import Rights, allowed, check, operations
from ringback.kernel.errors import Refused
from ringback.resources.conversations.role import CONVERSATION, DEFAULTS, SERVICE

ROWS = [  # noun, operation, what it changes, own, joins, one of these of the conversation, one of these of the service
    ("Conversation", "create", (), False, False, (), ("createConversation",)),
    ("Conversation", "update", ("friendly_name",), False, False, ("editConversationName",), ("editConversationName",)),
    ("Conversation", "update", ("unique_name",), False, False, ("editConversationName",), ("editConversationName",)),
    (
        "Conversation", "update", ("attributes",), False, False, ("editConversationAttributes",),
        ("editConversationAttributes",),
    ),
    ("Conversation", "delete", (), False, False, ("deleteConversation",), ("deleteConversation",)),
    ("Participant", "create", ("identity",), False, False, ("addParticipant",), ("addParticipant",)),
    ("Participant", "create", ("identity",), False, True, (), ("joinConversation",)),
    ("Participant", "delete", (), False, False, ("removeParticipant",), ("removeParticipant",)),
    ("Participant", "delete", (), True, False, ("leaveConversation", "removeParticipant"), ("removeParticipant",)),
    ("Participant", "update", ("attributes",), False, False, ("editAnyParticipantAttributes",), ()),
    ("Participant", "update", ("notification_level",), True, False, ("editNotificationLevel",), ()),
    ("Participant", "update", ("role_sid",), True, False, (), ()),
    ("Message", "create", ("body",), False, False, ("sendMessage",), ()),
    ("Message", "create", ("body", "media"), False, False, ("sendMediaMessage",), ()),
    ("Message", "update", ("body",), True, False, ("editOwnMessage", "editAnyMessage"), ("editAnyMessage",)),
    ("Message", "update", ("body",), False, False, ("editAnyMessage",), ("editAnyMessage",)),
    (
        "Message", "update", ("attributes",), True, False, ("editOwnMessageAttributes", "editAnyMessageAttributes"),
        ("editAnyMessageAttributes",),
    ),
    (
        "Message", "update", ("attributes",), False, False, ("editAnyMessageAttributes",),
        ("editAnyMessageAttributes",),
    ),
    ("Message", "delete", (), True, False, ("deleteOwnMessage", "deleteAnyMessage"), ("deleteAnyMessage",)),
    ("Message", "delete", (), False, False, ("deleteAnyMessage",), ("deleteAnyMessage",)),
    ("User", "update", ("friendly_name",), True, False, (), ("editOwnUserInfo", "editAnyUserInfo")),
    ("User", "update", ("friendly_name",), False, False, (), ("editAnyUserInfo",)),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]} {'+'.join(row[2])} own={row[3]}")
def test_each_permission_is_enough_alone_and_no_other_helps(row: tuple[object, ...]) -> None:
    noun, operation, changed, own, joins, here, everywhere = row
    for where, names, enough in (("conversation", CONVERSATION, here), ("service", SERVICE, everywhere)):
        for name in names:
            rights = Rights(participant=True, **{where: (name,)})  # type: ignore[arg-type]
            may = all(
                allowed(what, rights, own=bool(own))
                for what in operations(noun, operation, changed, joins=bool(joins))  # type: ignore[arg-type]
            )
            assert may == (name in enough), (where, name)  # type: ignore[operator]


def test_every_permission_of_the_sheet_is_asked_for_somewhere() -> None:
    asked = set(itertools.chain.from_iterable((*row[5], *row[6]) for row in ROWS))
    assert asked == set(CONVERSATION) | set(SERVICE)


def test_two_changes_need_both_permissions() -> None:
    with pytest.raises(Refused) as caught:
        check("Message", "update", Rights(True, ("editOwnMessage",)), ("body", "attributes"), own=True)
    assert (caught.value.status, caught.value.code) == (403, 50107)
    both = ("editOwnMessage", "editOwnMessageAttributes")
    check("Message", "update", Rights(True, both), ("body", "attributes"), own=True)


def test_a_role_of_the_conversation_is_for_participants() -> None:
    with pytest.raises(Refused) as caught:
        check("Message", "create", Rights(False, CONVERSATION, ("joinConversation",)), ("body",))
    assert (caught.value.status, caught.value.code) == (403, 50430)
    check("Message", "delete", Rights(False, (), ("deleteAnyMessage",)))


def test_participants_read_and_mark_what_they_have_read() -> None:
    check("Conversation", "fetch", Rights(True))
    check("Participant", "update", Rights(True), ("last_read_message_index",), own=True)
    with pytest.raises(Refused):
        check("Conversation", "fetch", Rights(False))
    with pytest.raises(Refused):
        check("Participant", "update", Rights(True, CONVERSATION), ("last_read_message_index",))


def test_the_default_roles() -> None:
    user, admin = DEFAULTS["channel user"][1], DEFAULTS["channel admin"][1]
    check("Message", "create", Rights(True, user), ("body",))
    check("Participant", "delete", Rights(True, user), own=True)
    for operation, noun in (("delete", "Conversation"), ("create", "Participant"), ("delete", "Message")):
        with pytest.raises(Refused):
            check(noun, operation, Rights(True, user, DEFAULTS["service user"][1]))
        check(noun, operation, Rights(True, admin))
        check(noun, operation, Rights(False, (), DEFAULTS["service admin"][1]))
