"""A worker's channels (taskrouter.md §2.6)."""

from __future__ import annotations

from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.taskrouter.journal import publish
from ringback.taskrouter.requests.values import truth
from ringback.taskrouter.workspace import LiveWorkspace, refresh

NOUN = WorkerChannel
CAPACITY_LIMIT = 1000


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> WorkerChannel:
    """Capacity and availability; live reservations are never taken away."""
    channel = workspace.worker_channels.get(event.sid)
    if channel is None:
        raise Refused(20404, f"The requested worker channel {event.sid[:64]} was not found", 404)
    worker = workspace.worker(channel.worker_sid)
    text = event.params.get("Capacity", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= CAPACITY_LIMIT):
        raise Refused(20001, f"Capacity must be 0 to {CAPACITY_LIMIT}")
    before = (channel.configured_capacity, channel.available)
    if text:
        channel.configured_capacity = int(text)
    if event.params.get("Available"):
        channel.available = truth(event.params["Available"])
    refresh(channel)
    workspace.save(channel)
    workspace.refresh_worker(worker)
    facts = {
        "WorkerChannelAvailable": "true" if channel.available else "false",
        "WorkerChannelAvailableCapacity": str(channel.configured_capacity),
        "WorkerChannelPreviousCapacity": str(before[0]),
        "WorkerChannelTaskCount": str(channel.assigned_tasks),
        "TaskChannelSid": channel.task_channel_sid,
        "TaskChannelUniqueName": channel.task_channel_unique_name,
    }
    if channel.configured_capacity != before[0]:
        workspace.save(worker.record)  # clients count the worker's version on (taskrouter-js.md §3)
        publish(workspace, "worker.capacity.update", worker=worker.record, channel=channel, facts=facts)
    if channel.available != before[1]:
        workspace.save(worker.record)
        publish(
            workspace,
            "worker.channel.availability.update",
            worker=worker.record,
            channel=channel,
            facts=facts,
        )
    return channel
