"""The queues of this process and who waits in them (twiml.md §5.2, §6; ADR 9).

One synchronous object: taking a member out of it is the claim, whoever comes second finds nothing. Every
operation on a member costs O(log n) at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sortedcontainers import SortedDict

from ringback.resources.api.queue import Member as MemberRecord
from ringback.resources.api.queue import Queue

QUEUES_LIMIT = 10_000
"""Queues of one account: a document that invents a name a call must not fill the memory."""


class Line:
    """Call SIDs in the order of their numbers (of arrival)."""

    def __init__(self) -> None:
        self._by_number: Any = SortedDict()
        """Number → SID."""
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, sid: str) -> bool:
        return sid in self._numbers

    def add(self, sid: str, number: int) -> None:
        """Put a call in; it is not in the line yet."""
        self._by_number[number] = sid
        self._numbers[sid] = number

    def remove(self, sid: str) -> None:
        """Take a call out; ``KeyError`` when it is not in the line."""
        del self._by_number[self._numbers.pop(sid)]

    def index(self, sid: str) -> int:
        """How many stand before it; ``KeyError`` when it is not in the line."""
        found: int = self._by_number.bisect_left(self._numbers[sid])
        return found

    def at(self, index: int) -> str | None:
        """Who stands behind ``index`` others; None: nobody."""
        if not 0 <= index < len(self._numbers):
            return None
        _, sid = self._by_number.peekitem(index)
        return str(sid)

    def between(self, start: int, stop: int) -> Iterator[str]:
        """Those from index ``start`` to before ``stop``, in order."""
        for number in self._by_number.islice(start, stop):
            yield self._by_number[number]


@dataclass(frozen=True, slots=True)
class Member:
    """A call that waits, or waited until it was taken."""

    call_sid: str
    queue: CallQueue
    number: int
    """Grows with every arrival; its place in the line."""
    entered: float
    """Unix seconds."""

    def seconds(self, now: float) -> int:
        """Whole seconds that it has waited at ``now``."""
        return max(0, int(now - self.entered))


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has taken a member that does not know it yet."""

    by: str
    """The leg that dequeues."""
    room: str


@dataclass(frozen=True, slots=True)
class Partner:
    """Kept with a leg that a queue has bridged to another, or is about to."""

    call_sid: str
    """The other one."""


class CallQueue:
    """One queue: its record, its members, and the legs that wait for a member to come."""

    def __init__(self, record: Queue, *, proved: bool = True) -> None:
        self.record = record
        self.proved = proved
        """False: named after a workflow for which nobody has had a task yet; it may not exist."""
        self.guests = 0
        """Stays that are not over: of members, and of those whom somebody has taken and may give back."""
        self.members = Line()
        self.diallers = Line()
        self._entered = 0  # sum of the members' times of arrival, in whole microseconds: it cannot drift

    @property
    def sid(self) -> str:
        """The queue's SID."""
        return self.record.sid

    @property
    def size(self) -> int:
        """Members now."""
        return len(self.members)

    def add(self, member: Member) -> None:
        """A member enters, at the place of its number."""
        self.members.add(member.call_sid, member.number)
        self._entered += _micros(member.entered)

    def remove(self, member: Member) -> None:
        """A member leaves."""
        self.members.remove(member.call_sid)
        self._entered -= _micros(member.entered)

    def average_wait(self, now: float) -> float:
        """Seconds that those who wait now have waited, on average; 0.0 for an empty queue."""
        if not self.size:
            return 0.0
        return max(0.0, (_micros(now) * self.size - self._entered) / self.size / 1e6)

    def turn(self) -> str | None:
        """The last of the diallers for whom there is a member now: the one that a change may have called."""
        return self.diallers.at(min(self.size, len(self.diallers)) - 1)

    def shown(self, now: float) -> Queue:
        """The record with its computed values."""
        return replace(self.record, current_size=self.size, average_wait_time=int(self.average_wait(now)))


