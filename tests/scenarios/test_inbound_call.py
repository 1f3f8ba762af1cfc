"""Journey: a call arrives, is answered by documents of the customer's application, and ends."""

from __future__ import annotations

import wave

from ringback.testing.world import World

MENU = (
    '<Response><Gather numDigits="1" action="/pressed" timeout="5"><Say>Please press one</Say></Gather>'
    "<Say>Nothing came</Say></Response>"
)


async def test_gather_posts_the_digits_and_the_call_completes(ringback: World) -> None:
    ringback.app("/voice", MENU)
    ringback.app("/pressed", "<Response><Say>Thanks</Say><Hangup/></Response>")
    number = await ringback.number("+15550123", voice="/voice")
    caller = await ringback.call(number, script=[{"expect": "press"}, {"press": "1"}])
    await caller.hears("thanks")
    await caller.ends()
    assert caller.status == "completed"
    assert not caller.failed
    first, second = ringback.requests("/voice")[0], ringback.requests("/pressed")[0]
    assert first["CallStatus"] == "ringing"
    assert (first["From"], first["To"], first["Direction"]) == ("+15551230001", "+15550123", "inbound")
    assert second["CallStatus"] == "in-progress"
    assert second["Digits"] == "1"
    assert second["CallSid"] == first["CallSid"] == caller.sid


async def test_gather_without_input_falls_through(ringback: World) -> None:
    ringback.app("/voice", MENU)
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("nothing came")
    await caller.ends()
    assert ringback.requests("/pressed") == []


async def test_a_message_is_recorded_and_reported(ringback: World) -> None:
    ringback.app("/status", "")
    ringback.app(
        "/voice",
        '<Response><Say>Speak after the tone</Say><Record action="/recorded" finishOnKey="#" maxLength="30"'
        ' trim="do-not-trim" recordingStatusCallback="/status" recordingStatusCallbackEvent="in-progress completed"/>'
        "<Say>Never said</Say></Response>",
    )
    ringback.app("/recorded", "<Response><Say>Goodbye</Say></Response>")
    number = await ringback.number("+15550123", voice="/voice")
    script = [{"expect": "beep"}, {"say": "please call me back"}, {"wait": 1}, {"press": "#"}]
    caller = await ringback.call(number, script=script)
    await caller.hears("goodbye")
    await caller.ends()
    action = ringback.requests("/recorded")[0]
    assert action["Digits"] == "#"
    assert int(action["RecordingDuration"]) >= 2
    await ringback.settled()
    statuses = [one["RecordingStatus"] for one in ringback.requests("/status")]
    assert statuses == ["in-progress", "completed"]
    sid = action["RecordingSid"]
    recording = await ringback.get(f"Recordings/{sid}")
    assert (recording["status"], recording["source"], recording["channels"]) == ("completed", "RecordVerb", 1)
    with wave.open(str(ringback.product.recordings / f"{sid}.wav")) as file:
        assert file.getnframes() / file.getframerate() > 1.5
        assert any(file.readframes(file.getnframes()))


async def test_hanging_up_while_recording_still_posts_the_action(ringback: World) -> None:
    ringback.app("/voice", '<Response><Record action="/recorded"/></Response>')
    ringback.app("/recorded", "<Response><Say>Nobody hears this</Say></Response>")
    number = await ringback.number("+15550123", voice="/voice")
    caller = await ringback.call(
        number, script=[{"expect": "beep"}, {"say": "hello there, it is me"}, {"hangup": True}]
    )
    await caller.ends()
    await ringback.settled()
    action = ringback.requests("/recorded")[0]
    assert (action["Digits"], action["CallStatus"]) == ("hangup", "completed")


async def test_reject_leaves_the_call_unanswered(ringback: World) -> None:
    ringback.app("/voice", '<Response><Reject reason="busy"/><Say>Never</Say></Response>')
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.ends()
    await ringback.settled()
    assert (await ringback.get(f"Calls/{caller.sid}"))["status"] == "busy"
    assert [one["kind"] for one in caller.heard] == ["busy"]


async def test_redirect_and_play_with_an_unknown_verb_beside_them(ringback: World) -> None:
    ringback.app("/voice", "<Response><Frobnicate/><Redirect>/next</Redirect><Say>Never</Say></Response>")
    ringback.app("/next", "<Response><Play>/missing.wav</Play><Say>Here we are</Say></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("here we are")
    await caller.ends()
    await ringback.settled()
    codes = {
        one["error_code"]
        for one in (await ringback.get(f"Calls/{caller.sid}/Notifications"))["notifications"]
    }
    assert {"12200", "11200"} <= codes


async def test_a_failing_application_goes_to_the_fallback_with_the_error(ringback: World) -> None:
    ringback.app("/fallback", "<Response><Say>We have a problem</Say></Response>")
    await ringback.post(
        "IncomingPhoneNumbers",
        PhoneNumber="+15550124",
        VoiceUrl=ringback.app_url + "/nowhere",
        VoiceFallbackUrl=ringback.app_url + "/fallback",
    )
    caller = await ringback.call("+15550124")
    await caller.hears("we have a problem")
    await caller.ends()
    asked = ringback.requests("/fallback")[0]
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == ("11200", ringback.app_url + "/nowhere")


async def test_without_a_fallback_an_unanswered_call_is_refused(ringback: World) -> None:
    caller = await ringback.call(await ringback.number("+15550123", voice="/nowhere"))
    await caller.ends()
    await ringback.settled()
    assert (await ringback.get(f"Calls/{caller.sid}"))["status"] == "failed"
    assert [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]] == ["11200"]


async def test_a_live_call_is_redirected_and_completed_by_rest(ringback: World) -> None:
    ringback.app("/voice", '<Response><Say loop="0">You are waiting</Say></Response>')
    ringback.app("/moved", "<Response><Say>You were moved</Say><Pause length='600'/></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("waiting")
    moved = await ringback.post(f"Calls/{caller.sid}", Url=ringback.app_url + "/moved")
    assert moved["status"] == "in-progress"
    await caller.hears("you were moved")
    ended = await ringback.post(f"Calls/{caller.sid}", Status="completed")
    assert ended["sid"] == caller.sid
    await caller.ends()
    await ringback.settled()
    assert (await ringback.get(f"Calls/{caller.sid}"))["status"] == "completed"
