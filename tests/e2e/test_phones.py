"""Telephones of ours: registration and calls by digest over UDP, TCP and TLS; hold, and keys while on hold."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e.baresip import Phone
from tests.e2e.site import Site, free_port, until
from tests.e2e.web import Params, Web

TOML = """
[phone.alice]
password = "wonderland"
[phone.bob]
password = "builder"
"""
LONG = "<Response><Pause length='60'/></Response>"


def certificate(folder: Path) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


class Exchange:
    """A site that trusts nobody by address, and phones at it."""

    def __init__(self, start_site: Callable[..., Site], folder: Path) -> None:
        self.folder = folder
        udp = free_port(socket.SOCK_DGRAM)
        self.ports = {"udp": udp, "tcp": free_port(), "tls": free_port()}
        self.certificate, key = certificate(folder)
        self.site = start_site(
            toml=TOML,
            sip=",".join(f"{name}:127.0.0.1:{port}" for name, port in self.ports.items()),
            sip_tls_certificate=self.certificate,
            sip_tls_key=key,
            sip_trusted="10.0.0.0/8",
        )

    def phone(self, user: str, password: str, transport: str = "udp", *, answer: bool = False) -> Phone:
        """A phone with an account here."""
        return Phone(
            self.folder / f"{user}-{transport}", user=user, password=password, transport=transport,
            server=f"127.0.0.1:{self.ports[transport]}", answer=answer,
            ca=self.certificate if transport == "tls" else "",
        )  # fmt: skip

    def dial(self, phone: Phone, number: str, transport: str = "udp") -> None:
        """Call one of our numbers from a phone."""
        phone.dial(f"sip:{number}@127.0.0.1:{self.ports[transport]};transport={transport}")


@pytest.fixture
def exchange(start_site: Callable[..., Site], tmp_path: Path) -> Exchange:
    """See `Exchange`."""
    return Exchange(start_site, tmp_path)


def test_a_wrong_password_neither_registers_nor_calls(exchange: Exchange, web: Web) -> None:
    """Refused by digest, and no call exists afterwards."""
    asked: list[Params] = []
    web.documents["/voice"] = lambda facts: asked.append(facts) or LONG  # type: ignore[func-returns-value]
    exchange.site.number("+15550101", f"{web.url}/voice")
    with exchange.phone("bob", "wrong") as phone:
        phone.says("401 Unauthorized")
        exchange.dial(phone, "+15550101")
        phone.wait("CALL_CLOSED")
        assert "CALL_ESTABLISHED" not in phone.events
    assert not asked
    assert not exchange.site.client.calls.list(limit=1)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_one_phone_calls_another_through_a_number(exchange: Exchange, web: Web, transport: str) -> None:
    """bob calls a number; `<Dial><Sip>` reaches alice at her registration; alice hangs up; bob's document goes on."""
    site, after = exchange.site, []

    def dialled(facts: Params) -> str:
        after.append(facts)
        return "<Response><Hangup/></Response>"

    web.documents |= {
        "/voice": "<Response><Dial action='/after'><Sip>sip:alice@ringback</Sip></Dial></Response>",
        "/after": dialled,
    }
    site.number("+15550101", f"{web.url}/voice", status_callback=f"{web.url}/status")
    with (
        exchange.phone("alice", "wonderland", transport, answer=True) as alice,
        exchange.phone("bob", "builder", transport) as bob,
    ):
        alice.says("200 OK (Ringback")
        bob.says("200 OK (Ringback")
        exchange.dial(bob, "+15550101", transport)
        alice.wait("CALL_ESTABLISHED")
        bob.wait("CALL_ESTABLISHED")
        until(lambda: len(site.client.calls.list(status="in-progress")) == 2, 5, "both legs are answered")
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
    assert [one["DialCallStatus"] for one in after] == ["completed"]
    legs = site.client.calls.list()
    assert sorted(leg.direction for leg in legs) == ["inbound", "outbound-dial"]
    assert [site.ended(str(leg.sid)) for leg in legs] == ["completed", "completed"]
    child = next(leg for leg in legs if leg.direction == "outbound-dial")
    assert child.parent_call_sid == next(leg.sid for leg in legs if leg is not child)


def test_a_phone_that_is_not_registered(exchange: Exchange, web: Web) -> None:
    """404 and 32009 by voice-calls.md §4.1."""
    call = exchange.site.client.calls.create(
        to="sip:alice@ringback", from_="+15550100", twiml=LONG, status_callback=f"{web.url}/status"
    )
    assert exchange.site.ended(str(call.sid)) == "failed"
    told = until(lambda: web.of(str(call.sid)), 5, "its callback")
    assert (told[0]["SipResponseCode"], told[0].get("ErrorCode")) == ("404", "32009")


def test_hold_and_keys_while_on_hold(exchange: Exchange, web: Web) -> None:
    """re-INVITE to hold, a key on hold, re-INVITE back, another key: the call goes on through all of it."""
    got: list[str] = []

    def voice(facts: Params) -> str:
        if "Digits" in facts:
            got.append(facts["Digits"])
        if got[-1:] == ["7"]:
            return "<Response><Hangup/></Response>"
        return "<Response><Gather numDigits='1' timeout='40' action='/voice'/></Response>"

    web.documents["/voice"] = voice
    exchange.site.number("+15550101", f"{web.url}/voice")
    with exchange.phone("bob", "builder") as bob:
        bob.says("200 OK (Ringback")
        exchange.dial(bob, "+15550101")
        bob.wait("CALL_ESTABLISHED")
        bob.press("x")
        until(lambda: "call: hold" in bob.log(), 5, "it is on hold")
        bob.press("5")  # baresip's audio stands still on hold: the key leaves it now or at the resumption
        bob.press("X")
        until(lambda: "call: resume" in bob.log(), 5, "it is back")
        bob.press("7")
        until(lambda: got[-1:] == ["7"], 10, "the key after it")
        bob.wait("CALL_CLOSED")
    call = exchange.site.client.calls.list(limit=1)[0]
    assert exchange.site.ended(str(call.sid)) == "completed"
