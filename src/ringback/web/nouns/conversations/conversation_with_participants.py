"""A conversation and who is in it by one request: one event, one commit; all or nothing (conversations.md §1)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from ringback.kernel.errors import Refused
from ringback.resources.conversations.conversation_with_participants import ConversationWithParticipants
from ringback.web.conversations.writing import ConversationsRules
from ringback.web.nouns.conversations.conversation import ConversationRules
from ringback.web.rest.context import Context, Params

MOST: Final = 10
"""Participants of one request."""
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What JSON may spell and no database keeps: NUL, and half a surrogate pair."""
_TEXTS: Final = {"identity": "identity", "role_sid": "role_sid"}
_BINDING: Final = {
    "address": "address", "proxy_address": "proxy_address", "projected_address": "projected_address",
    "type": "binding_type", "level": "binding_level", "name": "binding_name",
}  # fmt: skip
_TAKEN: Final = 50416
_SOME_TAKEN: Final = 50425


class ConversationWithParticipantsRules(ConversationsRules):
    """The parameters of a conversation, and ``Participant``."""

    noun = ConversationWithParticipants
    kind = "Conversation"
    values = ConversationRules.values

    def conversation_sid(self, ctx: Context, sid: str) -> str:
        """Its own."""
        return sid

    async def create(self, ctx: Context, params: Params) -> Any:
        """The conversation. Raises ``Refused``: 50425 names who is in another conversation, 50426 are too many."""
        people = read_participants(params.get("Participant", ()))
        for one in people:
            one["sid"] = self.ports.new_sid("MB")
        values = await self.read(ctx, params) | {"participants": people}
        try:
            return await self.send(ctx, "create", self.ports.new_sid("CH"), values)
        except Refused as refusal:
            if refusal.code == _TAKEN:
                raise Refused(_SOME_TAKEN, refusal.message, refusal.status) from None
            raise

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """It is a conversation from now on."""
        body["url"] = body["url"].replace("/ConversationWithParticipants/", "/Conversations/")


def read_participants(texts: Sequence[str]) -> list[dict[str, Any]]:
    """The values of each participant (``ConversationWriteRequested``) from its JSON. Raises ``Refused``."""
    given = [text for text in texts if text]
    if len(given) > MOST:
        raise Refused(50426, f"More than {MOST} participants in one request", 400)
    return [_participant(text, number) for number, text in enumerate(given)]


def _participant(text: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _bad(number, "is not valid JSON") from None
    if not isinstance(found, dict):
        raise _bad(number, "is not a JSON object")
    values: dict[str, Any] = {}
    binding = found.get("messaging_binding")
    if binding is not None and not isinstance(binding, dict):
        raise _bad(number, "messaging_binding is not a JSON object")
    for holder, names in ((found, _TEXTS), (binding or {}, _BINDING)):
        for key, name in names.items():
            value = holder.get(key)
            if value is not None and (not isinstance(value, str) or _NO_TEXT.search(value)):
                raise _bad(number, f"{key} is not a text")
            if value:
                values[name] = value
    attributes = found.get("attributes")
    if isinstance(attributes, str) and _NO_TEXT.search(attributes):
        raise _bad(number, "attributes is not a text")
    if attributes is not None:
        values["attributes"] = attributes if isinstance(attributes, str) else json.dumps(attributes)
    if not values.keys() & {"identity", "address", "projected_address"}:
        raise _bad(number, "has neither an identity nor a messaging_binding with an address")
    return values


def _bad(number: int, why: str) -> Refused:
    return Refused(20001, f"Invalid Participant: number {number + 1} {why}", 400)
