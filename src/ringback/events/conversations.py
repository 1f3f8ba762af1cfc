"""Conversations: what their lanes are told, and what they tell calls (conversations.md, connect-conversation.md)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from msgspec import field

from ringback.events import CallEvent, Event
from ringback.events.messaging import Attachment
from ringback.kernel.lane import Lane

Source = Literal["API", "SDK", "SMS", "WHATSAPP", "CHAT", "VOICE"]
"""By which door something came into a conversation."""


class ConversationEvent(Event, frozen=True, kw_only=True):
    """A fact about one conversation and what is in it."""

    conversation_sid: str

    @property
    def lane(self) -> Lane:
        """The conversation's."""
        return Lane("conversation", self.conversation_sid)


class ConversationWriteRequested(ConversationEvent, frozen=True, kw_only=True):
    """Somebody wants a conversation, or something in it, made, changed or removed.

    Pre-event webhooks have been asked by then: the values are what came of them. They are checked by the core:

    * Conversation: ``friendly_name``, ``unique_name``, ``attributes``, ``messaging_service_sid``, ``state``,
      ``timers_inactive`` and ``timers_closed`` (ISO 8601 durations), ``email_address``, ``email_name``, ``created_by``.
      A create may bring what goes into it in the same commit: ``participants`` (a list of values, each with its
      ``sid``), ``webhooks`` (likewise), ``message`` (values with its ``sid``), and ``waiting_call``
      (``{"call_sid", "request"}``: answered by ``ConversationFound``, also when it is refused; the call then waits
      for a worker). When a pair of it is in another open conversation by then, message and call go there instead.
      ``routed``: a customer has begun it, so a worker is looked for (:class:`~ringback.events.frontline.WorkerWanted`).
    * Participant: ``identity``, ``address``, ``proxy_address``, ``projected_address``, ``binding_type``,
      ``binding_level``, ``binding_name``, ``role_sid``, ``attributes``, ``last_read_message_index``,
      ``last_read_timestamp`` (Unix seconds), ``notification_level``; ``spoken``: the customer calls, so the address may
      be any caller's, and ``alone``: nobody is found by it (a number that is withheld);
      ``visitor``: a customer who writes in a browser, with the ``friendly_name`` of their user.
    * Message: ``author``, ``body``, ``attributes``, ``media`` (a list of ``sid``, ``content_type``, ``filename``,
      ``size``, ``category``), ``content_sid``, ``content_variables``, ``subject``, and of one that came from outside
      ``carrier_key`` (``SM…``; of web chat, what stands for the page's own id), ``address`` and ``proxy_address``: with
      all it looks for its pair's conversation once more when this one is closed.
    * Webhook: ``target``, ``url``, ``method``, ``filters``, ``triggers``, ``flow_sid``, ``replay_after``.
    """

    by_caller: ClassVar[bool] = True
    account_sid: str
    chat_service_sid: str
    noun: Literal["Conversation", "Participant", "Message", "Webhook"]
    operation: Literal["create", "update", "delete"]
    sid: str
    """Of the noun."""
    values: dict[str, Any] = field(default_factory=dict)
    """Attribute → value, well-formed."""
    source: Source = "API"
    identity: str = ""
    """Who does it, when it is somebody with an identity."""
    hooks: bool = False
    """Whether post-event webhooks are sent: REST asks for them by ``X-Twilio-Webhook-Enabled``."""
    known: dict[str, Any] = field(default_factory=dict)
    """Records that are looked up before it is handled (in the conversation's own turn)."""


class MessageTold(ConversationEvent, frozen=True, kw_only=True):
    """What became of a message at the carrier, for one participant."""

    conversation_message_sid: str
    """``IM…``."""
    participant_sid: str
    channel_message_sid: str
    """``SM…``."""
    status: str
    """sent, delivered, read, undelivered or failed."""
    error_code: int | None = None
    known: dict[str, Any] = field(default_factory=dict)


