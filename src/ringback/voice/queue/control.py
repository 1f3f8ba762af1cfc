"""REST writes to queues and their members (twiml.md §6; rest-conventions.md §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ringback.effects import Answer, Delete, Effect, Save
from ringback.events.writes import WriteRequested
from ringback.kernel.errors import Refused
from ringback.resources.api.queue import DEFAULT_SIZE, LARGEST_SIZE, NAME_LIMIT, Member, Queue
from ringback.voice.form import Form
from ringback.voice.queue.live import CallQueue, Queues
from ringback.voice.stage import Stage
from ringback.voice.steps import Source

NOT_WAITING = "The call does not wait in this queue any more: it cannot be dequeued"


def dequeue(session: Stage, event: WriteRequested) -> Member:
    """POST Queues/{QU}/Members/{CallSid or Front}: the member goes on with another document."""
    form = Form(event.params)
    url = form.url("Url", 21205)
    if url is None:
        raise form.refuse(20001, "Url is needed: where are the instructions for the dequeued call?")
    method = form.method("Method")
    member = session.board.queues.member_record(event.parent_sid, session.call.sid, session.now)
    if member is None:
        raise Refused(22002, NOT_WAITING)
    session.redirect(Source(url=url, method=method))
    return member


def change(queues: Queues, event: WriteRequested, now: float) -> Sequence[Effect]:
    """Create, update or delete a queue; the registry keeps in step. Raises :class:`Refused`."""
    queue = queues.get(event.sid)
    if event.operation == "create":
        return _create(queues, event, now)
    if queue is None or queue.record.account_sid != event.account_sid:
        raise Refused(20404, f"The requested resource {event.sid} was not found", 404)
    if event.operation == "delete":
        if queue.size:
            raise Refused(20409, f"{queue.size} calls wait in this queue: only an empty one is deleted", 409)
        queues.drop(queue)
        return [Delete(queue.record)]
    return _update(queues, queue, event, now)


def _create(queues: Queues, event: WriteRequested, now: float) -> Sequence[Effect]:
    form = Form(event.params)
    name = _name(form, queues, event.account_sid)
    if queues.full(event.account_sid):
        raise Refused(20409, "The account has as many queues as it may have", 409)
    record = Queue(
        sid=event.sid,
        account_sid=event.account_sid,
        date_created=now,
        date_updated=now,
        friendly_name=name,
        max_size=form.integer("MaxSize", DEFAULT_SIZE, 1, LARGEST_SIZE, 20001),
    )
    queues.add(record)
    return [Save(record.copy()), Answer(value=record.copy())]


def _update(queues: Queues, queue: CallQueue, event: WriteRequested, now: float) -> Sequence[Effect]:
    form, record = Form(event.params), queue.record
    name = record.friendly_name
    if "FriendlyName" in event.params and form.get("FriendlyName") != name:
        name = _name(form, queues, event.account_sid)
    changed = replace(
        record,
        friendly_name=name,
        max_size=form.integer("MaxSize", record.max_size, 1, LARGEST_SIZE, 20001),
        date_updated=max(now, record.date_updated + 1e-6),
    )
    queues.change(queue, changed)
    return [Save(changed.copy()), Answer(value=queue.shown(now))]


def _name(form: Form, queues: Queues, account_sid: str) -> str:
    name = form.get("FriendlyName").strip()
    if not 1 <= len(name) <= NAME_LIMIT:
        raise form.refuse(20002, f"FriendlyName must have 1 to {NAME_LIMIT} characters")
    if queues.named(account_sid, name) is not None:
        raise Refused(20409, f"A queue with the name {name!r} exists", 409)
    return name
