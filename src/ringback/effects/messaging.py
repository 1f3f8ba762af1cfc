"""What messages ask of the outside: to be let go, claimed, and sent (house.md, "One commit")."""

from __future__ import annotations

from typing import ClassVar

from ringback.effects import Effect
from ringback.events.messaging import Attachment


class QueueSend(Effect, frozen=True, kw_only=True):
    """Let this message be sent when its account's turn has come: ``SendStarted``.

    A row of the outbox until it is claimed, so what was queued when the process died is sent after all.
    """

    committed: ClassVar[bool] = True
    message_sid: str
    account_sid: str
    sender: str
    """The address of ours that it comes from."""
    recipient: str
    """Messages of one pair of addresses are sent one after the other, in their order."""


class ClaimSend(Effect, frozen=True, kw_only=True):
    """It is sent now, or never: the commit that says so takes the row out of the outbox. At most once."""

    committed: ClassVar[bool] = True
    message_sid: str


class SendText(Effect, frozen=True, kw_only=True):
    """Hand a message to its channel. The commit before it was the claim. Answered by exactly one of ``MessageSent``,
    ``MessageRefused``, ``MessageUnclear``, ``MessageNotSent``."""

    message_sid: str
    account_sid: str
    channel: str
    from_: str
    to: str
    body: str = ""
    media: tuple[Attachment, ...] = ()
