"""Declarations say what they should, and mistakes in them are found when they are made."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.kernel.fields import callback_url, http_url, sid_of
from ringback.kernel.resource import Record, field, pascal, resource, snake
from ringback.resources import all_nouns
from ringback.resources.api.call import Call


def test_a_declared_class_is_a_slotted_dataclass() -> None:
    call = Call(sid="CA1", account_sid="AC1")
    assert not hasattr(call, "__dict__")
    assert dataclasses.replace(call, status="ringing").status == "ringing"
    assert call.plan is not Call(sid="CA2", account_sid="AC1").plan
    with pytest.raises(TypeError):
        Call("CA1", "AC1")  # type: ignore[misc]


def test_names_keys_and_docs() -> None:
    noun = Call.__noun__
    assert (noun.by_name["from_"].key, noun.by_name["from_"].param) == ("from", "From")
    assert noun.docs["sequence"].startswith("SequenceNumber")
    assert noun.by_name["plan"].kind == "json"
    assert pascal("voice_caller_id_lookup") == "VoiceCallerIdLookup"
    assert snake("CallSid") == "call_sid"


def test_types_that_cannot_be_stored_are_refused() -> None:
    with pytest.raises(TypeError, match="cannot be stored"):

        @resource("/2010-04-01/Accounts/{AccountSid}/X", sid="XX", key="xs")
        class Wrong(Record):
            """x"""

            bad: bytes = field(b"")


def test_tables_and_prefixes_of_all_nouns() -> None:
    tables = [noun.__noun__.table for noun in all_nouns()]
    assert len(set(tables)) == len(tables) >= 8
    for noun in all_nouns():
        assert noun.__doc__
        for place in noun.__noun__.places:
            for name in (place.show or {}).values():
                assert name in noun.__noun__.by_name


def test_checks() -> None:
    assert sid_of("AP")("AP" + "A" * 32) == "AP" + "a" * 32
    for bad in ("ftp://x", "http://", "http://[", "http://h:99999", "http://a b", "x" * 5000):
        with pytest.raises(ValueError):  # noqa: PT011 - any text will do
            http_url(bad)
    with pytest.raises(ValueError, match="underscore"):
        callback_url("http://a_b/")


@given(st.text())
def test_checks_raise_nothing_but_value_errors(text: str) -> None:
    for check in (http_url, callback_url, sid_of("AP")):
        try:
            check(text)
        except ValueError:
            continue
