"""The end of calls whose end nobody reported: what the reconciler found becomes a final status, once.

A status that is final stays as it is; the one exception is a presumption of ours (15000: the server was restarted
while the call was live), which the trunk's own record may correct (call-outcomes.md §1).
"""

from __future__ import annotations

from typing import Final

from ringback.effects import Effect, HangUpLeg, ReleaseCall, Save
from ringback.events import LegEnded, LegFailed
from ringback.events.outcomes import CallDoubted, Repair, TrunkRecordFound
from ringback.kernel.error_codes import title
from ringback.kernel.outcome import completed, expired, outbound
from ringback.resources.api.call import Call
from ringback.voice.call import machine, progress
from ringback.voice.call.plan import from_json
from ringback.voice.call.session import Session

PRESUMED: Final = 15000
"""Error code of a final status that we could only presume."""
QUEUE_CODE: Final = 15002
TEXTS: Final = {
    "lost": "stored as live, and nothing in the server had it",
    "gone": "no carrier had its leg any more",
    "stuck": "it was past its own time limits",
    "expired": "it waited too long to be dialled",
    "resumed": "it was queued, and nobody would have dialled it: it goes on",
}


def repair(call: Call, finding: str, text: str = "") -> Repair:
    """A line of the report."""
    return Repair(call.sid, finding, call.status, text or TEXTS[finding])


def live(session: Session, event: CallDoubted) -> Repair | None:
    """A session that hangs: tell it what the carrier can no longer tell. None: nothing is wrong with it."""
    if session.over or event.finding is None:
        return None
    call = session.call
    if call.status == "queued":
        if event.finding == "expired":
            session.finish(expired(QUEUE_CODE))
            return repair(call, event.finding)
        return None
    if event.finding == "gone" and session.plan.local:
        return None  # no carrier ever has it: its parent sees to it
    if event.finding == "stuck":
        session.do(HangUpLeg(call_sid=call.sid, reason="time-limit"))
        session.ending = session.ending or "time-limit"
    if session.answered:
        session.handle(LegEnded(call_sid=call.sid, by="carrier", reason="reconciled"))
    elif event.finding == "stuck":
        session.handle(LegFailed(call_sid=call.sid, sip_code=487, by="us"))
    else:
        session.handle(LegFailed(call_sid=call.sid, sip_code=408, by="timeout"))
    return repair(call, event.finding)


def released(call: Call) -> list[Effect]:
    """Whatever may still hang on an ended call: its leg at the carrier, its timers."""
    return [HangUpLeg(call_sid=call.sid, reason="time-limit"), ReleaseCall(call_sid=call.sid)]


def may_correct(call: Call | None) -> bool:
    """Whether a trunk's record may say how the call ended: its final status is only presumed."""
    return call is not None and call.status in machine.TERMINAL and call.error_code == PRESUMED


def corrected(event: TrunkRecordFound, now: float, new_token: object) -> tuple[list[Effect], Repair | None]:
    """The record with what the trunk knows; one more final callback when the status was presumed wrongly."""
    if not may_correct(event.call):
        return [], None
    call: Call = event.call.copy()
    before = call.status
    plan = from_json(call.plan)
    result = completed() if event.sip_code < 300 else outbound(event.sip_code, "carrier")
    plan.outcome = result.to_json()
    call.plan = plan.to_json()
    call.status, call.sip_code = result.status, result.sip_code
    call.error_code = result.error_code
    call.error_message = title(result.error_code) if result.error_code is not None else None
    call.end_time, call.date_updated = event.ended_at, now
    if result.status == "completed":
        call.answered_at = call.answered_at if call.answered_at is not None else event.started_at
        call.duration = max(0, round(event.ended_at - call.answered_at))
    else:
        call.answered_at, call.duration = None, 0
    effects: list[Effect] = []
    if call.status != before:
        hooks, call.sequence = progress.hooks_for(
            call, plan.callbacks, "completed", progress.terminal_facts(call), now, new_token
        )
        effects += hooks
    effects.append(Save(call))
    text = f"the trunk's record says {event.sip_code}; {before} had been presumed after a restart"
    return effects, repair(call, "corrected", text)
