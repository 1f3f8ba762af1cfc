"""The fixture ``ringback`` as a customer's tests use it: plain, with ``async``, and with the official client."""

from __future__ import annotations

import asyncio
import wave
from io import BytesIO

import pytest
from twilio.base.exceptions import TwilioRestException

from ringback.testing import BlockingWorld, World
from ringback.testing.plugin import ringback, ringback_sync, ringback_world  # noqa: F401 - fixtures


def test_a_plain_test_places_a_call_with_the_official_client(ringback: BlockingWorld) -> None:  # noqa: F811
    def answer(params: dict[str, str]) -> str:
        assert ringback.client.calls(params["CallSid"]).fetch().status == "in-progress"
        return "<Response><Say>Hello there</Say><Record playBeep='false' maxLength='5' action='/end'/></Response>"

    ringback.app("/end", "<Response/>")
    ringback.app("/status", "")
    ringback.number("+15550123", voice="/none")
    ringback.sim(
        "PUT", "Numbers/+15557770001", {"script": [{"expect": "hello"}, {"say": "and hello to you"}]}
    )
    call = ringback.client.calls.create(
        to="+15557770001",
        from_="+15550123",
        url=ringback.app("/voice", answer),
        status_callback=ringback.app_url + "/status",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    assert ringback.final(call.sid)["status"] == "completed"
    told = [(one["CallStatus"], one["SequenceNumber"]) for one in ringback.requests("/status")]
    assert told[0] == ("initiated", "0")
    assert told[-1] == ("completed", str(len(told) - 1))
    with wave.open(BytesIO(ringback.download(ringback.requests("/end")[0]["RecordingUrl"]))) as file:
        assert file.getnframes() > 0


def test_a_plain_test_is_called_and_time_is_its_own(ringback: BlockingWorld) -> None:  # noqa: F811
    ringback.app(
        "/voice", "<Response><Say>One moment</Say><Gather numDigits='1' action='/digit'/></Response>"
    )
    ringback.app("/digit", "<Response><Say>Thanks</Say></Response>")
    caller = ringback.call(ringback.number("+15550123", voice="/voice"), script=[{"expect": "moment"}])
    caller.hears("one moment")
    caller.does({"press": "7"})
    caller.hears("thanks")
    caller.ends()
    assert (caller.status, caller.failed) == ("completed", "")
    assert ringback.requests("/digit")[0]["Digits"] == "7"
    before = ringback.sim("GET", "Clock")["now"]
    ringback.advance(86400)
    assert ringback.sim("GET", "Clock")["now"] - before >= 86400
    with pytest.raises(TwilioRestException) as caught:
        ringback.client.calls.create(to="+15557770001", from_="+15550123")
    assert caught.value.code == 21205


async def test_a_coroutine_gets_the_same_world(ringback: World) -> None:  # noqa: F811
    await ringback.number("+15550123", voice="/none")
    call = await asyncio.to_thread(
        ringback.client.calls.create,
        to="+15557770001",
        from_="+15550123",
        twiml="<Response><Say>Hi</Say></Response>",
    )
    assert (await ringback.final(call.sid))["status"] == "completed"
