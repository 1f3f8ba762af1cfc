"""Writing an outcome into its call; the table itself is ``kernel/outcome.py`` (voice-calls.md §4.1)."""

from __future__ import annotations

from ringback.kernel.error_codes import title
from ringback.kernel.outcome import Outcome
from ringback.resources.api.call import Call
from ringback.voice.call import machine
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
