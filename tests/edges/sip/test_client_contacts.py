"""Phones with a ``client:`` contact: how they are reached, when a call is theirs, and what they give with it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ringback.edges.sip.address import custom_parameters
from ringback.edges.sip.arrival import CallRequest
from ringback.edges.sip.route import Router, Unreachable
from ringback.effects import DialLeg
from ringback.settings import Phone, Settings

SETTINGS = Settings(
    phones=(
        Phone(name="desk7", password="x", contact_uri="client:alice"),
        Phone(name="gone", password="x", contact_uri="client:bob"),
        Phone(name="plain", password="x"),
    )
)
HERE = ("198.51.100.7", 5062)
CALL = "CH" + "1" * 32


@pytest.fixture
def router() -> Router:
    found = SimpleNamespace(
        contact="sip:desk7@198.51.100.7:5062", next_hop="198.51.100.7:5062", transport="udp"
    )
    return Router(SETTINGS, lambda user: [found] if user in ("desk7", "plain") else [])


def test_a_client_is_where_its_phone_is_registered(router: Router) -> None:
    leg = DialLeg(call_sid="CA1", account_sid="AC1", to="client:alice", from_="client:joan o'neil")
    way = router.route(leg, "203.0.113.1").route
    assert (way.uri, way.next_hop) == ("sip:desk7@198.51.100.7:5062", "198.51.100.7:5062")
    assert way.from_uri == "sip:joan%20o'neil@203.0.113.1"
    assert router.has_client("client:alice")
    assert not router.has_client("client:bob")
    assert not router.has_client("client:plain")
    with pytest.raises(Unreachable, match="client:bob"):
        router.route(replace_to(leg, "client:bob"), "203.0.113.1")


def replace_to(leg: DialLeg, to: str) -> DialLeg:
    return DialLeg(call_sid=leg.call_sid, account_sid=leg.account_sid, to=to, from_=leg.from_)


@pytest.mark.parametrize(
    ("username", "user", "source", "client"),
    [
        ("desk7", "whoever", ("203.0.113.9", 5060), "client:alice"),  # proved by digest
        ("", "desk7", HERE, "client:alice"),  # from where it is registered
        ("", "desk7", ("198.51.100.7", 5063), ""),  # another program on that machine
        ("", "desk7", ("203.0.113.9", 5062), ""),
        ("plain", "desk7", HERE, ""),  # a phone of another name
        ("", "plain", HERE, ""),
        ("", "stranger", HERE, ""),
    ],
)
def test_a_call_is_a_client_s_when_the_phone_is_known(
    router: Router, username: str, user: str, source: tuple[str, int], client: str
) -> None:
    assert router.client_of(username, user, source) == client


def request(uri: str, **headers: str) -> CallRequest:
    return CallRequest(uri, "desk7", "h", "", "+15550100", "h", HERE, "udp", [], dict(headers))


@pytest.mark.parametrize(
    ("uri", "headers", "found"),
    [
        ("sip:+15550100@h", {}, ""),
        ("sip:+15550100@h", {"X-ConversationSid": CALL}, CALL),
        ("sip:+15550100@h", {"x-conversationsid": CALL}, CALL),
        (f"sip:+15550100;ConversationSid={CALL}@h", {}, CALL),
        (f"sip:+15550100@h;transport=udp;conversationsid={CALL}", {}, CALL),
        (f"sip:+15550100@h;ConversationSid={CALL}", {"X-ConversationSid": "CHother"}, "CHother"),
        ("sip:+15550100@h;ConversationSid=" + "x" * 500, {}, "x" * 64),
        ("sip:ConversationSid=x@h", {}, ""),
    ],
)
def test_the_conversation_that_a_phone_names(uri: str, headers: Any, found: str) -> None:
    assert (
        dict(custom_parameters(replace(request(uri), x_headers=headers))).get("ConversationSid", "") == found
    )
