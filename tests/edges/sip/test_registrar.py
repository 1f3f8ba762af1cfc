"""Bindings: expiry, limits, order, wildcard."""

from typing import Any

from tests.sip.torture import message

from ringback.edges.sip.registrar import MAX_CONTACTS, Binding, Registrar
from ringback.edges.sip.transport import Source
from ringback.sip.message import Request, parse_message


class Udp:
    """A flow that is never used."""

    transport, reliable, local = "udp", False, ("127.0.0.1", 5060)

    def send(self, data: bytes, address: Any) -> bool:
        raise AssertionError("the registrar must not send")


SOURCE = Source("udp", "198.51.100.7", 40123, Udp())


def put(registrar: Registrar, contact: str, *extra: str, cseq: int = 1, now: float = 0.0) -> int:
    request = parse_message(
        message(
            "REGISTER sip:example.com SIP/2.0",
            *extra,
            cseq=f"CSeq: {cseq} REGISTER",
            contact=f"Contact: {contact}",
        )
    )
    assert isinstance(request, Request)
    return registrar.register(request, SOURCE, now)[0]


def test_binding_remembers_where_the_phone_really_is() -> None:
    seen: list[tuple[str, list[Binding]]] = []
    registrar = Registrar(lambda user, bindings: seen.append((user, bindings)))
    assert put(registrar, "<sip:user@10.0.0.4:5060>;expires=120") == 200
    (binding,) = registrar.lookup("user", 1.0)
    assert (binding.contact, binding.next_hop) == ("sip:user@10.0.0.4:5060", "198.51.100.7:40123")
    assert registrar.lookup("user", 121.0) == []
    assert [user for user, _ in seen] == ["user"]


def test_order_limits_and_wildcard() -> None:
    registrar = Registrar()
    for index in range(MAX_CONTACTS):
        assert put(registrar, f"<sip:user@10.0.0.{index}>;q=0.{index}", "Expires: 100", cseq=index + 1) == 200
    assert put(registrar, "<sip:user@10.0.1.1>", cseq=99) == 403
    assert registrar.lookup("user", 1.0)[0].contact == "sip:user@10.0.0.9"
    assert put(registrar, "<sip:user@10.0.0.9>", cseq=3) == 500
    assert put(registrar, "<sip:user@10.0.0.9>;expires=0", cseq=100) == 200
    assert len(registrar.lookup("user", 1.0)) == MAX_CONTACTS - 1
    assert put(registrar, "*", cseq=101) == 400
    assert put(registrar, "*", "Expires: 0", cseq=102) == 200
    assert registrar.lookup("user", 1.0) == []
    assert put(registrar, "<sip:user@10.0.0.9>;expires=5", cseq=103) == 423
