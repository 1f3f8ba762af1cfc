"""A conversation goes from state to state (conversations.md §1.2)."""

from __future__ import annotations

from ringback.conversations import calls, machine, participants, timers
from ringback.conversations.work import Work


def move(work: Work, event: str, reason: str) -> None:
    """A step of the table; restarts the timers, and a closed conversation lets its addresses go."""
    conversation = work.change()
    before = conversation.state
    conversation.state = machine.step(before, event)
    timers.restart(work)
    if conversation.state == before:
        return
    conversation.date_updated = max(work.now, conversation.date_updated)
    if conversation.state == "closed":
        participants.release(work)
        calls.nobody_comes(work)
    changed = {
        "state_from": before, "state_to": conversation.state, "state_updated": work.now, "reason": reason,
    }  # fmt: skip
    work.tell("onConversationStateUpdated", conversation, changed)


def due(work: Work) -> None:
    """A timer has fired: nobody caused it, so webhooks hear of it whatever they were told before."""
    if work.record is None or not timers.due(work, work.event.name):
        return
    work.tells = True
    move(work, machine.TIMERS[work.event.name], "TIMER")