class PairEvent(Event, frozen=True, kw_only=True):
    """A fact about a customer's address and the address of ours that they use: those of one pair come one by one."""

    account_sid: str
    address: str
    """The customer's."""
    proxy_address: str
    """Ours."""

    @property
    def lane(self) -> Lane:
        """The pair's."""
        return Lane("pair", f"{self.account_sid}|{self.address}|{self.proxy_address}")


class InboundTexted(PairEvent, frozen=True, kw_only=True):
    """A message from outside looks for its conversation; without one the number's own handler gets it."""

    message_sid: str
    """``SM…``."""
    channel_type: str = "sms"
    body: str = ""
    media: tuple[Attachment, ...] = ()
    known: dict[str, Any] = field(default_factory=dict)
    """Looked up before it is handled: the open conversation of the pair, or how one is made."""


class TextUnclaimed(Event, frozen=True, kw_only=True):
    """The answer to :class:`InboundTexted` when no conversation has it: the number's SMS URL is asked."""

    message_sid: str

    @property
    def lane(self) -> Lane:
        """The message's."""
        return Lane("message", self.message_sid)


class ConversationSought(PairEvent, frozen=True, kw_only=True):
    """An inbound call looks for its conversation (connect-conversation.md §4: MATCH, CREATE, ROUTE)."""

    call_sid: str
    request: str
    """Names the answer; unique within the call."""
    chat_service_sid: str
    """As written in the document."""
    autocreate: bool = True
    known: dict[str, Any] = field(default_factory=dict)


class ConversationOpened(ConversationEvent, frozen=True, kw_only=True):
    """A call that a worker started names its conversation (LOOKUP_BY_SID)."""

    account_sid: str
    call_sid: str
    request: str
    chat_service_sid: str
    known: dict[str, Any] = field(default_factory=dict)


class ConversationFound(CallEvent, frozen=True, kw_only=True):
    """The answer to :class:`ConversationSought` and :class:`ConversationOpened`."""

    request: str
    result: str = ""
    """Empty: found. Else the ``Result`` of §5: ``no-existing-conversation``, ``failed-create-conversation``,
    ``no-other-participants``, ``invalid-conversation``, ``internal-error``."""
    error_code: int | None = None
    """For the debugger: 32500, 32501, 32504, 32505."""
    error_text: str = ""
    conversation_sid: str = ""
    created: bool = False
    """It was made for this call."""
    worker: str = ""
    """Identity of the worker participant; empty: none yet, :class:`WorkerJoined` follows when one is added."""
    customer: str = ""
    """The customer participant's address."""
    proxy_address: str = ""
    """The address of ours that they use."""


class WorkerJoined(CallEvent, frozen=True, kw_only=True):
    """A worker was added to a conversation that a call waits for."""

    conversation_sid: str
    worker: str
    """Their identity."""


class CallWaits(ConversationEvent, frozen=True, kw_only=True):
    """A call waits for the first worker of a conversation: :class:`ConversationFound` answers at once (with the worker,
    if there is one by now), :class:`WorkerJoined` follows when one is added."""

    account_sid: str
    call_sid: str
    request: str
    created: bool = False
    """What the answer is to say of it."""
    known: dict[str, Any] = field(default_factory=dict)


class ConversationDue(ConversationEvent, frozen=True, kw_only=True):
    """One of its timers has fired."""

    name: Literal["inactive", "closed"]
    known: dict[str, Any] = field(default_factory=dict)


class ConversationEmptied(ConversationEvent, frozen=True, kw_only=True):
    """It was deleted, and messages of it are left: they go in pieces."""

    known: dict[str, Any] = field(default_factory=dict)


class ReplayRequested(ConversationEvent, frozen=True, kw_only=True):
    """A new webhook wants to hear of the messages after an index; they are told in pieces."""

    webhook_sid: str
    after: int
    known: dict[str, Any] = field(default_factory=dict)


class CallLeftConversation(ConversationEvent, frozen=True, kw_only=True):
    """A call waits no more for a worker."""

    call_sid: str
