"""What REST writes to conversations, and to what is in them, become: one event, whatever the noun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from ringback.events.conversations import ConversationWriteRequested
from ringback.kernel.errors import Refused
from ringback.store import Conflict
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import read_date

ENABLED = b"x-twilio-webhook-enabled"
"""Header by which a REST request asks for webhooks (conversations.md §1.4)."""
TRIES = 3
"""Times that a write is tried whose unique key somebody else takes meanwhile: the next look-up says who."""
_AS_EVENT = {"create": "Add", "update": "Update", "delete": "Remove"}
_DATES = {"DateCreated": "date_created", "DateUpdated": "date_updated"}


class ConversationsRules(NounRules):
    """Create, update and delete of one noun."""

    audited = frozenset()
    kind: ClassVar[Literal["Conversation", "Participant", "Message", "Webhook"]]
    values: ClassVar[Mapping[str, str]] = {}
    """Parameter → value (events/conversations.py)."""
    numbers: ClassVar[frozenset[str]] = frozenset()
    """Those that are whole numbers."""
    dates: ClassVar[frozenset[str]] = frozenset()
    """Those that are dates."""
    asks: ClassVar[bool] = True
    """Whether there are pre-events of it."""

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST to the list. Raises ``Refused``."""
        sid = self.ports.new_sid(self.noun.__noun__.prefix)
        return await self.send(ctx, "create", sid, await self.read(ctx, params))

    async def update(self, ctx: Context, params: Params) -> Any:
        """POST to the instance. Raises ``Refused``."""
        return await self.send(ctx, "update", ctx.record.sid, await self.read(ctx, params))

    async def delete(self, ctx: Context, params: Params) -> None:
        """DELETE of the instance. Raises ``Refused``."""
        await self.send(ctx, "delete", ctx.record.sid, {})

    async def read(self, ctx: Context, params: Params) -> dict[str, Any]:
        """The values of a request. Raises ``Refused``."""
        found: dict[str, Any] = {}
        for param, name in {**self.values, **_DATES}.items():
            if param in params:
                found[name] = self._value(param, params[param][-1])
        return found

    def _value(self, param: str, text: str) -> Any:
        if param in self.dates or param in _DATES:
            try:
                return read_date(text)[0] if text else None
            except (ValueError, OverflowError) as error:
                raise Refused(20001, f"Invalid {param}: {error}", 400) from None
        if param in self.numbers and text:
            if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit() or len(text) > 15:
                raise Refused(20001, f"Invalid {param}: must be a whole number", 400)
            return int(text)
        return text

    def conversation_sid(self, ctx: Context, sid: str) -> str:
        """Whose turn it is."""
        return ctx.args["ConversationSid"]

    async def send(
        self, ctx: Context, operation: Literal["create", "update", "delete"], sid: str, values: dict[str, Any]
    ) -> Any:
        """Ask whoever wants to be asked, then the core. Raises ``Refused``."""
        hooks = ctx.headers.get(ENABLED, b"").strip().lower() == b"true"
        conversation_sid, service_sid = self.conversation_sid(ctx, sid), ctx.args["ChatServiceSid"]
        if hooks and self.asks:
            named = {"conversation_sid": conversation_sid} if self.kind != "Conversation" else {}
            values |= await self.ports.pre_events.ask(
                f"on{self.kind}{_AS_EVENT[operation]}",
                account_sid=ctx.account.sid,
                chat_service_sid=service_sid,
                facts={"chat_service_sid": service_sid, **named, **values},
                record=None if operation == "create" else ctx.record,
                subject=conversation_sid,
            )
        event = ConversationWriteRequested(
            conversation_sid=conversation_sid, account_sid=ctx.account.sid, chat_service_sid=service_sid,
            noun=self.kind, operation=operation, sid=sid, values=values, hooks=hooks,
        )  # fmt: skip
        for _ in range(TRIES):
            try:
                return await self.ports.ask(event)
            except Conflict:
                continue
        raise Refused(20409, "Others write the same at the same time; try again", 409)
