"""Line status from evidence: what our own past calls to a number showed (call-outcomes.md §2.3).

The newest outcome that says something decides::

    480 from the network                 unreachable  the line exists and cannot be reached now
    completed, busy, no-answer           active       somebody, or something, was there
    404, 410, 484, 604 twice in a row    inactive     the network knows no such line
    one of these only once, or nothing   unknown

Canceled calls and failures of our own side or of the way (403, 5xx …) say nothing about the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ringback.resources.api.call import Call

STATUSES: Final = ("active", "reachable", "unreachable", "inactive", "unknown")
"""Every value of the API; ``reachable`` (just now) only a provider can know."""
LIVING: Final = frozenset({"completed", "busy", "no-answer"})
FINAL: Final = LIVING | {"failed", "canceled"}
ABSENT: Final = frozenset({404, 410, 484, 604})
"""SIP codes by which a network says that there is no such line."""
AWAY: Final = frozenset({480})
ABSENCES: Final = 2
"""How many refusals in a row make a line inactive."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the status rests on."""

    calls: int = 0
    """Outbound calls that have ended, of those that were looked at."""
    last_outcome: str | None = None
    """Final status of the newest."""
    last_at: float | None = None
    """When that was, Unix seconds."""
    reachable_count: int = 0
    """Calls of these that reached the line: answered, busy, or rang."""


def judge(calls: Sequence[Call]) -> tuple[str, Evidence]:
    """The status of a line from the calls to it, newest first; live and inbound calls are left out."""
    ended = [call for call in calls if call.status in FINAL and call.direction.startswith("outbound")]
    if not ended:
        return "unknown", Evidence()
    newest = ended[0]
    evidence = Evidence(
        calls=len(ended),
        last_outcome=newest.status,
        last_at=newest.date_updated if newest.end_time is None else newest.end_time,
        reachable_count=sum(_sign(each) == "active" for each in ended),
    )
    told = [sign for sign in map(_sign, ended) if sign]
    if not told or (told[0] == "inactive" and told[:ABSENCES] != ["inactive"] * ABSENCES):
        return "unknown", evidence
    return told[0], evidence


def _sign(call: Call) -> str:
    """What one call says alone; empty: nothing. The code of a refusal says more than the status."""
    if call.sip_code in AWAY and call.status != "completed":
        return "unreachable"
    if call.status in LIVING:
        return "active"
    return "inactive" if call.status == "failed" and call.sip_code in ABSENT else ""
