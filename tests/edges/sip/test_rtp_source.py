"""Where the audio of a call may come from: the setting, a trunk's, a phone's, both ways (issue 11, D 16)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ringback.edges.carriers.sip import SipCarrier
from ringback.edges.sip.route import Router
from ringback.effects import DialLeg
from ringback.events import CallArrived, Event
from ringback.settings import Phone, Settings, Trunk

SETTINGS = Settings(
    rtp_source="nat",
    trunks=(
        Trunk(name="strict", host="192.0.2.1", prefixes=("+49",), rtp_source="told"),
        Trunk(name="usual", host="192.0.2.2", prefixes=("+44",)),
    ),
    phones=(Phone(name="alice", password="x", rtp_source="any"), Phone(name="bob", password="x")),
)


@pytest.fixture
async def router() -> Router:
    found = SimpleNamespace(contact="sip:alice@198.51.100.7", next_hop="198.51.100.7:5060", transport="udp")
    made = Router(SETTINGS, lambda user: [found] if user == "alice" else [])
    await made.start()
    await made.stop()
    return made


@pytest.mark.parametrize(
    ("host", "username", "wanted"),
    [
        ("192.0.2.1", "", "told"), ("192.0.2.2", "", "nat"), ("203.0.113.5", "", "nat"),
        ("203.0.113.5", "alice", "any"), ("203.0.113.5", "bob", "nat"), ("192.0.2.1", "alice", "any"),
    ],
)  # fmt: skip
async def test_of_a_call_that_comes(router: Router, host: str, username: str, wanted: str) -> None:
    assert router.rtp_source(host, username) == wanted


@pytest.mark.parametrize(
    ("to", "wanted"),
    [
        ("+4930123456", "told"), ("+442071234567", "nat"), ("sip:alice@ringback", "any"),
        ("sip:x@203.0.113.9", "nat"),
    ],
)  # fmt: skip
async def test_of_a_call_that_goes(router: Router, to: str, wanted: str) -> None:
    leg = DialLeg(call_sid="CA1", account_sid="AC1", to=to, from_="+15550100")
    assert router.route(leg, "203.0.113.1").rtp_source == wanted


SDP = b"v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


@pytest.mark.parametrize(
    ("host", "username", "nat", "others"),
    [
        ("192.0.2.1", "", True, ""),  # told: only what its description names, NAT or not
        ("192.0.2.2", "", True, "192.0.2.2"),
        ("9.9.9.9", "", False, "9.9.9.9"),  # a private address in SDP that cannot be reached from there
        ("203.0.113.5", "alice", False, "*"),
    ],
)
async def test_the_media_worker_is_told(
    router: Router, host: str, username: str, nat: bool, others: str
) -> None:
    posted: list[Event] = []
    told: list[dict[str, Any]] = []

    async def opened(leg: str, *, group: str) -> tuple[str, int]:
        return "127.0.0.1", 20_000

    pool = SimpleNamespace(open=opened, connect=lambda *args, **kwargs: told.append(kwargs))
    carrier = SipCarrier(
        post=posted.append, new_sid=lambda prefix: prefix + "1", router=router, pool=pool,  # type: ignore[arg-type]
        prompts=SimpleNamespace(), recordings=Path(), media_host=lambda peer: "203.0.113.1",  # type: ignore[arg-type]
        warm=lambda: None,
    )  # fmt: skip
    facts = SimpleNamespace(
        source=(host, 5060), username=username, from_user="+14155550100", from_host="x", from_display="",
        to_user="+15550100", to_host="us", x_headers={},
        forwarded_from=("+15551110001", "x"), private=False, asserted=None,
    )  # fmt: skip
    call = SimpleNamespace(
        request=facts, context=None, call_id="x", source_host=host, behind_nat=nat, remote_sdp=SDP,
        answer=lambda body: None,
    )  # fmt: skip
    carrier.incoming(call)  # type: ignore[arg-type]
    (arrived,) = posted
    assert isinstance(arrived, CallArrived)
    assert (arrived.from_, arrived.forwarded_from) == ("+14155550100", "+15551110001")
    from ringback.effects import AnswerLeg

    carrier.perform(AnswerLeg(call_sid=arrived.call_sid))
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0)
    assert [each["others"] for each in told] == [others]
