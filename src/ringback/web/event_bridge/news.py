"""What happened, as it goes over the web socket, and for whom (taskrouter-js.md §3, "Events")."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from ringback.effects.taskrouter import Announce
from ringback.web.event_bridge import whole
from ringback.web.event_bridge.workspaces import LiveWorkspace

_encode = msgspec.json.Encoder().encode

ENDED = frozenset(
    {
        "reservation.completed", "reservation.rejected", "reservation.timeout", "reservation.canceled",
        "reservation.rescinded",
    }
)  # fmt: skip
"""After these the client forgets the reservation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One event, encoded once for all who hear it."""

    kind: str
    text: str
    about: str
    """SID of the record that it shows."""
    version: int
    """Of that record."""
    reservation_sid: str = ""
    """The reservation that the client must know to make sense of it; empty: none."""
    task_sid: str = ""
    needs: str = ""
    """An activity or channel that the client must have loaded; empty: none."""


def message(kind: str, payload: Any) -> str:
    """One text frame."""
    return _encode({"event_type": kind, "payload": payload}).decode()


def read_news(event: Announce, workspace: LiveWorkspace | None) -> list[tuple[News, set[str]]]:
    """What to say, each with the SIDs of the workers who hear it; nothing for what concerns nobody."""
    found = _read(event, workspace)
    if found is None:
        return []
    task = event.task
    if task is None or workspace is None or not event.event_type.startswith("task.") or not task.transfer:
        return [found]
    news, workers = found
    offered = {each for each in workers if not news.reservation_sid and _offered(workspace, task, each)}
    if not offered:
        return [found]
    told = replace(news, text=message(news.kind, whole.task(task, event.at, offered=True)))
    return [(news, workers - offered), (told, offered)]


def _offered(workspace: LiveWorkspace, task: Any, worker_sid: str) -> bool:
    """Whether a transfer in flight offers the task to the worker."""
    live = workspace.tasks.get(task.sid)
    known = (workspace.reservations.get(sid) for sid in live.reservations) if live is not None else ()
    return any(
        each.worker_sid == worker_sid and whole.is_offered(each, task) for each in known if each is not None
    )


def _read(event: Announce, workspace: LiveWorkspace | None) -> tuple[News, set[str]] | None:
    kind, task, reservation = event.event_type, event.task, event.reservation
    if kind.startswith("task.transfer-"):
        transfer = event.transfer
        if task is None or transfer is None:
            return None
        own = transfer.initiating_reservation_sid
        text = message(kind, whole.transfer(transfer, task))
        news = News(kind=kind, text=text, about="", version=0, reservation_sid=own, task_sid=task.sid)
        return news, {transfer.initiating_worker_sid}
    if kind.startswith("task."):
        if task is None or workspace is None:
            return None
        text = message(kind, whole.task(task, event.at))
        news = News(kind=kind, text=text, about=task.sid, version=task.version, task_sid=task.sid)
        return news, set(event.workers) or _workers_on(workspace, task.sid)
    if kind == "reservation.failed":
        if task is None:
            return None
        text = message(kind, whole.task(task, event.at))
        return News(kind=kind, text=text, about=task.sid, version=task.version), {task.routing_target or ""}
    if kind.startswith("reservation."):
        if reservation is None:
            return None
        text = message(kind, whole.reservation(reservation, task, event.at))
        news = News(
            kind=kind, text=text, about=reservation.sid, version=reservation.version,
            reservation_sid=reservation.sid, task_sid=reservation.task_sid,
        )  # fmt: skip
        return news, {reservation.worker_sid}
    if event.channel is not None:
        text = message(kind, whole.channel(event.channel))
        news = News(
            kind=kind, text=text, about=event.channel.sid, version=event.channel.version, needs=event.channel.sid
        )  # fmt: skip
        return news, {event.channel.worker_sid}
    if event.worker is not None:
        worker = event.worker
        needs = worker.activity_sid or "" if kind == "worker.activity.update" else ""
        text = message(kind, whole.worker(worker))
        news = News(kind=kind, text=text, about=worker.sid, version=worker.version, needs=needs)
        return news, {worker.sid}
    return None


def _workers_on(workspace: LiveWorkspace, task_sid: str) -> set[str]:
    """Everybody who was ever offered the task; each socket knows whether its client still remembers it."""
    task = workspace.tasks.get(task_sid)
    if task is None:
        return set()
    found = (workspace.reservations.get(sid) for sid in task.reservations)
    return {each.worker_sid for each in found if each is not None}
