"""Messages: look-ups first, then one event. A message is edited by its lane alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ringback.events.messaging import Attachment, MessageRequested
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.kernel.sid import is_sid
from ringback.resources.api.message import Message
from ringback.web.nouns import NounRules
from ringback.web.rest.answer import Answer, json_answer
from ringback.web.rest.context import Context, Params
from ringback.web.rest.params import first
from ringback.web.rest.render import rfc2822
from ringback.web.rest.rules import Extra, normal

_READ = frozenset({"To", "From", "Body", "MediaUrl", "MessagingServiceSid", "StatusCallback"})
"""Parameters that have fields of their own in the event."""


class MessageRules(NounRules):
    """Texts and media are sent by an event; SIDs begin with SM, or MM when there is media."""

    noun = Message
    audited = frozenset({"delete"})
    tests = True

    @property
    def extras(self) -> Sequence[Extra]:
        """What the recipient did with it, as the application tells."""
        return [
            Extra(
                "/2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Feedback", {"POST": "create"}, self.feedback,
                takes={"Outcome": "``confirmed`` or ``unconfirmed``."},
            )
        ]  # fmt: skip

    async def fetch(self, ctx: Context, word: str) -> Any:
        """SM and MM share a slot."""
        sid = normal(word)
        if not is_sid(sid, "SM", "MM"):
            return None
        record, ctx.version = await ctx.store.get_versioned(Message, sid, ctx.account.sid) or (None, None)
        return record

    async def create(self, ctx: Context, params: Params) -> Any:
        """POST Messages. Raises :class:`Refused` with the first failed check."""
        if self.ports.closed():
            raise Refused(20503, "Ringback is stopping and takes no new messages; try again in a moment", 503)
        media = tuple(Attachment(url=url.strip()) for url in params.get("MediaUrl", ()) if url.strip())
        sid = self.ports.new_sid("MM" if media else "SM")
        return await self.ports.ask(
            MessageRequested(
                message_sid=sid, account_sid=ctx.account.sid, to=first(params, "To"), from_=first(params, "From"),
                body=first(params, "Body"), media=media,
                messaging_service_sid=normal(first(params, "MessagingServiceSid").strip()),
                status_callback=first(params, "StatusCallback"),
                params={name: first(params, name) for name in params if name not in _READ or name == "Body"},
                known={"test": True} if ctx.caller.is_test else {},
            )
        )  # fmt: skip

    async def update(self, ctx: Context, params: Params) -> Any:
        """``Body=`` takes the text away; ``Status=canceled`` keeps it from being sent."""
        sid = ctx.record.sid
        return await self.write(ctx, "update", Lane("message", sid), sid, params)

    async def delete(self, ctx: Context, params: Params) -> None:
        """Once it is over."""
        sid = ctx.record.sid
        await self.write(ctx, "delete", Lane("message", sid), sid, params)

    async def feedback(self, ctx: Context) -> Answer:
        """Taken and answered; nobody but the application needs it."""
        message = await self.fetch(ctx, ctx.args["MessageSid"])
        outcome = first(ctx.params, "Outcome") or "confirmed"
        if outcome not in ("confirmed", "unconfirmed"):
            raise Refused(20001, "Outcome must be confirmed or unconfirmed")
        now = rfc2822(ctx.now)
        return json_answer(
            201,
            {
                "account_sid": message.account_sid, "message_sid": message.sid, "outcome": outcome,
                "date_created": now, "date_updated": now, "uri": f"{ctx.path}.json",
            },
        )  # fmt: skip
