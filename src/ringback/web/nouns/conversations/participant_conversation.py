"""Where somebody takes part: by identity or address (conversations.md §1)."""

from __future__ import annotations

from typing import Any

from ringback.kernel.errors import Refused
from ringback.resources.conversations.participant_conversation import ParticipantConversation
from ringback.resources.conversations.user import User
from ringback.store import Page, Query
from ringback.web.conversations.memberships import Membership, of_address, of_identity
from ringback.web.nouns import NounRules
from ringback.web.rest.context import Context
from ringback.web.rest.params import first


class ParticipantConversationRules(NounRules):
    """One of the two must be said."""

    noun = ParticipantConversation

    async def page(self, ctx: Context, query: Query) -> Page:
        """A part of the list. Raises ``Refused``."""
        identity, address = first(ctx.params, "Identity"), first(ctx.params, "Address")
        if bool(identity) == bool(address):
            raise Refused(20001, "Either Identity or Address must be given", 400)
        service = ctx.args["ChatServiceSid"]
        if identity:
            found = await of_identity(ctx.store, service, identity, query)
            user = await ctx.store.first(User, identity=identity, chat_service_sid=service)
            records = [
                _shown(one, one.conversation.sid, user.sid if user is not None else None)
                for one in found.found
            ]
        else:
            found = await of_address(ctx.store, ctx.account.sid, service, address, query)
            records = [_shown(one, one.participant.sid, None) for one in found.found]
        return Page(records, found.more_after, found.more_before)

    def decorate(self, ctx: Context, record: Any, body: dict[str, Any], *, created: bool) -> None:
        """It has no path of its own."""
        del body["url"]


def _shown(one: Membership, sid: str, user_sid: str | None) -> ParticipantConversation:
    """``sid`` marks its place in the list, for the page tokens."""
    participant, conversation = one
    return ParticipantConversation(
        sid=sid, account_sid=participant.account_sid, chat_service_sid=participant.chat_service_sid,
        participant_sid=participant.sid, participant_user_sid=user_sid, participant_identity=participant.identity,
        participant_messaging_binding=participant.messaging_binding, conversation_sid=conversation.sid,
        conversation_unique_name=conversation.unique_name, conversation_friendly_name=conversation.friendly_name,
        conversation_attributes=conversation.attributes, conversation_date_created=conversation.date_created,
        conversation_date_updated=conversation.date_updated, conversation_created_by=conversation.created_by,
        conversation_state=conversation.state, conversation_timers=conversation.timers,
    )  # fmt: skip
