"""Writing an outcome into its call; the table itself is ``kernel/outcome.py`` (voice-calls.md §4.1)."""

from __future__ import annotations

from collections.abc import Callable

from ringback.effects import ClaimDial, Effect, Post, Save
from ringback.events.conversations import CallLeftConversation
from ringback.kernel.error_codes import title
from ringback.kernel.outcome import Outcome, lost
from ringback.resources.api.call import Call
from ringback.voice.call import machine, progress, task_leg, verification
from ringback.voice.call.plan import Plan


def settle(call: Call, plan: Plan, outcome: Outcome) -> None:
    """Make the call terminal: status, codes and the whole outcome, for whoever saves it in this commit.

    Raises :class:`~ringback.voice.call.machine.IllegalTransition` for a call that is over: a final outcome stays.
    """
    call.status = machine.step(call.status, outcome.status)
    if outcome.sip_code is not None:
        call.sip_code = outcome.sip_code
    if outcome.error_code is not None:
        call.error_code, call.error_message = outcome.error_code, title(outcome.error_code)
    plan.outcome = outcome.to_json()
    call.plan = plan.to_json()


def end_stored(call: Call, plan: Plan, now: float, code: int, new_token: Callable[[], str]) -> list[Effect]:
    """Give a call its terminal status without a session, with the callback that is owed."""
    if call.status in machine.TERMINAL:
        return []
    claim = [ClaimDial(call_sid=call.sid)] if call.status == "queued" else []
    settle(call, plan, lost(code, answered=call.answered_at is not None))
    call.end_time = call.date_updated = now
    call.duration = max(0, round(now - call.answered_at)) if call.answered_at is not None else 0
    hooks, call.sequence = progress.hooks_for(
        call, plan.callbacks, "completed", progress.terminal_facts(call), now, new_token
    )
    hooks += verification.lost(call, plan, now, new_token())
    waits = [Post(CallLeftConversation(conversation_sid=plan.waits_in, call_sid=call.sid))] * bool(
        plan.waits_in
    )
    return [
        *claim,
        *hooks,
        Save(call.copy()),
        *waits,
        *task_leg.changed(call, plan.task_leg, "ended", "lost"),
    ]
