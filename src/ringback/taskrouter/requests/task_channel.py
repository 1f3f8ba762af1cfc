"""Task channels (taskrouter.md §2.6): every worker gets one of each."""

from __future__ import annotations

import re

from ringback.effects import Delete
from ringback.events.taskrouter import WorkspaceWriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.taskrouter.journal import publish
from ringback.taskrouter.requests.values import assign
from ringback.taskrouter.workspace import LiveWorkspace

NOUN = TaskChannel
_NAME = re.compile(r"[A-Za-z0-9_.]{1,64}\Z")


def create(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> TaskChannel:
    """A new channel, for every worker with a capacity of one."""
    name = event.values["unique_name"]
    if _NAME.match(name) is None:
        raise Refused(20001, "UniqueName takes letters, digits, underscores and dots only")
    if name in workspace.channel_names:
        raise Refused(20409, f"A task channel named {name!r} exists in this workspace", 409)
    channel = TaskChannel(
        sid=event.sid, account_sid=event.account_sid, date_created=workspace.now, workspace_sid=workspace.record.sid,
        **event.values,
    )  # fmt: skip
    workspace.add_channel(channel)
    workspace.save(channel)
    for worker in workspace.workers.values():
        equip(workspace, worker.record, channel)
        workspace.refresh_worker(worker)
    _tell(workspace, channel, "created")
    return channel


def update(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> TaskChannel:
    """Its name, and how idleness is measured."""
    channel = workspace.channel(event.sid)
    assign(channel, event.values)
    workspace.save(channel)
    for worker in workspace.workers.values():
        workspace.refresh_worker(worker)
    _tell(workspace, channel, "updated")
    return channel


def delete(workspace: LiveWorkspace, event: WorkspaceWriteRequested) -> None:
    """Refused while tasks are on it, and for the default channel."""
    channel = workspace.channel(event.sid)
    if channel.unique_name == "default":
        raise Refused(20001, "The default task channel cannot be deleted")
    if any(task.record.task_channel_sid == channel.sid for task in workspace.tasks.values()):
        raise Refused(20001, f"Task channel {channel.unique_name} has tasks")
    for worker in workspace.workers.values():
        own = worker.channels.pop(channel.sid, None)
        key = worker.idle_keys.pop(channel.sid, None)
        for queue_sid in worker.queues if key is not None else ():
            idle = workspace.queues[queue_sid].idle.get(channel.sid)
            if idle is not None:
                idle.discard(key)
        if own is not None:
            workspace.worker_channels.pop(own.sid, None)
            workspace.forget(own.sid)
            workspace.do(Delete(own))
        workspace.refresh_worker(worker)  # how long they have been idle may have been told by this channel
    del workspace.channels[channel.sid], workspace.channel_names[channel.unique_name]
    workspace.do(Delete(channel))
    _tell(workspace, channel, "deleted")


def equip(workspace: LiveWorkspace, worker: Worker, channel: TaskChannel) -> None:
    """Give a worker their channel."""
    own = WorkerChannel(
        sid=workspace.new_sid("WC"), account_sid=worker.account_sid, date_created=workspace.now,
        workspace_sid=worker.workspace_sid, worker_sid=worker.sid, task_channel_sid=channel.sid,
        task_channel_unique_name=channel.unique_name,
    )  # fmt: skip
    workspace.add_worker_channel(own)
    workspace.save(own)


def _tell(workspace: LiveWorkspace, channel: TaskChannel, what: str) -> None:
    facts = {
        "TaskChannelSid": channel.sid,
        "TaskChannelName": channel.friendly_name,
        "TaskChannelUniqueName": channel.unique_name,
        "TaskChannelOptimizedRouting": "true" if channel.channel_optimized_routing else "false",
    }
    publish(workspace, f"task-channel.{what}", about=("task-channel", channel.sid), facts=facts)