class Queues:
    """All queues of the process, by account and name and by SID, and their members."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._named: dict[str, dict[str, CallQueue]] = {}
        self._queues: dict[str, CallQueue] = {}
        self._members: dict[str, Member] = {}
        self._diallers: dict[str, CallQueue] = {}
        self._claims: dict[str, Claim] = {}

    # --- queues --------------------------------------------------------------------------------------

    def load(self, records: Iterable[Queue]) -> None:
        """Take in the stored queues at the start."""
        for record in records:
            if record.sid not in self._queues:
                self.add(record)

    def add(self, record: Queue, *, proved: bool = True) -> CallQueue:
        """A new queue; its name is free. ``proved``: see :class:`CallQueue`."""
        queue = CallQueue(record, proved=proved)
        self._queues[record.sid] = queue
        self._named.setdefault(record.account_sid, {})[record.friendly_name] = queue
        return queue

    def named(self, account_sid: str, name: str) -> CallQueue | None:
        """The account's queue of that name."""
        return self._named.get(account_sid, {}).get(name)

    def get(self, sid: str) -> CallQueue | None:
        """The queue with that SID."""
        return self._queues.get(sid)

    def full(self, account_sid: str) -> bool:
        """Whether the account may have no further queue."""
        return len(self._named.get(account_sid, ())) >= QUEUES_LIMIT

    def change(self, queue: CallQueue, record: Queue) -> None:
        """Give a queue its changed record; a new name is free."""
        names = self._named[record.account_sid]
        del names[queue.record.friendly_name]
        names[record.friendly_name] = queue
        queue.record, queue.proved = record, True

    def prove(self, call_sid: str) -> None:
        """A task was made for a waiting call: the workflow that its queue is named after exists."""
        member = self._members.get(call_sid)
        if member is not None:
            member.queue.proved = True

    def unused(self, queue: CallQueue) -> bool:
        """Whether nobody has to do with it, and it is not gone."""
        present = self._queues.get(queue.sid) is queue
        return present and not (queue.guests or queue.size or len(queue.diallers))

    def drop(self, queue: CallQueue) -> None:
        """Forget an empty queue."""
        del self._queues[queue.sid]
        del self._named[queue.record.account_sid][queue.record.friendly_name]

    # --- members -------------------------------------------------------------------------------------

    def enter(self, queue: CallQueue, call_sid: str, now: float) -> Member:
        """A call goes to the end of a queue; it is in none."""
        return self.put_back(Member(call_sid, queue, next(self._numbers), now))

    def put_back(self, member: Member) -> Member:
        """A member whose taker has gone stands at its old place again."""
        self._members[member.call_sid] = member
        member.queue.add(member)
        return member

    def member(self, call_sid: str) -> Member | None:
        """The call as a member of its queue; None: it waits nowhere."""
        return self._members.get(call_sid)

    def take(self, call_sid: str) -> Member | None:
        """Take a call out of its queue, from wherever it stands; None: somebody else was first."""
        member = self._members.pop(call_sid, None)
        if member is not None:
            member.queue.remove(member)
        return member

    def position(self, call_sid: str) -> int:
        """1 is the front; 0: it waits nowhere."""
        member = self._members.get(call_sid)
        return 0 if member is None else member.queue.members.index(call_sid) + 1

    # --- those who wait for members ------------------------------------------------------------------

    def stand(self, queue: CallQueue, dialler: str) -> None:
        """A leg goes to the end of those who wait for a member."""
        queue.diallers.add(dialler, next(self._numbers))
        self._diallers[dialler] = queue

    def claim(self, call_sid: str, claim: Claim) -> Member | None:
        """Take a call out for the one who says so; None: it waits nowhere."""
        member = self.take(call_sid)
        if member is not None:
            self._claims[call_sid] = claim
        return member

    def is_claimed(self, call_sid: str, by: str, room: str) -> bool:
        """Whether that leg has taken this call for that room."""
        return self._claims.get(call_sid) == Claim(by, room)

    def claimed(self, call_sid: str) -> Claim | None:
        """Who has taken this call; asked by its own session, which thereby takes note of it."""
        return self._claims.pop(call_sid, None)

    def take_front(self, dialler: str, room: str) -> Member | None:
        """The front of the queue, for a leg whose turn it is; it waits no more then.

        It is its turn when there are more members than legs before it: first come, first served.
        """
        queue = self._diallers.get(dialler)
        if queue is None or queue.diallers.index(dialler) >= queue.size:
            return None
        front = queue.members.at(0)
        assert front is not None
        self.withdraw(dialler)
        return self.claim(front, Claim(dialler, room))

    def withdraw(self, dialler: str) -> CallQueue | None:
        """A leg waits no more; gives the queue that it waited for."""
        queue = self._diallers.pop(dialler, None)
        if queue is not None:
            queue.diallers.remove(dialler)
        return queue

    def forget(self, call_sid: str) -> list[str]:
        """A call is over, whatever it waited for; gives the legs whose turn it may be now."""
        self.take(call_sid)
        self._claims.pop(call_sid, None)
        queue = self.withdraw(call_sid)
        turn = queue.turn() if queue is not None else None
        return [] if turn is None else [turn]

    # --- what is shown (web/queues.py) ---------------------------------------------------------------

    def records(self, account_sid: str, now: float) -> list[Queue]:
        """The account's queues, newest first."""
        own = self._named.get(account_sid, {}).values()
        return sorted((queue.shown(now) for queue in own), key=lambda one: one.sid, reverse=True)

    def record(self, account_sid: str, sid: str, now: float) -> Queue | None:
        """One of the account's queues."""
        queue = self._queues.get(sid)
        return queue.shown(now) if queue is not None and queue.record.account_sid == account_sid else None

    def members(self, queue_sid: str, now: float, start: int, stop: int) -> list[MemberRecord]:
        """Members from index ``start`` to before ``stop``, front first."""
        queue = self._queues.get(queue_sid)
        if queue is None:
            return []
        found = enumerate(queue.members.between(start, stop), start + 1)
        return [_shown(self._members[sid], place, now) for place, sid in found]

    def member_record(self, queue_sid: str, word: str, now: float) -> MemberRecord | None:
        """The member of a queue that ``word`` (a call's SID, or ``Front``) names."""
        queue = self._queues.get(queue_sid)
        sid = word if queue is None or word != "Front" else queue.members.at(0)
        member = self._members.get(sid or "")
        if member is None or member.queue is not queue:
            return None
        return _shown(member, self.position(member.call_sid), now)


def _shown(member: Member, position: int, now: float) -> MemberRecord:
    record = member.queue.record
    return MemberRecord(
        sid=member.call_sid,
        account_sid=record.account_sid,
        date_created=member.entered,
        date_updated=member.entered,
        call_sid=member.call_sid,
        queue_sid=record.sid,
        date_enqueued=member.entered,
        position=position,
        wait_time=member.seconds(now),
    )


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)
