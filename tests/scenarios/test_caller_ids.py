"""Journey: a number becomes a verified caller id by a call to it; and what a trial account's calls are like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ringback.effects import Save
from ringback.events import LegAnswered
from ringback.resources.api.account import Account
from ringback.testing.world import World

NUMBER = "+14155550199"


async def keys(ringback: World, *steps: dict[str, Any], **more: Any) -> None:
    await ringback.sim("PUT", f"Numbers/{NUMBER}", {"answers": "answer", "script": list(steps), **more})


async def verify(ringback: World, *script: Any, **more: str) -> dict[str, Any]:
    """Have the number called; what the callee does may depend on the code: ``lambda code: step``."""
    ringback.app("/verified", "")
    hold = ringback.clock.hold()
    more = {"CallDelay": "1", **more}
    asked = await ringback.post(
        "OutgoingCallerIds", PhoneNumber=NUMBER, StatusCallback=ringback.app_url + "/verified", **more
    )
    steps = [one(asked["validation_code"]) if callable(one) else one for one in script]
    if script:
        await keys(ringback, *steps)
    assert await ids(ringback) == [], "not before the code was entered"
    hold.release()
    await ringback.advance(float(more["CallDelay"]) - 0.5)
    assert ringback.product.simulator.live == 0
    await ringback.advance(1)
    return asked


HEARS = {"expect": "six digit code"}


def enters(code: str) -> dict[str, Any]:
    return {"press": code}


async def ids(ringback: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await ringback.get("OutgoingCallerIds"))["outgoing_caller_ids"]
    return found


async def test_the_callee_enters_the_code_and_the_number_may_be_shown(ringback: World) -> None:
    asked = await verify(ringback, HEARS, enters, {"wait": 60}, FriendlyName="Office")
    assert set(asked) == {"account_sid", "call_sid", "friendly_name", "phone_number", "validation_code"}
    assert len(asked["validation_code"]) == 6
    assert asked["phone_number"] == NUMBER
    assert (await ringback.final(asked["call_sid"]))["status"] == "completed"
    (made,) = await ids(ringback)
    assert (made["phone_number"], made["friendly_name"]) == (NUMBER, "Office")
    (told,) = ringback.requests("/verified")
    assert (told["VerificationStatus"], told["OutgoingCallerIdSid"]) == ("success", made["sid"])
    assert told["CallSid"] == asked["call_sid"]
    call = await ringback.post("Calls", To="+15557770001", From=NUMBER, Twiml="<Response/>")
    assert (await ringback.final(str(call["sid"])))["status"] == "completed"
    assert await refusal(ringback, PhoneNumber=NUMBER) == 21450


@pytest.mark.parametrize(
    "script", [[{"press": "000"}], [{"press": "12345612345612345612"}], [{"wait": 1}, {"hangup": True}], []]
)
async def test_whoever_does_not_know_the_code_is_not_verified(
    ringback: World, script: list[dict[str, Any]]
) -> None:
    await keys(ringback, *script)
    asked = await verify(ringback)
    if asked["validation_code"] in "12345612345612345612":
        pytest.skip("one in a hundred thousand")
    await ringback.final(asked["call_sid"])
    assert await ids(ringback) == []
    (told,) = ringback.requests("/verified")
    assert told["VerificationStatus"] == "failed"
    assert "OutgoingCallerIdSid" not in told


@pytest.mark.parametrize("answers", ["busy", "no-answer", "invalid"])
async def test_nobody_answers(ringback: World, answers: str) -> None:
    await keys(ringback)
    await ringback.sim("PUT", f"Numbers/{NUMBER}", {"answers": answers})
    asked = await verify(ringback)
    await ringback.final(asked["call_sid"])
    (told,) = ringback.requests("/verified")
    assert told["VerificationStatus"] == "failed"


async def test_a_delay_and_an_extension(ringback: World) -> None:
    script = ({"expect": "digits", "within": 5}, {"expect": "six digit"}, enters)
    asked = await verify(ringback, *script, CallDelay="30", Extension="42")
    await ringback.final(asked["call_sid"])
    party = ringback.product.simulator.call(asked["call_sid"])
    assert party is not None
    assert not party.failed, party.heard
    assert len(await ids(ringback)) == 1


async def test_the_number_called_may_not_be_redirected_to_an_application(ringback: World) -> None:
    ringback.app("/verified", "")
    ringback.app("/other", "<Response><Hangup/></Response>")
    hold = ringback.clock.hold()
    asked = await ringback.post(
        "OutgoingCallerIds", PhoneNumber=NUMBER, StatusCallback=ringback.app_url + "/verified"
    )
    await ringback.lanes_empty()
    await ringback.product.ask(LegAnswered(call_sid=asked["call_sid"]))
    await ringback.post(f"Calls/{asked['call_sid']}", Url=ringback.app_url + "/other")
    hold.release()
    await ringback.final(asked["call_sid"])
    assert [one["VerificationStatus"] for one in ringback.requests("/verified")] == ["failed"]
    assert ringback.product.runtime.mending.bugs == 0


async def refusal(ringback: World, **fields: str) -> int:
    path = ringback._path("OutgoingCallerIds")
    async with ringback._session.post(
        ringback.url + path, headers=ringback._headers(), data=fields
    ) as answer:
        assert answer.status == 400
        code: int = (await answer.json())["code"]
        return code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 21401), ({"PhoneNumber": "nonsense"}, 21401), ({"PhoneNumber": "+1"}, 21401),
        ({"PhoneNumber": "+1415555019912345678"}, 21401), ({"PhoneNumber": "+15550123"}, 21449),
        ({"PhoneNumber": NUMBER, "CallDelay": "61"}, 21454), ({"PhoneNumber": NUMBER, "CallDelay": "-1"}, 21454),
        ({"PhoneNumber": NUMBER, "CallDelay": "x"}, 21454), ({"PhoneNumber": NUMBER, "FriendlyName": "x" * 65}, 20002),
        ({"PhoneNumber": NUMBER, "Extension": "12a"}, 20001),
        ({"PhoneNumber": NUMBER, "StatusCallback": "ftp://x"}, 21609),
        ({"PhoneNumber": NUMBER, "StatusCallbackMethod": "PUT"}, 21403),
    ],
)  # fmt: skip
async def test_refusals(ringback: World, fields: dict[str, str], code: int) -> None:
    await ringback.number("+15550123", voice="/none")
    assert await refusal(ringback, **fields) == code
    assert (await ringback.get("Calls"))["calls"] == []


async def test_a_number_of_another_account_is_refused(ringback: World) -> None:
    sub = await ringback._ask("POST", "/2010-04-01/Accounts.json", data={"FriendlyName": "sub"})
    await ringback._ask(
        "POST", f"/2010-04-01/Accounts/{sub['sid']}/IncomingPhoneNumbers.json", data={"PhoneNumber": NUMBER}
    )
    assert await refusal(ringback, PhoneNumber=NUMBER) == 21453


# --- trial accounts ----------------------------------------------------------------------------------------


async def on_trial(ringback: World) -> None:
    account = await ringback.product.store.get(Account, ringback.product.account_sid)
    assert account is not None
    await ringback.product.store.commit([Save(replace(account, type="Trial"))])
    ringback.product.authenticator.forget()


async def test_a_trial_call_begins_with_an_announcement_and_ends_after_ten_minutes(ringback: World) -> None:
    await ringback.number("+15550123", voice="/none")
    asked = await verify(ringback, HEARS, enters)
    await ringback.final(asked["call_sid"])
    await on_trial(ringback)
    await keys(ringback)
    twiml = "<Response><Say>Our own words</Say><Pause length='3600'/></Response>"
    call = await ringback.post("Calls", To=NUMBER, From="+15550123", Twiml=twiml, TimeLimit="3000")
    final = await ringback.final(str(call["sid"]))
    assert int(final["duration"]) == 600
    party = ringback.product.simulator.call(str(call["sid"]))
    assert party is not None
    said = [one["text"] for one in party.heard if one["kind"] == "say"]
    assert "trial account" in said[0]
    assert said[1] == "Our own words"
    assert [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]] == ["13805"]


async def test_a_caller_of_a_trial_number_hears_it_once(ringback: World) -> None:
    ringback.app("/voice", "<Response><Say>One</Say><Redirect>/two</Redirect></Response>")
    ringback.app("/two", "<Response><Say>Two</Say></Response>")
    await ringback.number("+15550123", voice="/voice")
    await on_trial(ringback)
    caller = await ringback.call("+15550123")
    await caller.ends()
    said = [one["text"] for one in caller.heard if one["kind"] == "say"]
    assert "trial account" in said[0]
    assert said[1:] == ["One", "Two"]


async def test_a_trial_account_calls_verified_numbers_only(ringback: World) -> None:
    await ringback.number("+15550123", voice="/none")
    await on_trial(ringback)
    with pytest.raises(AssertionError, match="21219"):
        await ringback.post("Calls", To="+15557770001", From="+15550123", Twiml="<Response/>")
