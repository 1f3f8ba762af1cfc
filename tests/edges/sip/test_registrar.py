"""Bindings: expiry, limits, order, wildcard; what of them is written, and that no promise goes beyond it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.sip.torture import message

from ringback.edges.sip.registrar import MAX_CONTACTS, MOST_AHEAD, Registered, Registrar
from ringback.edges.sip.transport import Source
from ringback.sip.message import Request, parse_message


class Still:
    """A flow that is never used."""

    local = ("127.0.0.1", 5060)

    def __init__(self, transport: str = "udp") -> None:
        self.transport, self.reliable = transport, transport != "udp"

    def send(self, data: bytes, address: Any) -> bool:
        raise AssertionError("the registrar must not send")


SOURCE = Source("udp", "198.51.100.7", 40123, Still())
PHONE = "sip:user@10.0.0.4:5060"


def put(
    registrar: Registrar, contact: str, *extra: str, cseq: int = 1, now: float = 0.0, source: Source = SOURCE
) -> Registered:
    request = parse_message(
        message(
            "REGISTER sip:example.com SIP/2.0",
            *extra,
            cseq=f"CSeq: {cseq} REGISTER",
            contact=f"Contact: {contact}",
        )
    )
    assert isinstance(request, Request)
    return registrar.register(request, source, now)


def test_binding_remembers_where_the_phone_really_is() -> None:
    registrar = Registrar()
    done = put(registrar, f"<{PHONE}>;expires=120")
    assert (done.code, done.headers) == (200, (("Contact", f"<{PHONE}>;expires=120"),))
    (binding,) = registrar.lookup("user", 1.0)
    assert (binding.contact, binding.next_hop) == (PHONE, "198.51.100.7:40123")
    assert done.save == (binding,)
    assert registrar.lookup("user", 121.0) == []


def test_order_limits_and_wildcard() -> None:
    registrar = Registrar()
    for index in range(MAX_CONTACTS):
        done = put(registrar, f"<sip:user@10.0.0.{index}>;q=0.{index}", "Expires: 100", cseq=index + 1)
        assert done.code == 200
    assert put(registrar, "<sip:user@10.0.1.1>", cseq=99).code == 403
    assert registrar.lookup("user", 1.0)[0].contact == "sip:user@10.0.0.9"
    assert put(registrar, "<sip:user@10.0.0.9>", cseq=3).code == 500
    gone = put(registrar, "<sip:user@10.0.0.9>;expires=0", cseq=100)
    assert [each.contact for _, each in gone.drop] == ["sip:user@10.0.0.9"]
    assert len(registrar.lookup("user", 1.0)) == MAX_CONTACTS - 1
    assert put(registrar, "*", cseq=101).code == 400
    done = put(registrar, "*", "Expires: 0", cseq=102)
    assert (done.code, done.headers, len(done.drop)) == (200, (), MAX_CONTACTS - 1)
    assert registrar.lookup("user", 1.0) == []
    assert put(registrar, "<sip:user@10.0.0.9>;expires=5", cseq=103).code == 423
    assert put(registrar, "<tel:+15550100>", cseq=104).code == 416
    assert put(registrar, "<http://10.0.0.9/>", cseq=105).code == 416


@pytest.mark.parametrize(("seconds", "refresh_after"), [(60, 30), (60, 54), (300, 150), (3600, 1800)])
def test_a_refresh_is_written_only_when_the_store_does_not_reach(seconds: int, refresh_after: int) -> None:
    """A phone is never promised more than is stored, and the store is never far ahead of the promise."""
    registrar, writes, stored = Registrar(), 0, 0.0
    for turn in range(100):
        now = float(turn * refresh_after)
        done = put(registrar, f"<{PHONE}>", f"Expires: {seconds}", cseq=turn + 1, now=now)
        writes += len(done.save)
        for each in done.save:
            stored = each.kept_until
        assert now + seconds <= stored <= now + seconds + min(seconds, MOST_AHEAD)
    assert writes <= 100 * (1.0 if seconds > 2 * MOST_AHEAD else 0.5)


def test_a_changed_address_or_quality_is_always_written() -> None:
    registrar = Registrar()
    assert put(registrar, f"<{PHONE}>").save
    assert not put(registrar, f"<{PHONE}>", cseq=2, now=1.0).save
    assert put(registrar, f"<{PHONE}>;q=0.5", cseq=3, now=2.0).save
    moved = Source("udp", "198.51.100.7", 40124, Still())
    (saved,) = put(registrar, f"<{PHONE}>;q=0.5", cseq=4, now=3.0, source=moved).save
    assert saved.next_hop == "198.51.100.7:40124"


def test_what_could_not_be_stored_is_written_with_the_next_refresh() -> None:
    registrar = Registrar()
    registrar.not_stored("user", put(registrar, f"<{PHONE}>").save)
    assert put(registrar, f"<{PHONE}>", cseq=2, now=1.0).save
    registrar.not_stored("user", ())
    assert not put(registrar, f"<{PHONE}>", cseq=3, now=2.0).save


def test_a_connection_takes_its_bindings_along_and_is_never_stored() -> None:
    """TCP and TLS: reachable while the connection lives, gone with it at once."""
    registrar, flow = Registrar(), Still("tcp")
    source = Source("tcp", "198.51.100.7", 50001, flow)
    done = put(registrar, f"<{PHONE};transport=tcp>", source=source)
    assert (done.code, done.save, done.drop) == (200, (), ())
    assert registrar.needs(flow, 1.0)
    newer = Still("tcp")
    put(registrar, f"<{PHONE};transport=tcp>", cseq=2, source=Source("tcp", "198.51.100.7", 50002, newer))
    registrar.flow_lost(flow)
    (binding,) = registrar.lookup("user", 2.0)
    assert binding.next_hop == "198.51.100.7:50002", (
        "it came back before the old connection was seen to be dead"
    )
    registrar.flow_lost(newer)
    assert registrar.lookup("user", 2.0) == []
    assert not registrar.needs(newer, 2.0)


def test_a_contact_that_moves_to_a_connection_leaves_the_store() -> None:
    registrar = Registrar()
    put(registrar, f"<{PHONE}>")
    done = put(registrar, f"<{PHONE}>", cseq=2, source=Source("tcp", "198.51.100.7", 50001, Still("tcp")))
    assert (done.save, [each.contact for _, each in done.drop]) == ((), [PHONE])


def test_rows_of_bindings_that_just_expired_go_with_the_next_write() -> None:
    """Softphones take another port at each start: their old rows must not pile up."""
    registrar = Registrar()
    for number in range(50):
        put(registrar, f"<sip:user@10.0.0.4:{6000 + number}>;expires=60", cseq=number + 1, now=number * 100.0)
    done = put(registrar, "<sip:user@10.0.0.4:7000>;expires=60", cseq=100, now=9000.0)
    assert [each.contact for _, each in done.drop] == ["sip:user@10.0.0.4:6049"]
    again = put(registrar, "<sip:user@10.0.0.4:7000>;expires=60", cseq=101, now=9999.0)
    assert (len(again.save), again.drop) == (1, ()), "written anew, not deleted in the same breath"


def test_a_phone_that_is_there_comes_before_one_from_before_a_restart() -> None:
    """What is stored reaches further than what was promised; the old phone may be gone."""
    before, after = Registrar(), Registrar()
    (stored,) = put(before, f"<{PHONE}>;expires=600").save
    assert after.restore("user", replace(stored, expires_at=stored.kept_until, heard_at=0.0))
    put(after, "<sip:user@10.0.0.5:5060>;expires=600", now=5.0)
    assert [each.contact for each in after.lookup("user", 6.0)] == ["sip:user@10.0.0.5:5060", PHONE]
