"""Conferences from end to end: who hears whom, and what REST, callbacks and recordings tell (twiml.md §5.3)."""

from __future__ import annotations

import asyncio
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp

from ringback.testing.world import Caller, World, world
from tests.scenarios.test_restart import copy_of_the_disk

CALLBACK = "statusCallback='/cb' statusCallbackEvent='start end join leave mute hold modify announcement'"


async def ask(ringback: World, method: str, resource: str, **fields: str) -> tuple[int, dict[str, Any]]:
    """Status and body, whatever they are."""
    url = f"{ringback.url}/2010-04-01/Accounts/{ringback.product.account_sid}/{resource}.json"
    auth = aiohttp.encode_basic_auth(ringback.product.account_sid, ringback.product.auth_token)
    async with (
        aiohttp.ClientSession(headers={"Authorization": auth}) as session,
        session.request(method, url, data=fields or None) as answer,
    ):
        return answer.status, (await answer.json() if answer.status != 204 else {})


async def come(ringback: World, attributes: str = "", *, who: str = "1", name: str = "room") -> Caller:
    """One more call into the conference."""
    path = f"/voice{who}"
    ringback.app(
        path,
        f"<Response><Dial action='/after'><Conference {CALLBACK} {attributes}>{name}</Conference></Dial></Response>",
    )
    ringback.app("/after", "<Response><Say>goodbye</Say></Response>")
    ringback.app("/cb", "<Response/>")
    number = await ringback.number(f"+1555010{who:0>4}", voice=path)
    caller = await ringback.call(number, from_=f"+1555123{who:0>4}")
    while not any(one["call_sid"] == caller.sid for one in await participants(ringback, name)):
        await asyncio.sleep(0)
    await ringback.lanes_empty()  # its seat is there at once, the leg in the room only after the commit
    return caller


async def participants(ringback: World, name: str = "room") -> list[dict[str, Any]]:
    """Those in the conference of that name; none when there is no such conference."""
    status, body = await ask(ringback, "GET", f"Conferences/{name}/Participants")
    return list(body["participants"]) if status == 200 else []


