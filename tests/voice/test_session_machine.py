"""The session of ``<Connect><Conversation>`` as a table (connect-conversation.md §4, §5, §12 no. 17)."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.kernel.error_codes import title
from ringback.voice.connect.session_table import TABLE, IllegalStep, Machine, Result, State, Trigger

RESULTS = set(get_args(Result))
DIAL_STATUSES = {"completed", "busy", "no-answer", "failed", "canceled"}


@given(st.lists(st.sampled_from(get_args(Trigger)), max_size=30))
def test_17_no_order_of_events_gives_another_result(triggers: list[Trigger]) -> None:
    machine = Machine()
    for trigger in triggers:
        before = machine.state
        try:
            row = machine.take(trigger)
        except IllegalStep:
            assert machine.state == before  # what cannot happen changes nothing
            continue
        assert before != "ended"
        assert (row.state == "ended") or row.result is None
        assert row.result is None or row.result in RESULTS
        assert row.result != "no-answer"
        assert row.status in DIAL_STATUSES | {""}


def test_every_result_can_happen_and_only_those() -> None:
    assert {row.result for row in TABLE.values() if row.result} == RESULTS
    assert "no-answer" not in RESULTS


def test_every_state_can_be_reached_and_left() -> None:
    reached = {row.state for row in TABLE.values()} | {"start"}
    assert reached == set(get_args(State))
    assert {state for state, _ in TABLE} == reached - {"ended"}


@pytest.mark.parametrize("state", [one for one in get_args(State) if one not in ("start", "ended")])
def test_the_caller_may_go_at_any_time(state: State) -> None:
    """§5.1: canceled while somebody is dialled, success once the two have talked."""
    gone = TABLE[state, "caller-gone"]
    assert gone.result == ("session-success" if state == "bridged" else "dialed-call-incomplete")
    assert gone.status == {"dial": "canceled", "answered": "canceled", "bridged": "completed"}.get(state, "")
    assert TABLE[state, "caller-redirected"].result is None


def test_success_is_for_those_who_have_talked() -> None:
    assert {state for (state, _), row in TABLE.items() if row.result == "session-success"} == {"bridged"}


def test_its_codes_have_titles() -> None:
    for row in TABLE.values():
        assert row.code is None or title(row.code) != f"Error {row.code}"
