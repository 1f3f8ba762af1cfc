"""The ``callerId`` of ``<Dial>``: whose number the callee is shown, and whether it may be (twiml.md §5)."""

from __future__ import annotations

from typing import Final

from ringback.effects import CheckCallerId
from ringback.events import CallerIdChecked
from ringback.voice.numbers import is_client, is_sip, normal
from ringback.voice.stage import Stage
from ringback.voice.steps import Steps
from ringback.voice.verb import Attributes

CALLER_ID_LIMIT: Final = 255
"""Characters of ``callerId`` (13248)."""


def permitted(attributes: Attributes, session: Stage) -> Steps[str | None]:
    """The number to show: the caller's own, or one that the account may use (13247)."""
    call = session.call
    own = call.to if call.direction == "outbound-api" else call.from_
    wanted = attributes["callerId"]
    if not wanted:
        return own
    if len(wanted) > CALLER_ID_LIMIT:
        session.warn(13248, f"callerId has more than {CALLER_ID_LIMIT} characters; {own} is shown")
        return own
    number = normal(wanted) or wanted
    by_sip = call.direction == "inbound" and call.from_.startswith(("sip:", "sips:"))
    if number.startswith("client:") or (number in (call.to, call.from_) and not by_sip):
        return number
    request = session.fresh("callerid")
    session.do(CheckCallerId(call_sid=call.sid, account_sid=call.account_sid, request=request, number=number))
    while True:
        event = yield
        if isinstance(event, CallerIdChecked) and event.request == request:
            break
    if event.allowed:
        return number
    session.warn(13247, f"callerId {wanted[:60]!r} is neither yours nor verified")
    return None


def caller_id(value: str) -> str:
    """A number, a client or a SIP address. Length is told of separately (13248)."""
    known = normal(value) is not None or is_client(value) or is_sip(value)
    if len(value) <= CALLER_ID_LIMIT and not known:
        raise ValueError(value)
    return value
