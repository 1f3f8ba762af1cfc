"""Events about calls whose end nobody reported (call-outcomes.md §1, §6)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from ringback.events import CallEvent

Finding = Literal["lost", "gone", "stuck", "expired", "resumed"]
"""What is wrong with a call that should be over or under way.

``lost``: stored as live, and no session has it. ``gone``: a session has it, and no carrier. ``stuck``: it is past
every limit of its own. ``expired``: it waited too long to be dialled. ``resumed``: it is queued, and nobody
would ever have dialled it.
"""


class Repair(Struct, frozen=True):
    """What was done about one call: a line of the report."""

    call_sid: str
    finding: str
    """A :data:`Finding`, ``corrected`` (by a trunk's record) or ``orphan`` (a leg that no call owned)."""
    status: str
    """The call's status afterwards."""
    text: str
    """One sentence for people."""


class CallDoubted(CallEvent, frozen=True, kw_only=True):
    """The reconciler thinks that a call will never end by itself. Answered by a ``Repair``, or None.

    ``call`` and ``finding`` are filled in when the event's turn has come, so that nothing that was reported
    meanwhile is overwritten.
    """

    call: Any = None
    """The record as stored now; None: there is none."""
    finding: Finding | None = None
    """None: all is well with it after all."""


class TrunkRecordFound(CallEvent, frozen=True, kw_only=True):
    """A trunk's own record of a call was imported. Answered by a ``Repair``, or None when nothing was corrected."""

    started_at: float
    """Unix seconds at which the trunk says that it began (its answer, when it was answered)."""
    ended_at: float
    sip_code: int
    """200: it was answered."""
    call: Any = None
    """The record as stored when the event's turn has come."""
