"""What a trial account's calls are like (call-outcomes.md §4.3): an announcement first, and ten minutes."""

from __future__ import annotations

from typing import Final

from ringback.effects import Speech
from ringback.voice.call.plan import Plan
from ringback.voice.stage import Stage
from ringback.voice.steps import Steps

LONGEST: Final = 600
"""Seconds."""
OVER: Final = 13805
DISCLAIMER: Final = (
    "This call comes from a trial account. Upgrade the account to remove this message. The call goes on now."
)


class Disclaimed:
    """Kept with a leg whose announcement has been played."""


def limit(plan: Plan) -> None:
    """Make a call one of a trial account."""
    plan.trial = True
    plan.time_limit = min(plan.time_limit, LONGEST)


def disclaim(session: Stage) -> Steps[None]:
    """Once a call, after the answer and before anything of the application is heard."""
    if session.plan.trial and session.part(Disclaimed) is None:
        session.keep(Disclaimed())
        yield from session.play((Speech(DISCLAIMER),))
