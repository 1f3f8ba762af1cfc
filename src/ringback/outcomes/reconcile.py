"""When a call that is not over will never end by itself, and what that means for it (call-outcomes.md §1). Pure.

The rules read one :class:`Evidence` and the first row of :data:`RULES` that fits decides. A final status is never
touched: the first row says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ringback.events.outcomes import Finding
from ringback.resources.api.call import Call

TERMINAL: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
LIVE: Final = ("queued", "initiated", "ringing", "in-progress")
"""Statuses that must not last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things may take, in seconds."""

    grace: float = 30.0
    """A call that was written within the last seconds is left alone: events about it may be on their way."""
    after: float = 0.0
    """Longest time from the dialling to the end; 0, or less than the call's own limits: those and ``grace``."""
    queue: float = 14400.0
    """Longest time in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of one call."""

    status: str
    """As stored."""
    session: str | None
    """Status of the live session; None: there is none."""
    leg: bool
    """Whether a carrier knows the leg."""
    age: float
    """Seconds since it was created."""
    quiet: float
    """Seconds since it was last written."""
    dialled: float | None
    """Seconds since it was dialled or arrived; None: not yet."""
    own_limit: float
    """Seconds that it may ring and last by its own plan."""


Rule = tuple[Callable[[Evidence, Limits], bool], Finding | None]


def _bound(seen: Evidence, limits: Limits) -> float:
    return max(limits.after, seen.own_limit + limits.grace)


RULES: Final[tuple[Rule, ...]] = (
    (lambda seen, limits: seen.status in TERMINAL or (seen.session or "") in TERMINAL, None),
    (lambda seen, limits: seen.quiet < limits.grace, None),
    (lambda seen, limits: seen.status == "queued" and seen.age > limits.queue + limits.grace, "expired"),
    (lambda seen, limits: seen.status == "queued" and seen.session is None, "resumed"),
    (lambda seen, limits: seen.status == "queued", None),
    (lambda seen, limits: seen.session is None, "lost"),
    (lambda seen, limits: not seen.leg, "gone"),
    (lambda seen, limits: seen.dialled is not None and seen.dialled > _bound(seen, limits), "stuck"),
)
"""The first that fits decides; none: all is well."""


def judge(seen: Evidence, limits: Limits) -> Finding | None:
    """What is wrong with the call; None: nothing."""
    for fits, finding in RULES:
        if fits(seen, limits):
            return finding
    return None


def examine(
    call: Call, *, session: str | None, leg: bool, now: float, limits: Limits, running: bool = True
) -> Finding | None:
    """The same for a stored call. ``running`` False: no server has the database, so a start would go on with
    whatever is queued, and nothing needs a grace."""
    plan = call.plan
    finding = judge(
        Evidence(
            status=call.status,
            session=session,
            leg=leg,
            age=now - call.date_created,
            quiet=now - call.date_updated,
            dialled=None if call.start_time is None else now - call.start_time,
            own_limit=float(plan.get("timeout") or 60) + float(plan.get("time_limit") or 14400),
        ),
        limits,
    )
    return None if finding == "resumed" and not running else finding
