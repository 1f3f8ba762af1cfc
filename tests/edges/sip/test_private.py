"""Where requests within a dialog go when addresses are private (RFC 3261 §12.2.1.1, and NAT)."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from tests.edges.sip.conftest import Start
from tests.edges.sip.test_protocol import Raw, raw
from tests.edges.sip.wire import wire
from tests.sip_peers import OFFER

from ringback.edges.sip.peer import Peer
from ringback.edges.sip.stack import Hop, Stack
from ringback.sip.dialog import Dialog
from ringback.sip.message import parse_message, respond
from ringback.sip.uri import parse_uri

__all__ = ["raw"]

OWN = ""
"""It names itself by the address that it is heard from."""


@pytest.mark.parametrize(
    ("heard", "named", "contact", "goes_to"),
    [
        # an SBC and what is behind it, in one private network or several
        ("10.0.0.5", OWN, "10.1.2.3", "10.1.2.3"),
        ("10.0.0.5", OWN, "192.168.7.7", "192.168.7.7"),
        ("fd00::5", OWN, "fd00::9", "fd00::9"),
        ("100.64.0.5", OWN, "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", OWN, "127.0.0.2", "127.0.0.2"),
        ("10.0.0.5", OWN, "8.8.8.8", "8.8.8.8"),
        ("8.8.4.4", OWN, "8.8.8.8", "8.8.8.8"),
        # a NAT in between: by the class of the address, or because it calls itself otherwise
        ("8.8.4.4", OWN, "10.1.2.3", "8.8.4.4"),
        ("8.8.4.4", "192.168.1.5", "192.168.1.5", "8.8.4.4"),
        ("10.0.0.5", "192.168.1.5", "192.168.1.5", "10.0.0.5"),
        ("10.0.0.5", "192.168.1.5", "8.8.8.8", "8.8.8.8"),
        # what is nobody's address, or only on another link
        ("10.0.0.5", OWN, "127.0.0.1", "10.0.0.5"),
        ("127.0.0.1", OWN, "10.1.2.3", "127.0.0.1"),
        ("10.0.0.5", OWN, "169.254.1.1", "10.0.0.5"),
        ("169.254.1.2", OWN, "169.254.1.1", "169.254.1.1"),
        ("10.0.0.5", OWN, "0.0.0.0", "10.0.0.5"),
        ("10.0.0.5", OWN, "224.0.0.1", "10.0.0.5"),
        ("10.0.0.5", OWN, "255.255.255.255", "10.0.0.5"),
    ],
)
def test_private_addresses(heard: str, named: str, contact: str, goes_to: str) -> None:
    peer = Peer(cast(Stack, None))
    peer.hop = Hop("udp", heard, 5060)
    if named:
        peer.names(named)
    host = f"[{contact}]" if ":" in contact else contact
    to_contact = dialog(f"sip:a@{host}")
    assert peer.hop_for(to_contact).host == goes_to
    by_route = dialog("sip:a@203.0.113.9")
    by_route.routes = [f"<sip:{host};lr>"]
    assert peer.hop_for(by_route).host == goes_to
    assert peer.behind_nat(to_contact) is (named != OWN or goes_to != contact)


def dialog(target: str) -> Dialog:
    """As far as the way of a request needs it."""
    return Dialog("id", "<sip:us@a>;tag=1", "<sip:them@b>;tag=2", "1", "2", parse_uri(target))


async def test_ack_and_bye_go_to_the_private_contact(start: Start, raw: Raw) -> None:
    """The INVITE is answered from one address, the dialog lives at another one of the same network."""
    loop = asyncio.get_running_loop()
    _, behind = await loop.create_datagram_endpoint(Raw, local_addr=("127.0.0.2", 0))
    on = await wire(start, raw)
    call = on.call()
    response = respond(await on.request("INVITE"), 200, to_tag="uas")
    response.headers.set("Contact", f"<sip:a@127.0.0.2:{behind.port}>")
    response.headers.set("Content-Type", "application/sdp")
    response.body = OFFER
    raw.send(response.to_bytes())
    got: list[Any] = [await behind.receive()]
    await on.handler.until("answered")
    call.hangup()
    got.append(await behind.receive())
    assert [each.method for each in got] == ["ACK", "BYE"]
    assert not [each for each in await on.quiet() if each.method != "INVITE"]
    behind.socket.close()


@pytest.mark.parametrize(
    ("route", "loose"),
    [
        ("<sip:p@127.0.0.1;lr>", True),
        ("<sip:p@127.0.0.1;LR=on>", True),
        ("sip:p@127.0.0.1;lr", True),
        ('"a <b> ;c" <sip:p@127.0.0.1;lr>', True),
        ("<sip:p@127.0.0.1;lrx>", False),
        ("<sip:p@127.0.0.1;x=1;lrx=2>;lr2", False),
        ('"a;lr <b>" <sip:p@127.0.0.1;method=INVITE>', False),
    ],
)
def test_a_loose_router_says_lr_itself(route: str, loose: bool) -> None:
    """RFC 3261 §19.1.1: a parameter is its whole name."""
    talk = dialog("sip:a@192.0.2.1")
    talk.routes = [route]
    request = talk.request("BYE")
    assert (request.target == "sip:a@192.0.2.1") is loose
    assert request.target.startswith("sip:")
    request.headers.set("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1")
    assert parse_message(request.to_bytes())
