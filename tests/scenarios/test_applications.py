"""Journey: calls that are handed to an application, and calls that only hear themselves."""

from __future__ import annotations

import pytest

from ringback.testing.world import World


async def test_an_application_is_dialled(ringback: World) -> None:
    ringback.app("/status", "")
    ringback.app("/billing", lambda facts: (
        "<Response><Gather numDigits='1' action='/paid'><Say>Press one to pay</Say></Gather></Response>"
    ))  # fmt: skip
    ringback.app(
        "/paid", "<Response><Say>Paid</Say><Hangup><Parameter name='Receipt' value='77'/></Hangup></Response>"
    )
    application = await ringback.post(
        "Applications", FriendlyName="billing", VoiceUrl=ringback.app_url + "/billing",
        StatusCallback=ringback.app_url + "/status",
    )  # fmt: skip
    ringback.app(
        "/voice",
        "<Response><Dial action='/after' record='record-from-answer'><Application customerId='shop'>"
        f"<ApplicationSid>{application['sid']}</ApplicationSid><Parameter name='Ticket' value='9'/>"
        "</Application></Dial></Response>",
    )
    ringback.app("/after", "<Response><Say>Welcome back</Say></Response>")
    caller = await ringback.call(
        await ringback.number("+15550123", voice="/voice"),
        script=[{"expect": "press one"}, {"press": "1"}],
    )
    await caller.hears("paid")
    await caller.hears("welcome back")
    await caller.ends()
    await ringback.settled()
    (asked,) = ringback.requests("/billing")
    (after,) = ringback.requests("/after")
    assert (asked["Ticket"], asked["CustomerId"]) == ("9", "shop")
    assert (after["DialCallStatus"], after["DialCallSid"], after["Receipt"]) == (
        "completed",
        asked["CallSid"],
        "77",
    )
    assert float(after["RecordingDuration"]) > 0
    child = await ringback.get(f"Calls/{asked['CallSid']}")
    assert (child["status"], child["parent_call_sid"], child["to"]) == (
        "completed", caller.sid, f"app:{application['sid']}",
    )  # fmt: skip
    (told,) = ringback.requests("/status")
    assert (told["CallSid"], told["CallStatus"]) == (asked["CallSid"], "completed")
    assert (await ringback.get("Notifications"))["notifications"] == []


async def test_the_reconciler_leaves_an_application_alone(ringback: World) -> None:
    ringback.app("/app", "<Response><Pause length='600'/><Say>done</Say></Response>")
    application = await ringback.post("Applications", FriendlyName="a", VoiceUrl=ringback.app_url + "/app")
    ringback.app(
        "/voice", f"<Response><Dial><Application>{application['sid']}</Application></Dial></Response>"
    )
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("done", within=1000)
    await caller.ends()
    await ringback.settled()
    calls = (await ringback.get("Calls"))["calls"]
    assert {call["status"] for call in calls} == {"completed"}
    assert {int(call["duration"]) >= 600 for call in calls} == {True}


async def test_a_caller_hears_themselves(ringback: World) -> None:
    ringback.app("/voice", "<Response><Echo/></Response>")
    caller = await ringback.call(
        await ringback.number("+15550123", voice="/voice"),
        script=[{"wait": 1}, {"say": "one two three"}, {"wait": 2}, {"hangup": True}],
    )
    await caller.hears("one two three")
    await caller.ends()


async def test_refer_is_for_sip_calls(ringback: World) -> None:
    ringback.app("/voice", "<Response><Refer><Sip>sip:a@b.test</Sip></Refer></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("application error")
    await caller.ends()
    await ringback.settled()
    (entry,) = (await ringback.get("Notifications"))["notifications"]
    assert entry["error_code"] == "13801"


@pytest.mark.parametrize(("public", "status"), [("true", "completed"), ("false", "failed")])
async def test_an_application_of_another_account(ringback: World, public: str, status: str) -> None:
    """It must be open to all, and the call is its own account's."""
    made = await ringback._ask("POST", "/2010-04-01/Accounts.json", data={"FriendlyName": "other"})
    root = f"/2010-04-01/Accounts/{made['sid']}"
    ringback.app("/app", "<Response><Say>Other house</Say></Response>")
    application = await ringback._ask(
        "POST", f"{root}/Applications.json",
        data={
            "FriendlyName": "a", "VoiceUrl": ringback.app_url + "/app", "PublicApplicationConnectEnabled": public,
        },
    )  # fmt: skip
    ringback.app(
        "/voice",
        f"<Response><Dial action='/after'><Application>{application['sid']}</Application></Dial></Response>",
    )
    ringback.app("/after", "<Response/>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.ends()
    await ringback.settled()
    (after,) = ringback.requests("/after")
    assert after["DialCallStatus"] == status
    theirs = (await ringback._ask("GET", f"{root}/Calls.json"))["calls"]
    assert [(call["sid"], call["parent_call_sid"]) for call in theirs] == (
        [(after["DialCallSid"], None)] if public == "true" else []
    )
    codes = [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]]
    assert codes == ([] if public == "true" else ["21218"])
