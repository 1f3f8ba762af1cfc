"""Reading a trunk's records: good rows, complaints, and files that are none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.outcomes import cdr
from ringback.outcomes.cdr import BadFile, BadRow, Entry

SID = "CA" + "0123456789abcdef" * 2
HEAD = "call_id,start,end,sip_code\n"


def rows(text: str) -> list[Entry | BadRow]:
    return list(cdr.read(text.splitlines(keepends=True)))


def test_columns_in_any_order_and_both_ways_to_write_a_time() -> None:
    text = (
        f"\ufeffSIP-Code,carrier,End,Start,Call-ID\n200,x,2026-11-21T08:00:30Z,2026-11-21T08:00:00+00:00,{SID}@ringback\n"
        "486,x,1795248000.5,1795248000,abc@phone\n"
    )
    first, second = rows(text)
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert (first.call_sid, first.end - first.start, first.sip_code) == (SID, 30.0, 200)
    assert (second.call_sid, second.end - second.start, second.sip_code) == (None, 0.5, 486)


@pytest.mark.parametrize(
    "row",
    ["a,1,2", ",1795248000,1795248001,200", "a,yesterday,1795248001,200", "a,1795248001,1795248000,200",
     "a,1795248000,1795248001,100", "a,1795248000,1795248001,ok", "x" * 300 + ",1795248000,1795248001,200"],
)  # fmt: skip
def test_a_bad_row_is_told_with_its_line(row: str) -> None:
    good = "a,1795248000,1795248001,200\n"
    found = rows(HEAD + good + row + "\n" + good)
    assert [type(one) for one in found] == [Entry, BadRow, Entry]
    assert isinstance(found[1], BadRow)
    assert found[1].line == 3


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "call_id,start,end\n", HEAD + '"' + "x" * 200_000])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(BadFile):
        rows(text)


def test_only_a_whole_sid_at_the_beginning_is_ours() -> None:
    for call_id in ("x" + SID, SID[:-1], SID + "0", SID.upper()):
        assert Entry(call_id, 0, 0, 200).call_sid is None


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadFile):
        rows(HEAD + text)
