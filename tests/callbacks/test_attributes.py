"""The attributes of callback and voicemail tasks (callback-voicemail.md §4.2)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.callbacks.attributes import LIMIT, attempts, fitted, make, normal_number, read_object
from ringback.kernel.errors import Refused

BOTH = {"numberToCall": "+15551230001", "numberToCallFrom": "+15550100"}
NOW = "2026-03-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+15551230001", "+15551230001"), (" 15551230001", "+15551230001"), ("14155550100", "+14155550100"),
        ("+1 (555) 123-0001", "+15551230001"), ("sip:bob@example.test", "sip:bob@example.test"),
        ("client:bob", "client:bob"), ("", ""), ("anonymous", ""), ("12", ""), ("+1555123000112345678", ""),
        ("sip:a b@c", ""), ("+١٢٣٤٥", ""),
    ],
)  # fmt: skip
def test_numbers(text: str, number: str) -> None:
    assert normal_number(text) == number


def test_what_is_inherited_and_what_is_not() -> None:
    original = {
        "call_sid": "CA1", "conference": {}, "reservation_attributes": {}, "skill": "billing",
        "flow_execution_sid": "FW9",
        "conversations": {"abandoned": "Follow-Up", "hang_up_by": "Customer", "queue": "Sales"},
        "callBackData": {
            "attempts": 1, "recordingSid": "RE1", "mainTimeZone": "Asia/Tokyo", "utcDateTimeReceived": "earlier",
            "isDeleted": True, "claim": {"n": 1},
        },
    }  # fmt: skip
    made = make(BOTH, original, "WT1", zone="UTC", now_iso=NOW)
    assert made["skill"] == "billing"
    assert {"call_sid", "conference", "reservation_attributes"}.isdisjoint(made)
    assert made["conversations"] == {"queue": "Sales", "conversation_id": "WT1"}
    assert made["taskType"] == "voicemail", "the recording is inherited"
    assert made["flow_execution_sid"] == "FW9"
    assert made["callBackData"] == {
        **BOTH, "recordingSid": "RE1", "mainTimeZone": "Asia/Tokyo", "utcDateTimeReceived": "earlier",
        "isDeleted": True, "attempts": 2,
    }  # fmt: skip


def test_attempts() -> None:
    assert attempts("", {}, False) == 0
    assert attempts("", {}, True) == 1
    assert attempts("", {"attempts": 4}, True) == 5
    assert attempts("2", {"attempts": 4}, True) == 2
    with pytest.raises(Refused):
        attempts("-1", {}, False)


@given(st.text(max_size=9000))
def test_a_transcript_never_makes_a_task_impossible(words: str) -> None:
    text = fitted({"callBackData": {"transcriptText": words, "numberToCall": "+1"}, "from_city": "X" * 300})
    assert len(text) <= LIMIT
    kept = json.loads(text)["callBackData"]["transcriptText"]
    assert kept == words or words.startswith(kept.removesuffix("…"))


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.integers())))
def test_reading_never_fails(value: object) -> None:
    assert isinstance(read_object(value), dict)
