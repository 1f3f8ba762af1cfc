"""Journey: calls placed by the API, and how truthfully each end is told."""

from __future__ import annotations

import aiohttp
import pytest

from ringback.testing.world import World

EVENTS = {
    f"StatusCallbackEvent{n}": event
    for n, event in enumerate(("initiated", "ringing", "answered", "completed"))
}


async def place(ringback: World, to: str, **more: str) -> dict[str, object]:
    """POST Calls with all four callback events; gives the answer."""
    fields = aiohttp.FormData(
        {"To": to, "From": "+15550123", "StatusCallback": ringback.app_url + "/status", **more}
    )
    for event in EVENTS.values():
        fields.add_field("StatusCallbackEvent", event)
    if "Url" not in more and "Twiml" not in more:
        fields.add_field("Twiml", "<Response><Say>Hello from us</Say></Response>")
    return await ringback.post("Calls", fields)


async def callee(ringback: World, number: str, **behaviour: object) -> None:
    """Say how a simulated callee behaves."""
    await ringback.sim("PUT", f"Numbers/{number}", behaviour)


@pytest.mark.parametrize(
    ("answers", "status", "sip", "statuses"),
    [
        ("answer", "completed", "200", ["initiated", "ringing", "in-progress", "completed"]),
        ("busy", "busy", "486", ["initiated", "busy"]),
        ("reject", "busy", "603", ["initiated", "busy"]),
        ("no-answer", "no-answer", "487", ["initiated", "ringing", "no-answer"]),
        ("invalid", "failed", "404", ["initiated", "failed"]),
        ("congestion", "failed", "503", ["initiated", "failed"]),
    ],
)
async def test_every_end_is_told_alike(
    ringback: World, answers: str, status: str, sip: str, statuses: list[str]
) -> None:
    ringback.app("/status", "")
    await ringback.number("+15550123", voice="/none")
    await callee(ringback, "+15557770001", answers=answers, after=2.0)
    call = await place(ringback, "+15557770001", Timeout="20")
    assert (call["status"], call["direction"], call["duration"]) == ("queued", "outbound-api", None)
    final = await ringback.final(str(call["sid"]))
    assert final["status"] == status
    told = ringback.requests("/status")
    seen = [one["CallStatus"] for one in told]
    assert [one for one in seen if one != "ringing"] == [one for one in statuses if one != "ringing"]
    assert [one["SequenceNumber"] for one in told] == [str(n) for n in range(len(told))]
    assert told[-1]["SipResponseCode"] == sip
    assert all("SipResponseCode" not in one for one in told[:-1])
    assert {one["CallSid"] for one in told} == {call["sid"]}
    assert all(one["CallbackSource"] == "call-progress-events" for one in told)
    if status == "failed":
        assert final["error_code"] == int(told[-1]["ErrorCode"])


async def test_cancel_while_ringing(ringback: World) -> None:
    async def status(params: dict[str, str]) -> str:
        if params["CallStatus"] == "ringing":
            await ringback.post(f"Calls/{params['CallSid']}", Status="canceled")
        return ""

    ringback.app("/status", status)
    await ringback.number("+15550123", voice="/none")
    await callee(ringback, "+15557770001", answers="no-answer")
    call = await place(ringback, "+15557770001", Timeout="600")
    final = await ringback.final(str(call["sid"]))
    assert final["status"] == "canceled"
    assert ringback.requests("/status")[-1]["CallStatus"] == "canceled"


async def test_an_application_error_is_apologised_for(ringback: World) -> None:
    await ringback.number("+15550123", voice="/none")
    call = await place(ringback, "+15557770001", Url=ringback.app_url + "/nowhere")
    final = await ringback.final(str(call["sid"]))
    assert final["status"] == "completed"
    heard = (await ringback.sim("GET", f"Calls/{call['sid']}"))["heard"]
    assert "error" in heard[0]["text"]
    codes = [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]]
    assert "11200" in codes


async def test_dial_tries_the_second_number_when_the_first_is_busy(ringback: World) -> None:
    ringback.app("/status", "")
    ringback.app(
        "/voice",
        '<Response><Dial sequential="true" action="/dialled"><Number>+15557770001</Number>'
        '<Number statusCallback="/status" statusCallbackEvent="initiated ringing answered completed">+15557770002'
        "</Number></Dial></Response>",
    )
    ringback.app("/dialled", "<Response><Say>They hung up</Say></Response>")
    await callee(ringback, "+15557770001", answers="busy")
    await callee(
        ringback,
        "+15557770002",
        answers="answer",
        after=3.0,
        script=[{"say": "hi there"}, {"wait": 5}, {"hangup": True}],
    )
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("hi there")
    await caller.hears("they hung up")
    await caller.ends()
    await ringback.settled()
    action = ringback.requests("/dialled")[0]
    assert action["DialCallStatus"] == "completed"
    assert action["DialBridged"] == "true"
    assert int(action["DialCallDuration"]) >= 5
    child = await ringback.get(f"Calls/{action['DialCallSid']}")
    assert (child["direction"], child["parent_call_sid"], child["to"]) == (
        "outbound-dial",
        caller.sid,
        "+15557770002",
    )
    assert [one["CallStatus"] for one in ringback.requests("/status")] == [
        "initiated", "ringing", "in-progress", "completed",
    ]  # fmt: skip


async def test_dial_without_an_action_goes_on_after_a_busy_callee(ringback: World) -> None:
    ringback.app("/voice", "<Response><Dial>+15557770001</Dial><Say>Nobody could come</Say></Response>")
    await callee(ringback, "+15557770001", answers="busy")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("nobody could come")
    await caller.ends()


async def test_the_caller_hangs_up_during_a_dial_and_the_child_ends(ringback: World) -> None:
    ringback.app("/voice", "<Response><Dial action='/dialled'>+15557770002</Dial></Response>")
    ringback.app("/dialled", "<Response/>")
    caller = await ringback.call(
        await ringback.number("+15550123", voice="/voice"), script=[{"wait": 10}, {"hangup": True}]
    )
    await caller.ends()
    await ringback.settled()
    calls = (await ringback.get("Calls"))["calls"]
    assert {one["status"] for one in calls} == {"completed"}
    assert len(calls) == 2
