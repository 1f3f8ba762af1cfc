"""Task channels (taskrouter.md §2.6): every worker gets one of each."""

from __future__ import annotations

import re

from ringback.effects import Delete
from ringback.events.taskrouter import DeskRequested
from ringback.kernel.errors import Refused
from ringback.resources.taskrouter.task_channel import TaskChannel
from ringback.resources.taskrouter.worker import Worker
from ringback.resources.taskrouter.worker_channel import WorkerChannel
from ringback.taskrouter.floor import Floor
from ringback.taskrouter.journal import happened
from ringback.taskrouter.requests.values import assign

NOUN = TaskChannel
_NAME = re.compile(r"[A-Za-z0-9_.]{1,64}\Z")


def create(floor: Floor, event: DeskRequested) -> TaskChannel:
    """A new channel, for every worker with a capacity of one."""
    name = event.values["unique_name"]
    if _NAME.match(name) is None:
        raise Refused(20001, "UniqueName takes letters, digits, underscores and dots only")
    if name in floor.channel_names:
        raise Refused(20409, f"A task channel named {name!r} exists in this workspace", 409)
    channel = TaskChannel(
        sid=event.sid, account_sid=event.account_sid, date_created=floor.now, workspace_sid=floor.workspace.sid,
        **event.values,
    )  # fmt: skip
    floor.add_channel(channel)
    floor.save(channel)
    for agent in floor.workers.values():
        equip(floor, agent.record, channel)
        floor.reseat(agent)
    _tell(floor, channel, "created")
    return channel


def update(floor: Floor, event: DeskRequested) -> TaskChannel:
    """Its name, and how idleness is measured."""
    channel = floor.channel(event.sid)
    assign(channel, event.values)
    floor.save(channel)
    for agent in floor.workers.values():
        floor.reseat(agent)
    _tell(floor, channel, "updated")
    return channel


def delete(floor: Floor, event: DeskRequested) -> None:
    """Refused while tasks are on it, and for the default channel."""
    channel = floor.channel(event.sid)
    if channel.unique_name == "default":
        raise Refused(20001, "The default task channel cannot be deleted")
    if any(job.record.task_channel_sid == channel.sid for job in floor.tasks.values()):
        raise Refused(20001, f"Task channel {channel.unique_name} has tasks")
    for agent in floor.workers.values():
        own = agent.channels.pop(channel.sid, None)
        seat = agent.seats.pop(channel.sid, None)
        for queue_sid in agent.queues if seat is not None else ():
            roster = floor.queues[queue_sid].rosters.get(channel.sid)
            if roster is not None:
                roster.discard(seat)
        if own is not None:
            floor.worker_channels.pop(own.sid, None)
            floor.forget(own.sid)
            floor.do(Delete(own))
        floor.reseat(agent)  # how long he has been idle may have been told by this channel
    del floor.channels[channel.sid], floor.channel_names[channel.unique_name]
    floor.do(Delete(channel))
    _tell(floor, channel, "deleted")


def equip(floor: Floor, worker: Worker, channel: TaskChannel) -> None:
    """Give a worker his channel."""
    own = WorkerChannel(
        sid=floor.new_sid("WC"), account_sid=worker.account_sid, date_created=floor.now,
        workspace_sid=worker.workspace_sid, worker_sid=worker.sid, task_channel_sid=channel.sid,
        task_channel_unique_name=channel.unique_name,
    )  # fmt: skip
    floor.add_worker_channel(own)
    floor.save(own)


def _tell(floor: Floor, channel: TaskChannel, what: str) -> None:
    facts = {
        "TaskChannelSid": channel.sid,
        "TaskChannelName": channel.friendly_name,
        "TaskChannelUniqueName": channel.unique_name,
        "TaskChannelOptimizedRouting": "true" if channel.channel_optimized_routing else "false",
    }
    happened(floor, f"task-channel.{what}", about=("task-channel", channel.sid), facts=facts)
