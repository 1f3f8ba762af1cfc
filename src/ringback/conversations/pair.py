"""A customer's address and the address of ours that they use: the conversation of the two is found, or made
(conversations.md §1.1, §1.3; connect-conversation.md §4: MATCH, CREATE, ROUTE).

Those of one pair come one by one. That there is one open conversation is the database's matter all the same (the
unique key of ``Participant.pair``): the loser of a race hands on what it was to bring (``conversation.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ringback.effects import Effect, Post, Save
from ringback.events.conversations import (
    CallWaits,
    ConversationFound,
    ConversationSought,
    ConversationWriteRequested,
    InboundTexted,
    Source,
    TextUnclaimed,
)
from ringback.kernel.error_codes import title
from ringback.numbers.address import WITHHELD
from ringback.resources.api.alert import Alert, explained

BODY: Final = 1600
MEDIA: Final = 10
"""What one message of a conversation holds (``checks.py``); what is longer becomes several, none is lost."""
NOBODY_KNOWN: Final = "Withheld number"
"""Name of the conversation of a caller without a number: it is theirs alone, and no later call finds it."""
SOURCES: Final[dict[str, Source]] = {"sms": "SMS", "whatsapp": "WHATSAPP", "chat": "CHAT"}
GENERAL, BAD_SERVICE, NO_WORKER = 32500, 32501, 32504


class Pairs:
    """The core of the lanes ``pair``; what it must know was looked up before (``web/conversations/pairs.py``)."""

    def __init__(self, new_sid: Callable[[str], str]) -> None:
        self._new_sid = new_sid

    # --- messages --------------------------------------------------------------------------------------

    def texted(self, event: InboundTexted, now: float) -> Sequence[Effect]:
        """A message from outside: into its conversation, into a new one, or to the number's own application. One that
        the application refused is in no conversation; it stays among the account's messages."""
        known = event.known
        if known.get("refused"):
            return []
        pieces = list(self._pieces(event))
        if not pieces:  # nothing that a conversation could hold
            return [Post(TextUnclaimed(message_sid=event.message_sid))]
        if thread := known.get("thread", ""):
            service = known["service"]
            return [Post(self._written(event, thread, service, each)) for each in pieces]
        making = known.get("making")
        if making is None:
            return [*self._problem(event, now), Post(TextUnclaimed(message_sid=event.message_sid))]
        made = making["sid"]
        values = {
            **making["values"],
            "participants": [self._customer(event)],
            "message": pieces[0],
            "routed": True,
        }
        if making["webhook"]:
            values["webhooks"] = [{"sid": self._new_sid("WH"), **making["webhook"]}]
        create = ConversationWriteRequested(
            conversation_sid=made, account_sid=event.account_sid, chat_service_sid=making["service"],
            noun="Conversation", operation="create", sid=made, values=values, source=self._source(event),
        )  # fmt: skip
        return [
            Post(create),
            *(Post(self._written(event, made, making["service"], each)) for each in pieces[1:]),
        ]

    def _pieces(self, event: InboundTexted) -> Iterator[dict[str, Any]]:
        """Values of the messages that it becomes: one, unless it is too long. A pre-event may have changed them."""
        changed = event.known.get("changed") or {}
        whole = changed.get("body") or event.body
        count = max(-(-len(whole) // BODY), -(-len(event.media) // MEDIA))
        for number in range(count):
            body = whole[number * BODY : (number + 1) * BODY]
            media = event.media[number * MEDIA : (number + 1) * MEDIA]
            yield {
                "sid": self._new_sid("IM"),
                "participant_sid": event.known.get("sender"),
                "author": changed.get("author") or event.address,
                "attributes": changed.get("attributes"),
                "address": event.address,
                "proxy_address": event.proxy_address,
                "body": body or None,
                "media": [
                    {
                        "sid": each.sid, "content_type": each.content_type, "filename": each.filename,
                        "size": each.size, "category": "media",
                    }
                    for each in media
                ],
                "carrier_key": event.message_sid if not number else f"{event.message_sid}/{number + 1}",
            }  # fmt: skip

    def _written(
        self, event: InboundTexted, conversation_sid: str, service_sid: str, values: dict[str, Any]
    ) -> ConversationWriteRequested:
        return ConversationWriteRequested(
            conversation_sid=conversation_sid, account_sid=event.account_sid, chat_service_sid=service_sid,
            noun="Message", operation="create", sid=values["sid"], values=values, source=self._source(event),
        )  # fmt: skip

    def _source(self, event: InboundTexted) -> Source:
        return SOURCES.get(event.channel_type, "SMS")

    def _customer(self, event: InboundTexted | ConversationSought) -> dict[str, Any]:
        return {
            "sid": self._new_sid("MB"),
            "address": event.address,
            "proxy_address": event.proxy_address,
        }

    def _problem(self, event: InboundTexted, now: float) -> list[Save]:
        """What is wrong with the address's configuration, for the operator."""
        if "problem" not in event.known:
            return []
        code, text = event.known["problem"]
        return [
            Save(
                Alert(
                    sid=self._new_sid("NO"), account_sid=event.account_sid, date_created=now, date_updated=now,
                    error_code=code, message_text=f"{title(code)}. {text}", message_date=now,
                    more_info=explained(code), resource_sid=event.message_sid,
                )
            )
        ]  # fmt: skip

    # --- calls -----------------------------------------------------------------------------------------

    def sought(self, event: ConversationSought, now: float) -> Sequence[Effect]:
        """An inbound call: its conversation and the worker, or why there is none."""
        known = event.known
        if "problem" in known:
            code, text = known["problem"]
            result = "internal-error" if code == BAD_SERVICE else "failed-create-conversation"
            return [self._answered(event, result=result, error_code=code, error_text=text)]
        if thread := known.get("thread", ""):
            return [self._matched(event, thread)]
        making = known.get("making")
        if making is None:
            return [self._answered(event, result="no-existing-conversation")]
        made = making["sid"]
        withheld = event.address == WITHHELD
        customer = self._customer(event) | {"spoken": True, "alone": withheld}
        values = {
            **({"friendly_name": NOBODY_KNOWN} if withheld else {}),
            **making["values"],
            "participants": [customer],
            "waiting_call": {"call_sid": event.call_sid, "request": event.request},
            "routed": True,
        }
        create = ConversationWriteRequested(
            conversation_sid=made, account_sid=event.account_sid, chat_service_sid=event.chat_service_sid,
            noun="Conversation", operation="create", sid=made, values=values, source="VOICE",
        )  # fmt: skip
        return [Post(create)]

    def _matched(self, event: ConversationSought, thread: str) -> Post:
        """Found, with its worker; while another call of the customer waits for the first one, this one waits too."""
        worker = event.known["worker"]
        if worker:
            return self._answered(
                event, conversation_sid=thread, worker=worker, customer=event.address,
                proxy_address=event.proxy_address,
            )  # fmt: skip
        if event.known["waited_for"]:
            waits = CallWaits(
                conversation_sid=thread, account_sid=event.account_sid, call_sid=event.call_sid,
                request=event.request, created=True,
            )  # fmt: skip
            return Post(waits)
        text = f"The conversation {thread} has no worker"
        return self._answered(
            event, result="no-other-participants", error_code=NO_WORKER, error_text=text,
            conversation_sid=thread,
        )  # fmt: skip

    def _answered(self, event: ConversationSought, **facts: Any) -> Post:
        return Post(ConversationFound(call_sid=event.call_sid, request=event.request, **facts))
