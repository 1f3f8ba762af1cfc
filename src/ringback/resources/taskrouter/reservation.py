"""Reservation: a task offered to a worker (taskrouter.md §4). One object, two views."""

from __future__ import annotations

from ringback.kernel.resource import Record, at, field, resource
from ringback.resources.telephony import CarriedOut

_UPDATE = {
    "ReservationStatus": "accepted, rejected, canceled, wrapping or completed.",
    "WorkerActivitySid": "The worker's activity after a rejection.",
    "Instruction": "accept, reject, dequeue, call, redirect, conference or supervise; the parameters below are theirs.",
    "DequeueTo": "Whom to call; default: contact_uri in the worker's attributes.",
    "DequeueFrom": "Caller id; default: the number that the caller dialled.",
    "DequeueRecord": "do-not-record (default) or record-from-answer.",
    "DequeueTimeout": "Seconds that the worker is rung; default 60.",
    "DequeuePostWorkActivitySid": "The worker's activity after the call.",
    "DequeueStatusCallbackUrl": "Is told (GET) of the worker's call.",
    "DequeueStatusCallbackEvent": "Of which of its states; repeatable. Default completed.",
    "CallTo": "Whom to call; default: contact_uri in the worker's attributes.",
    "CallFrom": "Caller id.",
    "CallUrl": "TwiML for the call; required.",
    "CallRecord": "true or record-from-answer: record it.",
    "CallTimeout": "Seconds that the worker is rung; default 60.",
    "CallAccept": "true: accept the reservation at once.",
    "CallStatusCallbackUrl": "Is told of the call.",
    "RedirectCallSid": "The call that gets another document; required.",
    "RedirectUrl": "That document; required.",
    "RedirectAccept": "true: accept the reservation at once.",
    "To": "conference: whom to call; default: contact_uri in the worker's attributes.",
    "From": "Caller id; default: the number that the caller dialled.",
    "Timeout": "Seconds that the worker is rung; default 60.",
    "Record": "true: record the worker's call.",
    "RecordingChannels": "Of that recording: mono (default) or dual.",
    "RecordingStatusCallback": "Is told of that recording.",
    "RecordingStatusCallbackMethod": "GET or POST (default).",
    "StatusCallback": "Is told of the worker's call.",
    "StatusCallbackMethod": "GET or POST (default).",
    "StatusCallbackEvent": "initiated, ringing, answered, completed (default); repeatable.",
    "Muted": "true: the worker is muted.",
    "Beep": "true (default), false, onEnter or onExit.",
    "StartConferenceOnEnter": "true (default): the conference begins when the worker comes.",
    "EndConferenceOnExit": "true: it ends when the worker leaves.",
    "EndConferenceOnCustomerExit": "true: it ends when the customer leaves.",
    "BeepOnCustomerEntrance": "true (default): a beep when the customer comes.",
    "MaxParticipants": "2 to 250.",
    "WaitUrl": "What is heard before it begins.",
    "WaitMethod": "GET or POST (default).",
    "ConferenceStatusCallback": "Is told of the conference.",
    "ConferenceStatusCallbackMethod": "GET or POST (default).",
    "ConferenceStatusCallbackEvent": "start, end, join, leave, mute, hold, speaker; repeatable.",
    "ConferenceRecord": "true, record-from-start, false or do-not-record.",
    "ConferenceTrim": "trim-silence or do-not-trim.",
    "ConferenceRecordingStatusCallback": "Is told of the conference's recording.",
    "ConferenceRecordingStatusCallbackMethod": "GET or POST (default).",
    "EarlyMedia": "true (default): while the customer of an outbound task is called, the worker hears the ringing, "
    "and what the network says.",
    "Region": "us1, us2, ie1, de1, sg1, br1, au1 or jp1: shown with the conference; it is mixed in this server.",
    "JitterBufferSize": "off, small, medium or large (default): at most 20, 60, 120 or 200 ms of delay for the worker.",
    "PostWorkActivitySid": "The worker's activity after the call.",
    "SipAuthUsername": "For a sip: address.",
    "SipAuthPassword": "For a sip: address.",
    "Supervisor": "supervise: a worker's SID or an address.",
    "SupervisorMode": "monitor (default), whisper or barge.",
}

_WS = "/v1/Workspaces/{workspace_sid}"
_LINKS = {
    "task": _WS + "/Tasks/{task_sid}",
    "worker": _WS + "/Workers/{worker_sid}",
    "workspace": _WS,
}


@resource(
    "/v1/Workspaces/{WorkspaceSid}/Tasks/{TaskSid}/Reservations", sid="WR", key="reservations", product="taskrouter",
    can=("list", "fetch", "update"), live=("update",), etag=True, takes={"update": _UPDATE},
    links=_LINKS,
    also=[
        at(
            "/v1/Workspaces/{WorkspaceSid}/Workers/{WorkerSid}/Reservations", key="reservations",
            product="taskrouter", can=("list", "fetch", "update"), live=("update",), etag=True,
            takes={"update": _UPDATE}, links=_LINKS, tag="WorkerReservation",
        ),
    ],
)  # fmt: skip
class Reservation(Record):
    """A task offered to a worker, and what became of it."""

    workspace_sid: str = field("", index=True)
    """Its workspace."""
    reservation_status: str = field("pending", filter=True)
    """pending, accepted, rejected, timeout, canceled, rescinded, wrapping or completed."""
    task_sid: str = field("", index=True)
    """The task."""
    worker_sid: str = field("", filter=True)
    """The worker."""
    worker_name: str = ""
    """The worker's name."""
    version: int = field(0, hidden=True)
    """Counts its changes."""
    expires_at: float = field(0.0, hidden=True)
    """When a pending one times out."""
    accepted_at: float | None = field(None, hidden=True)
    """When it was accepted."""
    canceled_reason_code: int | None = field(None, hidden=True)
    """Why it was canceled, when a code is known (call-outcomes.md)."""
    task_queue_sid: str | None = field(None, hidden=True)
    """The queue through which it was offered."""
    task_channel_sid: str = field("", hidden=True)
    """The channel whose capacity it takes."""
    call_sid: str | None = field(None, hidden=True)
    """The worker's leg, when an instruction dialled them."""
    instruction: CarriedOut | None = field(None, hidden=True)
    """The instruction that is being carried out."""
    transfer_sid: str | None = field(None, hidden=True)
    """The transfer that it comes from."""
