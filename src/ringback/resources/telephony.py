"""What tasks and reservations know of the telephone: parts of their records, stored as JSON under these names.

All are values: whoever changes one puts a new one in its place (``dataclasses.replace``), because the copies of a
record that are on their way to the database share it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

LegState = Literal["", "waiting", "dialled", "answered", "talking", "parted", "left", "over", "unreached"]
"""Where a leg of a task is (``taskrouter/machine.py`` has the table); empty: there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLeg:
    """What a call is to a task; the call tells it with everything that it reports (``TaskCallChanged``)."""

    workspace: str
    """SID of the workspace."""
    task: str
    """SID of the task."""
    role: Literal["customer", "worker", "supervisor"]
    reservation: str = ""
    """SID of the reservation for which it was dialled; empty for a caller."""
    instruction: str = ""
    """The instruction that it was dialled for; empty: none of ours dialled it."""
    queue: str = ""
    """SID of the queue that the reservation came through: of a customer whom the worker called."""
    started_by: str = ""
    """SID of the worker who made the outbound task for themselves; empty: nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskConference:
    """The customer's side of a task, and the calls that were made for it."""

    customer: LegState = ""
    """The customer's leg; empty for a caller who has only waited so far (``calls.customer_leg`` knows)."""
    customer_call: str = ""
    """SID of the call to the customer of an outbound task."""
    worker_calls: tuple[str, ...] = ()
    """SIDs of the calls that instruction ``conference`` made to workers."""
    opted_out: dict[str, str] = field(default_factory=dict)
    """What opted out (SID of the call or recording) → SID of the task that was made for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """The instruction that is being carried out for a reservation, and the worker's leg that it has dialled."""

    kind: str
    """dequeue, call or conference."""
    leg: LegState = "dialled"
    """The worker's leg."""
    post_work_activity_sid: str | None = None
    """The worker's activity when the talk is over."""
    end_on_customer_exit: bool = False
    """conference: it ends when the customer leaves."""
    customer_beep: bool = True
    """conference: a beep when the customer comes."""
    early_media: bool = True
    """conference, outbound: the worker hears the customer's phone ring."""
    customer_twiml: str | None = None
    """conference, outbound: what the customer's call does when it is answered."""
    customer_from: str = ""
    """conference, outbound: the number that the customer sees."""
    customer_timeout: int = 60
    """conference, outbound: seconds that the customer's phone rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTransfer:
    """A transfer of a task: in flight, or the last one that was (taskrouter.md §9.1)."""

    sid: str
    mode: str
    """WARM or COLD."""
    type: str
    """WORKER or QUEUE."""
    to: str
    """SID of that worker or queue."""
    status: str
    """initiated, completed, failed or canceled."""
    task_sid: str
    initiating_worker_sid: str
    initiating_reservation_sid: str
    initiating_queue_sid: str | None = None
    """The queue from which it is transferred."""
    initiating_workflow_sid: str | None = None
    reason: str | None = None
    """Why it failed."""
    date_created: float = 0.0
    """Unix seconds."""
    date_updated: float = 0.0
    holding: bool = False
    """It has put the customer on hold, and nobody who took the task over has joined them yet."""
    unheld_since: float = 0.0
    """When nobody had the task any more; 0: somebody has always had it."""

    @property
    def flying(self) -> bool:
        """Whether it is in flight: nobody has accepted it yet."""
        return self.status == "initiated"
