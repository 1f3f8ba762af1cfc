# ruff: noqa: E501 - documents are easier to read on one line
"""REST writes to queues and members (twiml.md §6)."""

from __future__ import annotations

from typing import Any

import pytest
from driver import ACCOUNT, BASE, CALL, Driver
from queue_site import (
    OTHER,
    waiting,
)

from ringback import effects as fx
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane


def ask(call: Driver, sid: str, change: Any, account: str = ACCOUNT, **params: str) -> Any:
    return call.write("Queue", change, sid, Lane("queue", sid), params, account_sid=account)


def test_queues_are_created_changed_and_deleted_in_step_with_the_registry() -> None:
    call = waiting()
    sid = "QU" + "5" * 32
    made = ask(call, sid, "create", FriendlyName="sales", MaxSize="7")
    assert (made.friendly_name, made.max_size, made.sid) == ("sales", 7, sid)
    changed = ask(call, sid, "update", FriendlyName="sales two")
    assert (changed.friendly_name, changed.max_size) == ("sales two", 7)
    assert call.board.queues.named(ACCOUNT, "sales") is None
    ask(call, sid, "delete")
    assert call.board.queues.get(sid) is None
    assert [one.record.sid for one in call.of(fx.Delete)] == [sid]


@pytest.mark.parametrize(
    ("change", "params", "code"),
    [
        ("create", {}, 20002), ("create", {"FriendlyName": "x" * 65}, 20002), ("create", {"FriendlyName": "support"}, 20409),
        ("create", {"FriendlyName": "a", "MaxSize": "5001"}, 20001), ("update", {"FriendlyName": "taken"}, 20409),
        ("update", {"MaxSize": "0"}, 20001), ("delete", {}, 20409),
    ],
)  # fmt: skip
def test_what_queues_refuse(change: str, params: dict[str, str], code: int) -> None:
    call = waiting()
    ask(call, "QU" + "5" * 32, "create", FriendlyName="taken")
    queue = call.board.queues.named(ACCOUNT, "support")
    assert queue is not None
    before = len(call.of(fx.Save))
    with pytest.raises(Refused) as refused:
        ask(call, "QU" + "6" * 32 if change == "create" else queue.sid, change, **params)
    assert refused.value.code == code
    assert len(call.of(fx.Save)) == before
    with pytest.raises(Refused):
        ask(call, queue.sid, "update", account="AC" + "9" * 32, MaxSize="5")


def test_a_member_is_dequeued_onto_a_document_once() -> None:
    call = waiting()
    queue = call.board.queues.named(ACCOUNT, "support")
    assert queue is not None
    params = {"Url": [BASE + "/moved"], "Method": ["GET"]}
    for bad, code in (({}, 20001), ({"Url": ["gopher://x"]}, 21205)):
        with pytest.raises(Refused) as refused:
            call.write("Member", "update", CALL, params=bad, parent_sid=queue.sid)
        assert refused.value.code == code
    call.now += 3
    call.write("Member", "update", CALL, params=params, parent_sid=queue.sid)
    assert (call.answer.call_sid, call.answer.position, call.answer.wait_time) == (CALL, 1, 3)
    assert [one["QueueResult"] for one in call.asked("/after")] == ["redirected"]
    assert len(call.asked("/moved")) == 1
    for sid in (CALL, OTHER):
        with pytest.raises(Refused) as refused:
            call.write("Member", "update", sid, params=params, parent_sid=queue.sid)
        assert refused.value.code == 22002
