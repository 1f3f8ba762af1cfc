"""When a conversation becomes inactive or closed by itself (conversations.md §1.2): durable deadlines of its lane."""

from __future__ import annotations

import datetime
from typing import Any

from ringback.conversations import machine
from ringback.conversations.parameters import iso
from ringback.conversations.work import Work
from ringback.effects import ClearDeadline, SetDeadline
from ringback.kernel import duration
from ringback.kernel.errors import Refused

SHORTEST = {"inactive": 60.0, "closed": 600.0}
"""Seconds."""
_CODES = {"inactive": (50379, 50375), "closed": (50380, 50376)}
"""Timer → error of its form, error of its length."""
_PARAMS = {"inactive": "Timers.Inactive", "closed": "Timers.Closed"}


def read_timer(name: str, value: Any) -> float | None:
    """Seconds; None for what is empty or ``PT0S``: it is switched off. Raises ``Refused``."""
    if value in (None, ""):
        return None
    bad, short = _CODES[name]
    try:
        seconds = duration.seconds(str(value))
    except ValueError as error:
        raise Refused(bad, f"Invalid {_PARAMS[name]}: {error}", 400) from None
    if not seconds:
        return None
    if seconds < SHORTEST[name]:
        raise Refused(short, f"{_PARAMS[name]} is shorter than {SHORTEST[name] / 60:.0f} min", 400)
    return seconds


def restart(work: Work) -> None:
    """Something happened: both timers count from now. A closed conversation has none."""
    conversation = work.change()
    running = {
        "inactive": conversation.inactive_after if conversation.state == "active" else None,
        "closed": conversation.closed_after if conversation.state != "closed" else None,
    }
    for name, seconds in running.items():
        shown = conversation.timers.get(f"date_{name}")
        if seconds is not None:
            work.effects.append(SetDeadline(lane=work.lane(), name=name, at=work.now + seconds))
        elif shown is not None:
            work.effects.append(ClearDeadline(lane=work.lane(), name=name))
    conversation.timers = {
        "date_inactive": _date(work.now, running["inactive"]),
        "date_closed": _date(work.now, running["closed"]),
    }


def stop(work: Work) -> None:
    """The conversation is gone: forget its timers."""
    for name in ("inactive", "closed"):
        work.effects.append(ClearDeadline(lane=work.lane(), name=name))


def _date(now: float, seconds: float | None) -> str | None:
    return None if seconds is None else iso(now + seconds)


def due(work: Work, name: str) -> bool:
    """Whether a timer that has fired still means it: it may have been restarted while the event waited."""
    conversation = work.conversation
    shown = conversation.timers.get(f"date_{name}")
    if shown is None or (conversation.state, machine.TIMERS[name]) not in machine.CONVERSATION:
        return False
    return datetime.datetime.fromisoformat(str(shown)).timestamp() <= work.now + 0.001
