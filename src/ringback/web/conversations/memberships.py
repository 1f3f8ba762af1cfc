"""Where somebody takes part: pages of their participants, each with its conversation.

An identity's rows are read in the order of its unique index, by conversation; an address's by participant. So a page
costs the same however many participants there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ringback.resources.conversations.conversation import Conversation
from ringback.resources.conversations.participant import Participant
from ringback.store import Condition, Query, Store


class Membership(NamedTuple):
    """One participant and the conversation."""

    participant: Participant
    conversation: Conversation


class Memberships(NamedTuple):
    """A part of somebody's, newest first."""

    found: Sequence[Membership]
    more_after: bool
    more_before: bool


async def of_identity(store: Store, chat_service_sid: str, identity: str, query: Query) -> Memberships:
    """Those of an identity; the query's ``after`` and ``before`` are SIDs of conversations."""
    conditions = [Condition("identity", "=", identity), Condition("chat_service_sid", "=", chat_service_sid)]
    return await _page(store, conditions, "conversation_sid", query)


async def of_address(
    store: Store, account_sid: str, chat_service_sid: str, address: str, query: Query
) -> Memberships:
    """Those of an address; the query's ``after`` and ``before`` are SIDs of participants."""
    conditions = [
        Condition("address", "=", address),
        Condition("account_sid", "=", account_sid),
        Condition("chat_service_sid", "=", chat_service_sid),
    ]
    return await _page(store, conditions, "sid", query)


async def _page(store: Store, conditions: list[Condition], order: str, query: Query) -> Memberships:
    back = bool(query.before and not query.after)
    if query.after:
        conditions.append(Condition(order, "<", query.after))
    elif query.before:
        conditions.append(Condition(order, ">", query.before))
    page = await store.page(
        Participant, Query(conditions=conditions, limit=query.limit, order=order, ascending=back)
    )
    participants = page.records[::-1] if back else page.records
    sids = tuple(one.conversation_sid for one in participants)
    known = {one.sid: one for one in await store.find(Conversation, sid=sids)} if sids else {}
    found = [
        Membership(one, known[one.conversation_sid]) for one in participants if one.conversation_sid in known
    ]
    if back:
        return Memberships(found, True, page.more_after)
    return Memberships(found, page.more_after, bool(query.after))
