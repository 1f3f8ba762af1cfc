"""Queues and bridges: what TaskRouter, the queue and the legs tell each other (twiml.md §5.2, §6)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ringback.events import CallEvent, WorkspaceEvent
from ringback.kernel.hiding import repr_without
from ringback.resources.telephony import TaskLeg


class TaskMade(CallEvent, frozen=True, kw_only=True):
    """The answer to :class:`~ringback.effects.queues.MakeTask`: the caller's task, or why there is none."""

    request: str
    """The id given in the effect."""
    workspace_sid: str = ""
    task_sid: str = ""
    error_code: int | None = None
    """14221 or 14222 of errors.md; then there is no task."""
    error_text: str = ""


class ReservationClaimed(CallEvent, frozen=True, kw_only=True):
    """The answer to :class:`~ringback.effects.queues.ClaimReservation`: whom to bridge, or why not."""

    request: str
    """The id given in the effect."""
    workspace_sid: str = ""
    task_sid: str = ""
    reservation_sid: str = ""
    member_sid: str = ""
    """The waiting caller's call."""
    error_code: int | None = None
    """14215, 14217 or 14218."""
    error_text: str = ""


class QueueTaken(CallEvent, frozen=True, kw_only=True):
    """``call_sid``, a waiting member, has been taken out of its queue (it is no member any more)."""

    by: str
    """The call that dequeues it; empty: TaskRouter, into a conference."""
    room: str = ""
    """Room that the two share; the member joins it when its whisper is over."""
    whisper_url: str | None = None
    """Document run for the member first (absolute URL)."""
    whisper_method: str = "POST"
    conference: dict[str, Any] = field(default_factory=dict)
    """Not empty: the member takes part in a conference instead of a room of two; the attributes of
    ``<Conference>`` by their TwiML names (already read: booleans, lists), with ``name``."""


class MemberReady(CallEvent, frozen=True, kw_only=True):
    """The dequeued member has joined the room (``call_sid`` is the leg that dequeued it)."""

    member_sid: str


class BridgeEnded(CallEvent, frozen=True, kw_only=True):
    """The other side of a bridge between two calls is over (``call_sid`` is the one that is left)."""

    other_sid: str
    reason: Literal["hangup", "redirected", "failed"] = "hangup"
    seconds: int = 0
    """How long the two talked."""


class QueueStirred(CallEvent, frozen=True, kw_only=True):
    """It may be this leg's turn: it waits in ``<Dial><Queue>`` for somebody to come (``call_sid``)."""


class TaskCallRequested(CallEvent, frozen=True, kw_only=True):
    """TaskRouter wants a call to somebody: a worker, a supervisor (``call_sid`` is the new call)."""

    account_sid: str
    to: str
    from_: str
    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    """Instructions after the answer, when there is no ``url``."""
    timeout: int = 60
    """Seconds to let it ring."""
    record: bool = False
    recording_channels: str = "mono"
    """``mono`` or ``dual``."""
    record_callback: str | None = None
    record_callback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    status_callback_events: tuple[str, ...] = ("completed",)
    username: str | None = None
    password: str | None = None
    leg: TaskLeg
    """What the call is to the task: kept in its plan, and told back with every :class:`TaskCallChanged`."""
    caller_number_sid: str | None = "taskrouter"
    """Whose ``from_`` is; None: nobody's (21210). ``taskrouter``: TaskRouter answers for it."""
    early_media: bool = True
    """Whether those who wait for the callee in a conference hear it ring."""
    trial_callee_verified: bool = True
    """False: a trial account, and the callee is not verified (21219)."""

    def __repr__(self) -> str:
        return repr_without(self, "password")


class TaskCallChanged(WorkspaceEvent, frozen=True, kw_only=True):
    """A call that belongs to a task tells TaskRouter how it goes."""

    about: str
    """The call."""
    leg: TaskLeg
    """What it is to the task."""
    change: Literal["answered", "joined", "bridged", "unbridged", "left_queue", "ended"]
    """``joined``: is in a conference; ``bridged``/``unbridged``: talks with the other side, or does no more;
    ``left_queue``: the customer left without an agent (``<Leave>``, redirection); ``ended``: the leg is over."""
    conference_sid: str = ""
    """The conference that the leg has ``joined``."""
    conference_name: str = ""
    """Its friendly name."""
    status: str = ""
    """Terminal status of the leg when ``ended``."""
    sip_code: int | None = None
    error_code: int | None = None
    reason_code: int | None = None
    """Why the leg ``ended`` without an answer, as reservations say it (kernel/outcome.py)."""
    reason: str = ""
