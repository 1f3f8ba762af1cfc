"""The registry of queues: exact order whatever happens, and claims (twiml.md §6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.resources.api.queue import Queue
from ringback.voice.queue.live import CallQueue, Claim, Queues

ACCOUNT = "AC" + "0" * 32


def queue_of(queues: Queues, name: str = "support", number: int = 1) -> CallQueue:
    return queues.add(Queue(sid=f"QU{number:032x}", account_sid=ACCOUNT, friendly_name=name))


class Plain:
    """The same by a plain list: slow and obvious."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, float]] = []
        self.diallers: list[str] = []

    def sids(self) -> list[str]:
        return [sid for sid, _ in self.waiting]


OPERATION = st.tuples(
    st.sampled_from(["enter", "enter", "enter", "leave", "dial", "dial", "give up", "serve", "back"]),
    st.integers(0, 40),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(OPERATION, max_size=120))
def test_the_order_is_that_of_a_plain_list_under_random_comings_and_goings(
    operations: list[tuple[str, int]],
) -> None:
    queues, plain = Queues(), Plain()
    queue = queue_of(queues)
    taken = None
    for now, (what, number) in enumerate(operations):
        at = 1000.0 + now / 7
        if what == "enter":
            sid = f"CA{now}"
            queues.enter(queue, sid, at)
            plain.waiting.append((sid, at))
        elif what == "leave" and plain.waiting:
            sid, _ = plain.waiting.pop(number % len(plain.waiting))
            left = queues.take(sid)
            assert left is not None
            assert left.call_sid == sid
            assert queues.take(sid) is None
        elif what == "dial":
            queues.stand(queue, f"CAdial{now}")
            plain.diallers.append(f"CAdial{now}")
        elif what == "give up" and plain.diallers:
            assert queues.withdraw(plain.diallers.pop(number % len(plain.diallers))) is queue
        elif what == "serve" and plain.diallers:
            place = number % len(plain.diallers)
            dialler = plain.diallers[place]
            taken = queues.take_front(dialler, "room")
            if place < len(plain.waiting):
                sid, _ = plain.waiting.pop(0)
                plain.diallers.pop(place)
                assert taken is not None
                assert taken.call_sid == sid
                assert queues.claimed(sid) == Claim(dialler, "room")
            else:
                assert taken is None
        elif what == "back" and taken is not None:
            queues.put_back(taken)  # it was at the front of all who are there now
            plain.waiting.append((taken.call_sid, taken.entered))
            plain.waiting.sort(key=lambda one: one[1])
            taken = None
        sids = plain.sids()
        assert [one.call_sid for one in queues.members(queue.sid, at, 0, 10**6)] == sids
        assert [queues.position(sid) for sid in sids] == list(range(1, len(sids) + 1))
        assert queue.size == len(sids)
        waits = [at - entered for _, entered in plain.waiting]
        assert queue.average_wait(at) == pytest.approx(sum(waits) / len(waits) if waits else 0.0, abs=1e-4)
        called = min(len(sids), len(plain.diallers))
        assert queue.turn() == (plain.diallers[called - 1] if called else None)


def test_taking_is_the_claim_and_happens_once() -> None:
    queues = Queues()
    queue = queue_of(queues)
    queues.enter(queue, "CA1", 0.0)
    assert queues.claim("CA1", Claim("CAagent", "room")) is not None
    assert queues.claim("CA1", Claim("CAother", "room")) is None
    assert queues.take("CA1") is None
    assert not queues.is_claimed("CA1", "CAother", "room")
    assert queues.claimed("CA1") == Claim("CAagent", "room")
    assert queues.claimed("CA1") is None


def test_a_call_that_is_over_leaves_nothing_behind_and_names_whose_turn_it_is() -> None:
    queues = Queues()
    queue = queue_of(queues)
    queues.stand(queue, "CAfirst")
    queues.stand(queue, "CAsecond")
    queues.enter(queue, "CA1", 0.0)
    assert queues.take_front("CAsecond", "room") is None
    assert queues.forget("CAfirst") == ["CAsecond"]
    assert queues.take_front("CAsecond", "room") is not None
    assert queues.forget("CA1") == queues.forget("CAsecond") == []
    assert (queue.size, len(queue.diallers), queues.claimed("CA1")) == (0, 0, None)


def test_queues_are_found_by_account_and_name_and_renamed_and_dropped() -> None:
    queues = Queues()
    queue = queue_of(queues)
    queues.load(
        [queue.record, Queue(sid="QU" + "9" * 32, account_sid="AC" + "1" * 32, friendly_name="support")]
    )
    assert queues.named(ACCOUNT, "support") is queue
    assert queues.named("AC" + "1" * 32, "support") is not queue
    renamed = Queue(sid=queue.sid, account_sid=ACCOUNT, friendly_name="sales")
    queues.change(queue, renamed)
    assert (queues.named(ACCOUNT, "support"), queues.named(ACCOUNT, "sales")) == (None, queue)
    queues.drop(queue)
    assert queues.get(queue.sid) is None
    assert queues.records(ACCOUNT, 0.0) == []


def test_an_account_cannot_have_queues_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringback.voice.queue.live.QUEUES_LIMIT", 50)
    queues = Queues()
    for number in range(50):
        assert not queues.full(ACCOUNT)
        queue_of(queues, str(number), number)
    assert queues.full(ACCOUNT)
    assert not queues.full("AC" + "1" * 32)
