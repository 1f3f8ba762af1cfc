"""Receipts, addresses, units, and what counts as the same message."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.smpp import pdu
from ringback.smpp.address import Address, caller, numbered, ours
from ringback.smpp.pdu import Frames, Garbage
from ringback.smpp.receipts import is_receipt, read
from ringback.smpp.repeats import DOUBT, SLOW, Repeats


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("id:7 sub:1 submit date:2611291200 done date:261129120130 stat:DELIVRD err:0 text:x", "delivered", None),
        ("id:7 stat:DELIVERED err:0", "delivered", None),
        ("id:7 stat:delivrd err:0", "delivered", None),
        ("ID:7 STAT:UNDELIV ERR:012", "undelivered", 30008),
        ("id:7 Stat:UNDELIVERABLE", "undelivered", 30008),
        ("id:7 stat:EXPIRED err:045", "undelivered", 30003),
        ("id:7, stat:REJECTED", "failed", 30007),
        ("id:7 stat:DELETED", "failed", 30008),
        ("id:7 stat:UNKNOWN", "undelivered", 30008),
        ("id:7 stat:ENROUTE", "sent", None),
        ("id:7 stat:ACCEPTED", "sent", None),
        ("id:7 stat:2 err:0", "delivered", None),
        ("id:7 done_date:2611291201 stat:DELIVRD text:stat:UNDELIV id:9", "delivered", None),
    ],
)  # fmt: skip
def test_the_many_writings_of_a_receipt(text: str, status: str, code: int | None) -> None:
    found = read({}, text)
    assert found is not None
    assert (found.ids, found.status, found.error_code) == (("7",), status, code)


def test_when_it_was_done() -> None:
    found = read({}, "id:7 done date:2611291201 stat:DELIVRD")
    assert found is not None
    assert found.done_at == 1795953660.0
    assert read({}, "id:7 done date:9999999999 stat:DELIVRD").done_at is None  # type: ignore[union-attr]


def test_parameters_come_before_the_text() -> None:
    tags = {0x001E: b"abc\0", 0x0427: b"\x05", 0x0423: b"\x03\x00\x06"}
    found = read(tags, "id:other stat:DELIVRD")
    assert found is not None
    assert (found.ids, found.status, found.error_code) == (("abc",), "undelivered", 30003)


@pytest.mark.parametrize(
    "text", ["", "hello", "id: stat:DELIVRD", "id:7", "id:7 stat:WHATEVER", "stat:DELIVRD"]
)
def test_what_names_nothing_is_none(text: str) -> None:
    assert read({}, text) is None


@pytest.mark.parametrize(
    ("name", "form", "ids"),
    [
        ("12345678", "same", ("12345678",)),
        ("1234", "auto", ("1234",)),
        ("0000012345678", "auto", ("0000012345678", "12345678", "bc614e", "BC614E", "00bc614e", "00BC614E")),
        ("BC614E", "hex", ("12345678", "0012345678", "BC614E")),
        ("12345678", "decimal", ("bc614e", "BC614E", "00bc614e", "00BC614E", "12345678")),
    ],
)
def test_the_forms_of_an_id(name: str, form: str, ids: tuple[str, ...]) -> None:
    found = read({}, f"id:{name} stat:DELIVRD", form)  # type: ignore[arg-type]
    assert found is not None
    assert found.ids[: len(ids)] == ids


@given(st.text(max_size=300), st.integers(0, 255))
def test_no_text_breaks_the_reader(text: str, esm_class: int) -> None:
    is_receipt(esm_class, {}, text)
    read({}, text)


def test_what_is_a_receipt() -> None:
    whole = "id:1 sub:1 dlvrd:1 submit date:2611291200 done date:2611291200 stat:DELIVRD err:0 text:"
    assert is_receipt(0x04, {}, "")
    assert is_receipt(0x20, {}, "")
    assert is_receipt(0, {0x001E: b"1\0", 0x0427: b"\2"}, "")
    assert is_receipt(0, {}, whole)
    assert not is_receipt(0, {}, "id:1 is my stat:number")
    assert not is_receipt(0x40, {}, "hello")


@given(st.lists(st.binary(max_size=60), max_size=6), st.integers(1, 40))
def test_units_are_found_however_the_stream_is_cut(bodies: list[bytes], size: int) -> None:
    stream = b"".join(pdu.unit(pdu.DELIVER_SM, number, body=body) for number, body in enumerate(bodies))
    frames, found = Frames(), []
    for at in range(0, len(stream), size):
        found += frames.feed(stream[at : at + size])
    assert [(one.sequence, one.data[16:]) for one in found] == list(enumerate(bodies))


@pytest.mark.parametrize("length", [0, 15, 70_001, 0xFFFF_FFFF])
def test_a_length_that_no_unit_has(length: int) -> None:
    with pytest.raises(Garbage):
        list(Frames().feed(struct.pack(">I", length)))


@given(st.binary(max_size=300))
def test_a_garbage_body_is_refused_and_breaks_nothing(body: bytes) -> None:
    (one,) = Frames().feed(pdu.unit(pdu.DELIVER_SM, 1, body=body))
    pdu.sender(one)
    with contextlib.suppress(ValueError):
        pdu.tags(pdu.delivered(one))


def test_who_sent_it_is_read_without_the_library() -> None:
    import smpp34

    made = smpp34.DeliverSm("4930123", "1", b"x", service_type="CMT", source_addr_ton=1).encode()
    (one,) = Frames().feed(made)
    assert pdu.sender(one) == b"4930123"
    (receipt,) = Frames().feed(smpp34.DeliverSm("4930123", "1", b"x", esm_class=4).encode())
    assert pdu.sender(receipt) == b""


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("+4930123", Address("4930123", 1, 1)),
        ("12345", Address("12345", 3, 0)),
        ("Ringback", Address("Ringback", 5, 0)),
    ],
)
def test_addresses_on_the_wire(address: str, wire: Address) -> None:
    assert numbered(address) == wire
    assert numbered(address, 2, 8) == Address(wire.text, 2, 8)


@pytest.mark.parametrize("address", ["", "+", "whatsapp:+49", "é", "1" * 21])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        numbered(address)


@pytest.mark.parametrize(
    ("text", "ton", "shown"),
    [
        ("15551230001", 1, "+15551230001"), ("+15551230001", 0, "+15551230001"), ("15551230001", 0, "+15551230001"),
        ("0015551230001", 0, "+15551230001"), ("12345", 0, "12345"), ("030123", 2, "030123"), ("Bank", 5, "Bank"),
        ("12345", 3, "12345"),
    ],
)  # fmt: skip
def test_who_wrote(text: str, ton: int, shown: str) -> None:
    assert caller(text, ton) == shown


def test_our_number_is_known_however_it_is_written() -> None:
    assert ours("15550100", 0, ["+15550100"]) == "+15550100"
    assert ours("12345", 0, ["12345"]) == "12345"
    assert ours("4930999", 1, ["+15550100"]) == "+4930999"


# --- the same again ------------------------------------------------------------------------------------------


def test_equal_messages_whose_responses_were_read_are_two() -> None:
    known = Repeats()
    first = known.meet("m", "a", 1, 0)
    known.answer(first, 0.01)
    known.read(1, 0.02)
    known.ended(1, 1)
    assert known.meet("m", "b", 2, 2).carrier_id == "b"


def test_one_whose_response_may_not_have_been_read_is_the_same() -> None:
    known = Repeats()
    known.answer(known.meet("m", "a", 1, 0), 0.01)
    known.read(1, 0.005)  # they answered what we wrote before our response
    known.ended(1, 1)
    again = known.meet("m", "b", 2, 2)
    assert again.carrier_id == "a"
    known.answer(again, 2.01)
    known.read(2, 3)
    assert known.meet("m", "c", 2, 4).carrier_id == "c"  # now it was read


def test_doubt_ends() -> None:
    known = Repeats()
    known.answer(known.meet("m", "a", 1, 0), 0.01)
    known.ended(1, 1)
    assert known.meet("m", "b", 2, 2 + DOUBT).carrier_id == "b"


def test_a_slow_answer_is_doubtful() -> None:
    known = Repeats()
    known.answer(known.meet("m", "a", 1, 0), SLOW + 1)
    assert known.meet("m", "b", 1, SLOW + 2).carrier_id == "a"


def test_what_was_refused_is_not_known() -> None:
    known = Repeats()
    known.refuse(known.meet("m", "a", 1, 0))
    known.ended(1, 1)
    assert known.meet("m", "b", 2, 2).carrier_id == "b"


def test_an_earlier_process_is_remembered() -> None:
    known = Repeats()
    known.restore([("m", "a")], 0)
    assert known.meet("m", "b", 1, 1).carrier_id == "a"


def test_memory_is_bounded() -> None:
    known = Repeats()
    for number in range(25_000):
        known.answer(known.meet(f"m{number}", f"{number}", 1, number), number)
        if number % 100 == 0:
            known.read(1, number)
    assert len(known._met) <= 10_001
