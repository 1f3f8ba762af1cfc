"""Messages to and from carriers: a lane for each (``SM…``), which begins in the line of its sender and recipient."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import Struct, field

from ringback.events import Event
from ringback.kernel.lane import Lane


class MessageEvent(Event, frozen=True, kw_only=True):
    """A fact about one message."""

    message_sid: str

    @property
    def lane(self) -> Lane:
        """The message's."""
        return Lane("message", self.message_sid)


class Attachment(Struct, frozen=True, kw_only=True):
    """A file of a message: what is known of it."""

    url: str = ""
    """Where it is fetched; empty when it is in the media store."""
    sid: str = ""
    """``ME…`` of the media store."""
    content_type: str = ""
    filename: str = ""
    size: int = 0
    """Bytes; 0: not known yet."""


class FromConversation(Struct, frozen=True, kw_only=True):
    """Which message of which conversation an outbound message carries: its lane is told what becomes of it."""

    conversation_sid: str
    conversation_message_sid: str
    """``IM…``."""
    participant_sid: str


class MessageArrived(MessageEvent, frozen=True, kw_only=True):
    """A carrier has a message for one of our addresses. The carrier is told that we have it once this is committed."""

    begins: ClassVar[bool] = True
    channel: str
    """Name of the channel."""
    carrier_id: str = ""
    """The carrier's id, when it gives one: the same message twice is taken once."""
    from_: str
    to: str
    body: str = ""
    media: tuple[Attachment, ...] = ()
    account_sid: str = ""
    """Filled in from the called number before it is handled; empty: no such number, and nobody to tell."""
    known_sid: str = ""
    """Filled in likewise: the SID that it has when it has come before; then nothing new happens."""
    carrier_key: str = ""
    """Filled in likewise: what ``carrier_id`` is between these two addresses (``Message.carrier_key``)."""
    routing: dict[str, Any] = field(default_factory=dict)
    """Of the number, filled in likewise: what is to be done with it (``messaging/arrival.py``)."""


class MessageRequested(MessageEvent, frozen=True, kw_only=True):
    """Somebody wants a message sent: REST, a document's ``<Message>``, a conversation's fan-out, a feature."""

    by_caller: ClassVar[bool] = True
    account_sid: str
    to: str
    from_: str = ""
    """Empty: the messaging service chooses."""
    body: str = ""
    media: tuple[Attachment, ...] = ()
    messaging_service_sid: str = ""
    direction: Literal["outbound-api", "outbound-call", "outbound-reply"] = "outbound-api"
    status_callback: str = ""
    origin: FromConversation | None = None
    about_opt_out: bool = False
    """The reply to STOP, START or HELP: it goes to who has opted out, too."""
    params: dict[str, str] = field(default_factory=dict)
    """Everything else that REST was given (ValidityPeriod, SendAt …), checked by ``messaging/``."""
    known: dict[str, Any] = field(default_factory=dict)
    """Looked up before it is handled."""

    @property
    def lane(self) -> Lane:
        """Of sender (or messaging service) and recipient: what is asked for first is in line first."""
        return Lane(
            "outgoing", f"{self.account_sid}|{self.messaging_service_sid or self.from_}|{self.to}"[:400]
        )


class SendStarted(MessageEvent, frozen=True, kw_only=True):
    """The sender's turn has come: to be claimed now (committed), then sent at most once.

    Answered: whether it is sent.
    """

    opted_out: bool = False
    """Filled in before it is handled: by now the recipient wants nothing more from this sender."""


class MessageSent(MessageEvent, frozen=True, kw_only=True):
    """The carrier has taken it."""

    carrier_id: str = ""
    segments: int = 0
    """Parts that it took on the air; 0: the carrier does not say."""


class MessageRefused(MessageEvent, frozen=True, kw_only=True):
    """The carrier does not take it, for good: it was not sent."""

    error_code: int
    text: str = ""


class MessageNotSent(MessageEvent, frozen=True, kw_only=True):
    """It is known not to have been sent, and the server stops: it goes back into its line."""

    text: str = ""


class MessageUnclear(MessageEvent, frozen=True, kw_only=True):
    """Nobody knows whether the carrier has it (the connection broke, we were killed): it is not sent again."""

    text: str = ""


class ReceiptArrived(MessageEvent, frozen=True, kw_only=True):
    """The carrier tells what became of a message that it had taken."""

    outside: ClassVar[bool] = True
    status: Literal["sent", "delivered", "undelivered", "failed", "read"]
    error_code: int | None = None
    text: str = ""
    done_at: float | None = None
    """When that was, by the carrier (Unix seconds)."""
