# ruff: noqa: E501 - documents are easier to read on one line
"""The ``<Sip>`` noun (twiml.md §5.1)."""

from __future__ import annotations

import pytest
from driver import Driver
from hypothesis import given
from hypothesis import strategies as st

from ringback import effects as fx
from ringback import events as ev
from ringback.voice.dial import sip_noun

SAY = "<Response><Say>hello</Say></Response>"


def dialling(noun: str) -> Driver:
    call = Driver({"/voice": f"<Response><Dial action='/after'>{noun}</Dial></Response>", "/after": SAY})
    call.arrive()
    call.answered()
    return call


def test_credentials_and_headers_reach_the_carrier() -> None:
    call = dialling(
        "<Sip username='joan' password='s3cret'><Uri>sip:joan@phones.test;transport=tcp?X-A=1%202&amp;x-b=c</Uri>"
        "<Headers><Header name='X-C' value='d'/><Header name='User-to-User' value='e'/></Headers></Sip>"
    )
    leg = call.of(fx.DialLeg)[0]
    assert leg.to == "sip:joan@phones.test;transport=tcp"
    assert (leg.username, leg.password) == ("joan", "s3cret")
    assert leg.headers == (("X-A", "1 2"), ("x-b", "c"), ("X-C", "d"), ("User-to-User", "e"))
    assert call.codes() == []


def test_the_action_tells_sip_facts() -> None:
    call = dialling("<Sip>sip:joan@phones.test</Sip>")
    child = call.children()[0]
    call.feed(ev.LegAnswered(call_sid=child, sip_call_id="abc@x", headers=(("X-Agent", "7"),)))
    call.hangup(child)
    facts = call.asked("/after")[0]
    assert (facts["DialSipCallId"], facts["DialSipResponseCode"], facts["DialSipHeader_X-Agent"]) == (
        "abc@x",
        "200",
        "7",
    )
    call = dialling("<Sip>sip:joan@phones.test</Sip>")
    call.feed(ev.LegFailed(call_sid=call.children()[0], sip_code=603, sip_call_id="def@x"))
    facts = call.asked("/after")[0]
    assert (facts["DialCallStatus"], facts["DialSipCallId"], facts["DialSipResponseCode"]) == (
        "busy",
        "def@x",
        "603",
    )


def test_several_uris_are_tried_by_priority_when_the_one_before_is_out_of_reach() -> None:
    call = dialling(
        "<Sip><Uri priority='2'>sip:three@x.test</Uri><Uri priority='1' weight='1'>sip:two@x.test</Uri>"
        "<Uri priority='1' weight='9' username='u' password='p'>sip:one@x.test</Uri></Sip>"
    )
    for count, to in enumerate(("sip:one@x.test", "sip:two@x.test", "sip:three@x.test"), 1):
        assert [leg.to for leg in call.of(fx.DialLeg)][-1] == to
        assert len(call.children()) == count
        if count < 3:
            call.feed(ev.LegFailed(call_sid=call.children()[-1], sip_code=503, by="transport"))
    assert call.of(fx.DialLeg)[0].username == "u"
    assert call.of(fx.DialLeg)[1].username is None
    call.feed(ev.LegFailed(call_sid=call.children()[-1], sip_code=486))
    assert call.asked("/after")[0]["DialCallStatus"] == "busy"


def test_a_busy_uri_is_the_answer() -> None:
    call = dialling("<Sip><Uri>sip:one@x.test</Uri><Uri>sip:two@x.test</Uri></Sip>")
    call.feed(ev.LegFailed(call_sid=call.children()[0], sip_code=486))
    assert len(call.children()) == 1
    assert call.asked("/after")[0]["DialCallStatus"] == "busy"


@pytest.mark.parametrize(
    ("noun", "code", "dials"),
    [
        ("<Sip>joan</Sip>", 13243, 0),
        ("<Sip>sip:joan@x.test;transport=sctp</Sip>", 13243, 0),
        (f"<Sip>sip:{'j' * 260}@x.test</Sip>", 13243, 0),
        (f"<Sip>sip:j@x.test?X-A={'a' * 1100}</Sip>", 13243, 0),
        ("<Sip username='joan'>sip:j@x.test</Sip>", 13249, 1),
        (f"<Sip username='{'j' * 257}' password='p'>sip:j@x.test</Sip>", 13249, 1),
        ("<Sip>" + "<Uri>sip:j@x.test</Uri>" * 11 + "</Sip>", 13250, 1),
        ("<Sip>sip:j@x.test<Headers>" + "".join(f"<Header name='X-{n}' value='v'/>" for n in range(33)) + "</Headers></Sip>", 13251, 1),
        ("<Sip>sip:j@x.test?Route=evil</Sip>", 13252, 1),
        ("<Sip>sip:j@x.test<Headers><Header name='Via' value='v'/></Headers></Sip>", 13252, 1),
        ("<Sip>sip:j@x.test<Headers><Header name='X-A' value='a&#10;Via: b'/></Headers></Sip>", 13253, 1),
        (f"<Sip>sip:j@x.test<Headers><Header name='X-A' value='{'a' * 1025}'/></Headers></Sip>", 13253, 1),
        ("<Sip method='PUT'>sip:j@x.test</Sip>", 13241, 1),
        ("<Sip>sip:j@x.test<Parameter/></Sip>", 12200, 1),
        ("<Sip>sip:j@x.test<Headers><Uri/></Headers></Sip>", 12200, 1),
    ],
)  # fmt: skip
def test_limits(noun: str, code: int, dials: int) -> None:
    call = dialling(noun)
    assert code in call.codes()
    assert len(call.of(fx.DialLeg)) == dials
    if dials:
        leg = call.of(fx.DialLeg)[0]
        assert len(leg.headers) <= sip_noun.HEADER_LIMIT
        assert all(name.startswith("X-") for name, _ in leg.headers)
    else:
        assert call.asked("/after")[0]["DialCallStatus"] == "failed"


@given(st.text('sip:@.;=?&%xX-aZ0\r\n\x00"<> ', max_size=60))
def test_no_header_is_smuggled_in(text: str) -> None:
    _, _, headers = text.partition("?")
    for name, value in sip_noun.checked(sip_noun.in_uri(headers), lambda *_: None):
        assert sip_noun.allowed(name)
        assert not any(ord(each) < 32 for each in value)
    if sip_noun.usable(text):
        assert not any(each in text for each in "\r\n\x00<> ")
