"""Queue and Member: callers who wait for somebody (twiml.md §6)."""

from __future__ import annotations

from ringback.kernel.resource import Record, field, resource

DEFAULT_SIZE = 1000
"""Members of a queue when nobody said how many."""
LARGEST_SIZE = 5000
NAME_LIMIT = 64
"""Characters of a queue's name."""

_WRITES = {
    "FriendlyName": "1 to 64 characters; unique within the account.",
    "MaxSize": "Most members, 1 to 5000. Default 1000.",
}


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Queues",
    sid="QU",
    key="queues",
    can=("list", "create", "fetch", "update", "delete"),
    live=("create", "update", "delete"),
    takes={"create": _WRITES, "update": _WRITES},
    links=("members",),
)
class Queue(Record):
    """A line of waiting calls. Its members are in the memory of the process that has their calls."""

    friendly_name: str = field("", unique="account")
    """``<Enqueue>`` and ``<Queue>`` name it; with a workflow it is the workflow's SID."""
    max_size: int = field(DEFAULT_SIZE)
    """Most members."""
    current_size: int = field(0)
    """Members now; counted when it is shown."""
    average_wait_time: int = field(0)
    """Seconds that those who wait now have waited, on average; computed when it is shown."""


@resource(
    "/2010-04-01/Accounts/{AccountSid}/Queues/{QueueSid}/Members",
    sid="CA",
    key="queue_members",
    can=("list", "fetch", "update"),
    live=("update",),
    takes={
        "update": {
            "Url": "Required. The document that the call goes on with, outside the queue.",
            "Method": "GET or POST. Default POST.",
        }
    },
    show={
        "call_sid": "call_sid",
        "date_enqueued": "date_enqueued",
        "position": "position",
        "queue_sid": "queue_sid",
        "wait_time": "wait_time",
    },
    stored=False,
)
class Member(Record):
    """A call that waits in a queue; its SID, or ``Front`` for the first one, names it. Front first in lists."""

    call_sid: str = field("")
    """The waiting call."""
    queue_sid: str = field("")
    """The queue."""
    date_enqueued: float = field(0.0, wire="date")
    """When it came into the queue."""
    position: int = field(1)
    """1 is the front."""
    wait_time: int = field(0)
    """Seconds."""