async def sid_of(ringback: World, **filters: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    url = f"Conferences.json?{query}" if query else "Conferences.json"
    found = await ringback._ask("GET", f"/2010-04-01/Accounts/{ringback.product.account_sid}/{url}")
    return str(found["conferences"][0]["sid"])


def speech(caller: Caller) -> list[str]:
    return [one["text"] for one in caller.heard if one["kind"] == "speech"]


def kinds(caller: Caller) -> list[str]:
    return [one["kind"] for one in caller.heard]


async def says(ringback: World, caller: Caller, text: str) -> None:
    """Somebody speaks, and everybody has heard it who can."""
    caller.does({"say": text})
    await ringback.advance(5)


async def test_three_talk_and_a_coach_is_heard_by_one(ringback: World) -> None:
    customer = await come(ringback, who="1")
    agent = await come(ringback, who="2")
    coach = await come(ringback, f"coach='{agent.sid}' beep='false'", who="3")
    await says(ringback, customer, "I have a question")
    await says(ringback, agent, "let me look")
    await says(ringback, coach, "offer a refund")
    assert speech(customer) == ["let me look"]
    assert speech(agent) == ["I have a question", "offer a refund"]
    assert speech(coach) == ["I have a question", "let me look"]
    seats = {one["call_sid"]: one for one in await participants(ringback)}
    assert (seats[coach.sid]["coaching"], seats[coach.sid]["call_sid_to_coach"]) == (True, agent.sid)
    await ringback.post(f"Conferences/{await sid_of(ringback)}/Participants/{coach.sid}", Coaching="false")
    await says(ringback, coach, "good morning all")
    assert speech(customer)[-1] == speech(agent)[-1] == "good morning all"


async def test_hold_music_for_the_held_one_only_and_mute(ringback: World) -> None:
    one, two, three = [await come(ringback, who=who) for who in "123"]
    room = await sid_of(ringback, Status="in-progress")
    before = [kinds(each).count("hold") for each in (one, two, three)]
    held = await ringback.post(f"Conferences/{room}/Participants/{two.sid}", Hold="true")
    assert (held["hold"], held["muted"], held["status"]) == (True, False, "connected")
    await says(ringback, one, "nobody else may know")
    await says(ringback, two, "is anybody there")
    after = [kinds(each).count("hold") for each in (one, two, three)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [0, 1, 0]
    assert (speech(one), speech(two), speech(three)) == ([], [], ["nobody else may know"])
    assert [
        p["call_sid"]
        for p in (
            await ringback._ask(
                "GET",
                f"/2010-04-01/Accounts/{ringback.product.account_sid}/Conferences/{room}/Participants.json?Hold=true",
            )
        )["participants"]
    ] == [two.sid]
    await ringback.post(f"Conferences/{room}/Participants/{two.sid}", Hold="false")
    await ringback.post(f"Conferences/{room}/Participants/{three.sid}", Muted="true")
    await says(ringback, two, "here again")
    await says(ringback, three, "can you hear me")
    assert (speech(one), speech(three)[-1]) == (["here again"], "here again")
    ringback.app("/hold", "<Response><Say>one moment</Say><Pause length='10'/></Response>")
    await ringback.post(
        f"Conferences/{room}/Participants/{one.sid}", Hold="true", HoldUrl=ringback.app_url + "/hold"
    )
    await one.hears("one moment")
    await ringback.advance(40)
    assert [each["text"] for each in one.heard].count("one moment") >= 3  # it loops
    assert not any(each["text"] == "one moment" for each in [*two.heard, *three.heard])


async def test_before_the_start_everybody_hears_the_wait_document(ringback: World) -> None:
    ringback.app("/wait", "<Response><Say>please wait</Say><Pause length='5'/></Response>")
    quiet = "startConferenceOnEnter='false' waitUrl='/wait' beep='false'"
    one = await come(ringback, quiet, who="1")
    two = await come(ringback, quiet, who="2")
    await ringback.advance(20)
    assert (await ringback.get(f"Conferences/{await sid_of(ringback)}"))["status"] == "init"
    assert [each["text"] for each in one.heard].count("please wait") >= 3
    assert ringback.requests("/wait")[0]["FriendlyName"] == "room"
    await says(ringback, one, "hello?")
    assert speech(two) == []
    await come(ringback, "beep='false'", who="3")
    await ringback.advance(1)  # what was asked for before is answered
    asked = len(ringback.requests("/wait"))
    await says(ringback, one, "now it goes")
    assert speech(two) == ["now it goes"]
    await ringback.advance(60)
    assert len(ringback.requests("/wait")) == asked


async def test_the_moderator_leaves_and_it_is_over(ringback: World) -> None:
    customer = await come(ringback, who="1")
    boss = await come(ringback, "endConferenceOnExit='true' participantLabel='boss'", who="2")
    assert (await ringback.get(f"Conferences/{await sid_of(ringback)}/Participants/boss"))[
        "call_sid"
    ] == boss.sid
    boss.does({"hangup": True})
    await customer.hears("goodbye")
    await customer.ends()
    await ringback.settled()
    record = await ringback.get(f"Conferences/{await sid_of(ringback)}")
    assert record["status"] == "completed"
    assert record["reason_conference_ended"] == "participant-with-end-conference-on-exit-left"
    assert record["call_sid_ending_conference"] == boss.sid
    told = [(one["SequenceNumber"], one["StatusCallbackEvent"]) for one in ringback.requests("/cb")]
    assert told == [
        ("1", "participant-join"), ("2", "participant-join"), ("3", "conference-start"),
        ("4", "participant-leave"), ("5", "participant-leave"), ("6", "conference-end"),
    ]  # fmt: skip
    end = ringback.requests("/cb")[-1]
    assert end["ParticipantLabelEndingConference"] == "boss"
    after = {one["CallSid"]: one for one in ringback.requests("/after")}
    assert after[customer.sid]["DialCallStatus"] == "answered"
    assert not {"DialCallSid", "DialCallDuration"} & after[customer.sid].keys()
    assert (await ask(ringback, "GET", f"Conferences/{record['sid']}/Participants"))[1]["participants"] == []


async def test_dialled_into_a_conference_that_does_not_exist_yet(ringback: World) -> None:
    await ringback.number("+15550109999", voice="/voice1")
    made = await ringback.post(
        "Conferences/Sales & <Support>/Participants", From="+15550109999", To="+15557770001", Label="agent",
        EndConferenceOnExit="true", ConferenceStatusCallback=ringback.app("/cb", "<Response/>"),
        ConferenceStatusCallbackEvent="start end join leave", StatusCallback=ringback.app("/call", "<Response/>"),
    )  # fmt: skip
    assert (made["status"], made["label"], made["end_conference_on_exit"]) == ("queued", "agent", True)
    room = made["conference_sid"]
    record = await ringback.get(f"Conferences/{room}")
    assert (record["friendly_name"], record["status"]) == ("Sales & <Support>", "init")
    label_taken = await ask(
        ringback,
        "POST",
        f"Conferences/{room}/Participants",
        From="+15550109999",
        To="+15557770002",
        Label="agent",
    )
    assert (label_taken[0], label_taken[1]["code"]) == (400, 16025)
    while (await ringback.get(f"Conferences/{room}/Participants/agent"))["status"] != "connected":
        await asyncio.sleep(0)
    second = await ringback.post(f"Conferences/{room}/Participants", From="+15550109999", To="+15557770002")
    assert second["conference_sid"] == room
    while (await ringback.get(f"Conferences/{room}"))["status"] != "in-progress":
        await asyncio.sleep(0)
    assert (await ask(ringback, "DELETE", f"Conferences/{room}/Participants/agent"))[0] == 204
    await ringback.settled()
    record = await ringback.get(f"Conferences/{room}")
    assert record["reason_conference_ended"] == "participant-with-end-conference-on-exit-kicked"
    assert [one["StatusCallbackEvent"] for one in ringback.requests("/cb")] == [
        "participant-join", "participant-join", "conference-start", "participant-leave", "participant-leave",
        "conference-end",
    ]  # fmt: skip
    assert [one["CallStatus"] for one in ringback.requests("/call")] == ["completed"]
    over = await ask(
        ringback, "POST", f"Conferences/{room}/Participants", From="+15550109999", To="+15557770003"
    )
    assert (over[0], over[1]["code"]) == (400, 16022)


async def test_a_participant_who_is_busy(ringback: World) -> None:
    await ringback.number("+15550109999", voice="/voice1")
    await ringback.sim("PUT", "Numbers/+15557770001", {"answers": "busy", "after": 1})
    made = await ringback.post(
        "Conferences/x/Participants", From="+15550109999", To="+15557770001",
        ConferenceStatusCallback=ringback.app("/cb", "<Response/>"), ConferenceStatusCallbackEvent="leave end",
    )  # fmt: skip
    assert (await ringback.final(made["call_sid"]))["status"] == "busy"
    left, end = ringback.requests("/cb")
    assert (left["ReasonParticipantLeft"], left["ParticipantCallStatus"]) == (
        "participant_add_failed",
        "busy",
    )
    assert end["StatusCallbackEvent"] == "conference-end"
    assert (await ringback.get(f"Conferences/{made['conference_sid']}"))["status"] == "completed"


async def test_refusals(ringback: World) -> None:
    await ringback.number("+15550109999", voice="/voice1")
    good = {"From": "+15550109999", "To": "+15557770001"}
    for fields, code in (
        ({"To": "+15557770001"}, 21213), ({"From": "+15550109999"}, 21201), ({**good, "Label": "a/b"}, 16023),
        ({**good, "Timeout": "4"}, 21208), ({**good, "MaxParticipants": "1"}, 20001),
        ({**good, "Coaching": "true"}, 20001), ({**good, "CallSidToCoach": "CA" + "1" * 32}, 16028),
        ({**good, "Beep": "loud"}, 20001), ({**good, "WaitUrl": "x"}, 21205), ({**good, "Muted": "si"}, 20001),
        ({**good, "ConferenceStatusCallbackEvent": "dance"}, 20001), ({**good, "From": "+15550101234"}, 21210),
    ):  # fmt: skip
        status, body = await ask(ringback, "POST", "Conferences/new/Participants", **fields)
        assert (status, body["code"]) == (400, code), fields
    assert (await ringback.get("Conferences"))["conferences"] == []
    for path in (
        "Conferences/CF" + "1" * 32,
        "Conferences/nobody/Participants",
        "Conferences/CF" + "1" * 32 + "/Participants",
    ):
        assert (await ask(ringback, "GET", path))[0] == 404, path
    assert (await ask(ringback, "POST", "Conferences/CF" + "1" * 32 + "/Participants", **good))[0] == 404
    assert (await ask(ringback, "POST", "Conferences"))[0] == 405


async def test_the_recording_goes_on_without_the_one_who_began_it(ringback: World) -> None:
    record = "record='record-from-start' trim='do-not-trim' recordingStatusCallback='/rec' beep='false'"
    ringback.app("/rec", "<Response/>")
    one = await come(ringback, record, who="1")
    await ringback.advance(10)  # before the start nothing is recorded
    two, three = [await come(ringback, record, who=who) for who in "23"]
    room = await sid_of(ringback)
    await says(ringback, one, "first words of the first")
    two.does({"hangup": True})  # whose coming started it
    await two.ends()
    await says(ringback, three, "words after the second had left")
    await ringback.post(f"Conferences/{room}", Status="completed")
    await ringback.settled()
    (row,) = ringback.requests("/rec")
    assert (row["RecordingSource"], row["ConferenceSid"], row["RecordingChannels"]) == (
        "Conference",
        room,
        "1",
    )
    assert "CallSid" not in row
    assert 10 <= int(row["RecordingDuration"]) <= 12
    (listed,) = (await ringback.get(f"Conferences/{room}/Recordings"))["recordings"]
    assert (listed["sid"], listed["conference_sid"], listed["source"]) == (
        row["RecordingSid"],
        room,
        "Conference",
    )
    with wave.open(BytesIO(await ringback.download(row["RecordingUrl"]))) as file:
        assert file.getnchannels() == 1
        assert abs(file.getnframes() / 8000 - int(row["RecordingDuration"])) <= 0.6
        frames = file.readframes(file.getnframes())
    middle = 2 * 8000 * 6
    assert any(frames[:middle])
    assert any(frames[middle:])


async def test_a_recording_is_paused_resumed_and_stopped_by_rest(ringback: World) -> None:
    """POST Conferences/{CF}/Recordings/{RE or Twilio.CURRENT} (voice-calls.md §9.2)."""
    record = "record='record-from-start' trim='do-not-trim' recordingStatusCallback='/rec' beep='false'"
    ringback.app("/rec", "<Response/>")
    one, _ = [await come(ringback, record, who=who) for who in "12"]
    room = await sid_of(ringback)
    (recording,) = (await ringback.get(f"Conferences/{room}/Recordings"))["recordings"]
    current, path = (
        f"Conferences/{room}/Recordings/Twilio.CURRENT",
        f"Conferences/{room}/Recordings/{recording['sid']}",
    )
    assert (await ringback.get(current))["sid"] == recording["sid"]
    await ringback.advance(3)
    await says(ringback, one, "this is heard")
    paused = await ringback.post(current, Status="paused", PauseBehavior="skip")
    assert (paused["sid"], paused["status"], paused["conference_sid"]) == (recording["sid"], "paused", room)
    assert (await ringback.get(path))["status"] == "paused"
    await ringback.advance(60)
    status, body = await ask(ringback, "POST", path, Status="paused")
    assert (status, body["code"]) == (400, 16114)
    assert (await ringback.post(path, Status="in-progress"))["status"] == "in-progress"
    await ringback.advance(4)
    for wrong in ({"Status": "halted"}, {}, {"Status": "paused", "PauseBehavior": "nap"}):
        status, body = await ask(ringback, "POST", current, **wrong)
        assert (status, body["code"]) == (400, 20001), wrong
    assert (await ringback.post(current, Status="stopped"))["status"] == "stopped"
    await ringback.lanes_empty()
    status, body = await ask(ringback, "POST", path, Status="paused")
    assert (status, body["code"]) == (400, 16114)
    status, body = await ask(ringback, "POST", current, Status="paused")
    assert (status, body["code"]) == (404, 20404)
    await ringback.post(f"Conferences/{room}", Status="completed")
    await ringback.settled()
    (row,) = ringback.requests("/rec")
    assert (row["RecordingStatus"], row["RecordingSid"]) == ("completed", recording["sid"])
    assert 7 <= int(row["RecordingDuration"]) <= 20  # the minute of the pause is left out
    status, body = await ask(ringback, "POST", path, Status="stopped")  # the conference is over
    assert (status, body["code"]) == (400, 16114)


async def test_a_pause_outlives_the_leg_that_began_the_recording(ringback: World) -> None:
    record = "record='record-from-start' trim='do-not-trim' recordingStatusCallback='/rec' beep='false'"
    ringback.app("/rec", "<Response/>")
    _, two, _ = [await come(ringback, record, who=who) for who in "123"]
    room = await sid_of(ringback)
    two.does({"hangup": True})  # whose coming started it
    await two.ends()
    await ringback.post(
        f"Conferences/{room}/Recordings/Twilio.CURRENT", Status="paused", PauseBehavior="skip"
    )
    await ringback.advance(120)
    await ringback.post(f"Conferences/{room}/Recordings/Twilio.CURRENT", Status="in-progress")
    await ringback.advance(5)
    await ringback.post(f"Conferences/{room}", Status="completed")
    await ringback.settled()
    (row,) = ringback.requests("/rec")
    assert int(row["RecordingDuration"]) < 60


async def test_announcements(ringback: World) -> None:
    ringback.app("/announce", "<Response><Say>we close soon</Say></Response>")
    one, two = [await come(ringback, who=who) for who in "12"]
    room = await sid_of(ringback)
    await ringback.post(f"Conferences/{room}", AnnounceUrl=ringback.app_url + "/announce")
    await one.hears("we close soon")
    await two.hears("we close soon")
    await ringback.advance(5)  # to its end
    await ringback.post(
        f"Conferences/{room}/Participants/{two.sid}",
        AnnounceUrl=ringback.app("/psst", "<Response><Say>only you</Say></Response>"),
    )
    await two.hears("only you")
    await ringback.advance(10)
    assert "only you" not in [each["text"] for each in one.heard]
    assert len(ringback.requests("/announce")) == 1
    told = [
        (row["StatusCallbackEvent"], row["AnnounceUrl"])
        for row in ringback.requests("/cb")
        if "AnnounceUrl" in row
    ]
    assert told == [
        ("announcement-end", ringback.app_url + "/announce"),
        ("announcement-end", ringback.app_url + "/psst"),
    ]


async def test_who_speaks_is_told_when_somebody_asks(ringback: World) -> None:
    told_of = CALLBACK.replace("announcement'", "announcement speaker'")
    ringback.app("/cb", "<Response/>")

    async def comes(who: str) -> Caller:
        path = f"/talker{who}"
        ringback.app(
            path, f"<Response><Dial><Conference beep='false' {told_of}>room</Conference></Dial></Response>"
        )
        caller = await ringback.call(await ringback.number(f"+1555010{who:0>4}", voice=path))
        while not any(one["call_sid"] == caller.sid for one in await participants(ringback)):
            await asyncio.sleep(0)
        await ringback.lanes_empty()
        return caller

    one, two = await comes("1"), await comes("2")
    room = await sid_of(ringback)
    await says(ringback, one, "good morning")
    await says(ringback, two, "hello to you too")
    await ringback.post(f"Conferences/{room}/Participants/{two.sid}", Muted="true")
    await says(ringback, two, "nobody can hear this")
    await ringback.post(f"Conferences/{room}", Status="completed")
    await ringback.settled()
    rows = [row for row in ringback.requests("/cb") if "speech" in row["StatusCallbackEvent"]]
    assert [(row["StatusCallbackEvent"], row["CallSid"]) for row in rows] == [
        ("participant-speech-start", one.sid), ("participant-speech-stop", one.sid),
        ("participant-speech-start", two.sid), ("participant-speech-stop", two.sid),
    ]  # fmt: skip
    assert {row["ConferenceSid"] for row in rows} == {room}
    assert {row["Muted"] for row in rows} == {"false"}
    numbers = [row["SequenceNumber"] for row in ringback.requests("/cb")]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


async def test_a_bad_wait_document_is_asked_for_once_and_music_takes_its_place(ringback: World) -> None:
    ringback.app("/wait", "<Response><Record/></Response>")
    one = await come(ringback, "waitUrl='/wait' startConferenceOnEnter='false'", who="1")
    await one.hears("hold-music")
    await ringback.advance(60)
    assert len(ringback.requests("/wait")) == 1
    found = (await ringback.get("Notifications"))["notifications"]
    assert [each["error_code"] for each in found] == ["13238"]


async def test_one_who_waits_hears_the_phone_of_the_other_ring(ringback: World) -> None:
    one = await come(ringback, "beep='false'", who="1")
    await ringback.number("+15550109999", voice="/voice1")
    await ringback.sim("PUT", "Numbers/+15557770001", {"answers": "no-answer"})
    before = kinds(one)
    assert before[-1] == "hold"
    room = await sid_of(ringback)
    await ringback.post(
        f"Conferences/{room}/Participants", From="+15550109999", To="+15557770001", Timeout="10"
    )
    await one.hears("ringback")
    await ringback.advance(20)
    assert [each["text"] for each in one.heard] == ["hold-music", "ringback-us", "hold-music"]
    assert len(await participants(ringback)) == 1


async def test_the_official_client(ringback: World) -> None:
    one, two = [await come(ringback, who=who) for who in "12"]
    client = ringback.client

    def walk() -> None:
        (conference,) = client.conferences.list(status="in-progress", friendly_name="room")
        assert conference.fetch().friendly_name == "room"
        seats = client.conferences(conference.sid).participants
        assert [each.call_sid for each in seats.list(page_size=1)] == [one.sid, two.sid]
        held = client.conferences(conference.sid).participants(two.sid).update(hold=True, muted=True)
        assert (held.hold, held.muted) == (True, True)
        assert [each.call_sid for each in seats.list(muted=True)] == [two.sid]
        assert client.conferences(conference.sid).participants(one.sid).delete()
        ended = client.conferences(conference.sid).update(status="completed")
        assert ended.status == "completed"

    await asyncio.to_thread(walk)
    await ringback.settled()
    assert {
        row["ReasonParticipantLeft"] for row in ringback.requests("/cb") if "ReasonParticipantLeft" in row
    } == {
        "participant_updated_via_api",
        "conference_ended_via_api",
    }


async def test_after_a_crash_it_is_completed_and_its_recording_is_kept(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        first.app("/cb", "<Response/>")
        for who in "12":
            await come(first, "record='true'", who=who)
        room = await sid_of(first)
        assert (await first.get(f"Conferences/{room}"))["status"] == "in-progress"
        copy_of_the_disk(before, after)
    async with world(after) as second:
        await second.lanes_empty()
        record = await second.get(f"Conferences/{room}")
        assert (record["status"], record["reason_conference_ended"]) == ("completed", "last-participant-left")
        assert (await second.get(f"Conferences/{room}/Participants"))["participants"] == []
        (recording,) = (await second.get(f"Conferences/{room}/Recordings"))["recordings"]
        assert recording["status"] == "absent"  # not a byte of it was on the disk
        assert second.product.voice.conferences.live == 0


async def test_twenty_come_and_go(ringback: World) -> None:
    """All hear one, whoever has left meanwhile; the last one ends it."""
    callers = [await come(ringback, "beep='false'", who=str(who)) for who in range(1, 21)]
    room = await sid_of(ringback)
    await says(ringback, callers[7], "hello everybody")
    assert [speech(each) for each in callers] == [
        [] if each is callers[7] else ["hello everybody"] for each in callers
    ]
    for at in (3, 0, 19, 12, 7, 1, 18, 5, 2, 4, 6, 8, 9, 10, 11, 13, 14, 15):
        callers[at].does({"hangup": True})
        await callers[at].ends()
    await ringback.lanes_empty()
    assert [one["call_sid"] for one in await participants(ringback)] == [callers[16].sid, callers[17].sid]
    await says(ringback, callers[16], "only we are left")
    assert speech(callers[17])[-1] == "only we are left"
    for at in (16, 17):
        callers[at].does({"hangup": True})
        await callers[at].ends()
    await ringback.settled()
    assert (await ringback.get(f"Conferences/{room}"))["call_sid_ending_conference"] == callers[17].sid
    told = [row["SequenceNumber"] for row in ringback.requests("/cb")]
    assert told == [str(number) for number in range(1, 43)]
