"""The table of a message's statuses: what ends it, and what can never happen."""

from __future__ import annotations

from ringback.messaging.machine import BEGINS, MESSAGE, OVER, RECEIPTS, TOLD, UNSENT, following


def test_nothing_leads_back_to_a_line_once_it_was_claimed() -> None:
    """But for what its channel knows not to have been sent when the server stops."""
    claimed, seen = {"sending"}, set[str]()
    while claimed:
        state = claimed.pop()
        seen.add(state)
        steps = {key: after for key, after in MESSAGE.items() if key != ("sending", "wait")}
        claimed |= {after for (before, _), after in steps.items() if before == state} - seen
    assert seen == {"sending", "sent", "delivered", "undelivered", "failed", "read"}
    assert not seen & UNSENT
    assert [before for before, event in MESSAGE if event == "wait"] == ["sending"]


def test_every_status_is_reached_and_every_end_is_one() -> None:
    reached = {*BEGINS, *MESSAGE.values()}
    assert {state for state, _ in MESSAGE} <= reached
    assert {state for state in reached if not any(state == before for before, _ in MESSAGE)} <= OVER
    assert reached >= TOLD


def test_receipts_say_nothing_of_what_is_over() -> None:
    assert [following("sent", event) for event in RECEIPTS.values()] == [
        "delivered",
        "undelivered",
        "failed",
        "read",
    ]
    assert following("delivered", "deliver") is None
    assert following("failed", "deliver") is None
    assert following("delivered", "miss") is None
