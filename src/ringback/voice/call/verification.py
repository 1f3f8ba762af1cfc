"""The call that verifies a caller id: the callee enters six digits; no application is asked (call-outcomes.md §4.2)."""

from __future__ import annotations

from ringback.effects import CheckCallerId, Keys, Save, SendWebhook, Silence, Speech
from ringback.events import (
    CallerIdChecked,
    DigitPressed,
    LegAnswered,
    PlaybackEnded,
    TimerFired,
)
from ringback.events.writes import Verification
from ringback.resources.api.call import Call
from ringback.resources.api.outgoing_caller_id import OutgoingCallerId
from ringback.voice.call.plan import Plan
from ringback.voice.params import rfc2822, standard
from ringback.voice.stage import Stage
from ringback.voice.steps import End, Redirected, Steps

LENGTH = 6
ATTEMPTS = 3
BETWEEN = 8.0
"""Seconds of silence after which an entry counts as ended."""
LONGEST = 180
"""Seconds that the call may last."""
EXTENSION_PAUSE = 1.0
PROMPT = (
    "This is a call to verify your phone number. "
    "Please enter the six digit code that you were shown, on the keypad of your phone."
)
AGAIN = "That was not the code. Please enter the six digits again."
THANKS = "Thank you. Your phone number is verified. Goodbye."
SORRY = "The code was not entered. Your phone number is not verified. Goodbye."


def documents(session: Stage) -> Steps[End]:
    """Runs from the creation to the end of the call, in place of an application's documents."""
    wanted = session.plan.verification
    assert wanted is not None
    try:
        while not isinstance((yield), LegAnswered):
            pass
        if wanted.extension:
            yield from session.play((Silence(EXTENSION_PAUSE), Keys(wanted.extension)))
        for attempt in range(ATTEMPTS):
            entered = yield from _digits(session, AGAIN if attempt else PROMPT)
            if entered == wanted.code:
                yield from _keep(session, wanted)
                yield from session.play((Speech(THANKS),))
                return End()
        yield from session.play((Speech(SORRY),))
    except Redirected:
        pass  # somebody gave the call another document: whoever answers has not entered the code
    finally:
        if session.plan.verification is not None:
            for hook in lost(session.call, session.plan, session.now, session.board.new_token()):
                session.do(hook)
            session.plan.verification = None
    return End()


def _digits(session: Stage, prompt: str) -> Steps[str]:
    """Six digits; the first stops the prompt, which is spoken twice to whoever says nothing."""
    found = ""
    playing = session.start_audio((Speech(prompt), Silence(4.0)), 2)
    timer = session.fresh("digits")
    try:
        while len(found) < LENGTH:
            event = yield
            if isinstance(event, DigitPressed) and event.digit in "0123456789":
                found += event.digit
                if playing:
                    session.stop_audio(playing)
                    playing = ""
                session.timer(timer, BETWEEN)
            elif isinstance(event, PlaybackEnded) and event.playback == playing:
                playing = ""
                session.timer(timer, BETWEEN)
            elif isinstance(event, TimerFired) and event.name == timer:
                break
    finally:
        if playing:
            session.stop_audio(playing)
        session.stop_timer(timer)
    return found


def _keep(session: Stage, wanted: Verification) -> Steps[None]:
    """Save the caller id (unless another call verified it meanwhile), and tell the application."""
    call, request = session.call, session.fresh("caller-id")
    session.do(
        CheckCallerId(call_sid=call.sid, account_sid=call.account_sid, request=request, number=wanted.number)
    )
    while True:
        event = yield
        if isinstance(event, CallerIdChecked) and event.request == request:
            break
    sid = event.phone_number_sid
    if sid is None:
        sid = wanted.sid
        session.do(
            Save(
                OutgoingCallerId(
                    sid=sid,
                    account_sid=call.account_sid,
                    date_created=session.now,
                    date_updated=session.now,
                    phone_number=wanted.number,
                    friendly_name=wanted.friendly_name,
                )
            )
        )
    for hook in _told(call, wanted, session.now, session.board.new_token(), sid):
        session.do(hook)
    session.plan.verification = None
    session.save()


def lost(call: Call, plan: Plan, now: float, token: str) -> list[SendWebhook]:
    """The callback of a verification that came to nothing; none when the call was not one."""
    return [] if plan.verification is None else _told(call, plan.verification, now, token, None)


def _told(
    call: Call, wanted: Verification, now: float, token: str, caller_id_sid: str | None
) -> list[SendWebhook]:
    if not wanted.callback:
        return []
    facts = [*standard(call), ("Timestamp", rfc2822(now))]
    facts.append(("VerificationStatus", "failed" if caller_id_sid is None else "success"))
    if caller_id_sid is not None:
        facts.append(("OutgoingCallerIdSid", caller_id_sid))
    return [
        SendWebhook(
            key=call.sid, call_sid=call.sid, account_sid=call.account_sid, url=wanted.callback,
            method=wanted.method, params=facts, token=token,
        )
    ]  # fmt: skip
