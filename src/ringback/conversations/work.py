"""What a step has in hand: the conversation as it is now, what was looked up, and the effects so far."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ringback.conversations.parameters import parameters
from ringback.effects import Delete, Effect, Post, Save, SendWebhook
from ringback.effects.media import DropMedia
from ringback.events import Event
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.resource import Record
from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.message import Message
from ringback.resources.conversations.participant import Participant
from ringback.resources.conversations.webhook import Webhook, WebhookSettings

NewSid = Callable[[str], str]


class Work:
    """One event of a conversation, while it is handled."""

    def __init__(self, record: Conversation | None, event: Any, now: float, new_sid: NewSid) -> None:
        self.record = record
        """As it is now; None: there is none, or none any more."""
        self.event, self.now, self.new_sid = event, now, new_sid
        self.known: Mapping[str, Any] = getattr(event, "known", {})
        self.effects: list[Effect] = []
        self.participants: list[Participant] = list(self.known.get("participants", ()))
        """Those of the conversation, changed ones as they are now."""
        self.webhooks: list[Webhook] = list(self.known.get("webhooks", ()))
        self.source: str = getattr(event, "source", "API")
        self.identity: str = getattr(event, "identity", "")
        self.account_sid: str = getattr(event, "account_sid", "") or (record.account_sid if record else "")
        self.tells = bool(getattr(event, "hooks", False)) or self.source != "API"
        """Whether webhooks hear of it: REST must ask for them (§1.4)."""
        self._copied = False

    @property
    def conversation(self) -> Conversation:
        """The conversation. Raises ``Refused`` 50350 when there is none."""
        if self.record is None:
            raise Refused(50350, "The conversation was not found", 404)
        return self.record

    def change(self) -> Conversation:
        """The conversation, to be changed."""
        if not self._copied:
            self.record, self._copied = self.conversation.copy(), True
        return self.conversation

    def begin(self, record: Conversation) -> None:
        """There is a conversation from now on."""
        self.record, self._copied = record, True

    def lane(self) -> Lane:
        """The conversation's."""
        return Lane("conversation", self.event.conversation_sid)

    def save(self, record: Record) -> None:
        """Write a record in the commit."""
        self.effects.append(Save(record))

    def delete(self, record: Record) -> None:
        """Remove a record in the commit; a message with its files."""
        self.effects.append(Delete(record))
        for file in (record.media or ()) if isinstance(record, Message) else ():
            self.effects.append(DropMedia(media_sid=str(file.get("sid") or "")))

    def post(self, event: Event) -> None:
        """Tell another lane, or this one once more."""
        self.effects.append(Post(event))

    # --- webhooks --------------------------------------------------------------------------------------

    def tell(self, kind: str, *about: Record | Mapping[str, Any], words: str = "") -> None:
        """Post-event webhooks. ``about``: what their parameters are taken from; ``words``: what triggers look into."""
        if not self.tells:
            return
        for url, method in self._listeners(kind, words):
            self._send(kind, url, method, about)

    def tell_webhook(
        self, webhook: Webhook, kind: str, *about: Record | Mapping[str, Any], words: str
    ) -> None:
        """The same for one webhook alone (a replay)."""
        for url, method in _scoped(webhook, kind, words):
            self._send(kind, url, method, about)

    def _send(self, kind: str, url: str, method: str, about: Sequence[Record | Mapping[str, Any]]) -> None:
        facts: dict[str, Any] = {}
        for each in about:
            facts |= dict(each) if isinstance(each, Mapping) else facts_of(each)
        account = self.account_sid
        self.effects.append(
            SendWebhook(
                key=self.event.conversation_sid,
                account_sid=account,
                url=url,
                method=method,
                params=parameters(kind, account, self.source, self.identity, facts),
                token=self.new_sid("WN"),
                failure_code=11200,
            )
        )

    def _listeners(self, kind: str, words: str) -> Iterable[tuple[str, str]]:
        settings: Sequence[WebhookSettings] = self.known.get("settings", ())
        for each in settings:
            if each.post_webhook_url and kind in each.filters:
                yield each.post_webhook_url, each.method
        for webhook in self.webhooks:
            yield from _scoped(webhook, kind, words)


def facts_of(record: Record) -> dict[str, Any]:
    """A record's attributes; of a participant, those of the binding too."""
    facts = {field.name: getattr(record, field.name) for field in record.__noun__.fields}
    if isinstance(record, Participant):
        binding = record.messaging_binding or {}
        facts |= {name: binding.get(name) for name in ("address", "proxy_address", "projected_address")}
        facts["binding_type"] = (binding.get("type") or "chat").upper()
    return facts


def _scoped(webhook: Webhook, kind: str, words: str) -> Iterable[tuple[str, str]]:
    configuration = webhook.configuration
    url, method = configuration.get("url"), configuration.get("method") or "POST"
    if not url:
        return  # a Studio flow
    if webhook.target == "webhook" and kind in (configuration.get("filters") or ()):
        yield url, method
    heard = webhook.target == "trigger" and kind == "onMessageAdded"
    if heard and any(_says(words, word) for word in configuration.get("triggers") or ()):
        yield url, method


def _says(text: str, word: str) -> bool:
    """Whether a text has a word, or several in a row, in any case."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
