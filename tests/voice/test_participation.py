# ruff: noqa: E501 - documents are easier to read on one line
"""Whole calls in conferences, by hand: what each leg is told to hear, and what REST changes (twiml.md §5.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.effects.conferences import RecordRoom
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.conference import Conference
from ringback.resources.api.recording import Recording

EVERYTHING = "statusCallback='/cb' statusCallbackEvent='start end join leave mute hold modify announcement'"


def leg(number: int) -> str:
    return f"CA{number:032x}"


def meeting(attributes: str = "", dial: str = "action='/after'", **pages: Any) -> Driver:
    """Two calls in a conference that runs: CALL, and leg(2)."""
    text = f"<Response><Dial {dial}><Conference {EVERYTHING} {attributes}>r</Conference></Dial><Say>next</Say></Response>"
    call = Driver({"/voice": text, "/after": "<Response><Say>bye</Say><Hangup/></Response>", **pages})
    for sid in (CALL, leg(2)):
        call.arrive(sid=sid)
        call.answered(sid)
    return call


def conference(call: Driver) -> Conference:
    return next(one.record for one in reversed(call.of(fx.Save)) if isinstance(one.record, Conference))


def change(call: Driver, sid: str = CALL, **params: str) -> Any:
    return call.write("Participant", "update", sid, params=params, parent_sid=conference(call).sid)


def hears(call: Driver, sid: str) -> list[Any]:
    """What plays to a leg and was not stopped, without beeps."""
    stopped = {one.playback for one in call.of(fx.StopAudio) if one.call_sid == sid}
    return [
        item
        for one in call.of(fx.PlayAudio)
        if one.call_sid == sid and one.playback not in stopped
        for item in one.items
        if item != fx.Tone("beep")
    ]


def test_music_until_the_second_one_comes() -> None:
    call = Driver({"/voice": "<Response><Dial><Conference>r</Conference></Dial></Response>"})
    call.arrive()
    call.answered()
    assert hears(call, CALL) == [fx.Tone("hold-music")]
    assert call.of(fx.Join) == []
    call.arrive(sid=leg(2))
    call.answered(leg(2))
    assert hears(call, CALL) == []
    assert {(one.call_sid, one.room) for one in call.of(fx.Join)} == {
        (CALL, conference(call).sid),
        (leg(2), conference(call).sid),
    }


def test_it_starts_only_with_somebody_who_starts_it() -> None:
    no = "<Response><Dial><Conference startConferenceOnEnter='false' waitUrl=''>r</Conference></Dial></Response>"
    yes = "<Response><Dial><Conference>r</Conference></Dial></Response>"
    call = Driver({"/voice": no, "/boss": yes})
    for sid in (CALL, leg(2)):
        call.arrive(sid=sid)
        call.answered(sid)
    assert (conference(call).status, call.of(fx.Join), call.of(fx.PlayAudio)) == ("init", [], [])
    call.arrive("/boss", sid=leg(3))
    call.answered(leg(3))
    assert conference(call).status == "in-progress"
    assert len(call.of(fx.Join)) == 3


def test_mute_hold_and_coach_by_rest() -> None:
    call = meeting()
    seat = change(call, Muted="true")
    assert (seat.muted, seat.hold) == (True, False)
    assert (call.of(fx.Join)[-1].call_sid, call.of(fx.Join)[-1].muted) == (CALL, True)
    change(call, Muted="true")  # nothing new: nobody is told
    change(call, Hold="true", Muted="false")
    assert (call.of(fx.Join)[-1].muted, call.of(fx.Join)[-1].hold) == (False, True)
    assert hears(call, CALL) == [fx.Tone("hold-music")]
    with pytest.raises(Refused) as refusal:
        change(call, leg(2), Coaching="true", CallSidToCoach=CALL)
    assert refusal.value.code == 16027
    change(call, Hold="false")
    assert hears(call, CALL) == []
    seat = change(call, leg(2), Coaching="true", CallSidToCoach=CALL)
    assert (seat.coaching, seat.call_sid_to_coach) == (True, CALL)
    assert (call.of(fx.Join)[-1].call_sid, call.of(fx.Join)[-1].coach) == (leg(2), CALL)
    seat = change(call, leg(2), Coaching="false")
    assert (seat.call_sid_to_coach, call.of(fx.Join)[-1].coach) == (None, None)
    change(call, EndConferenceOnExit="true", BeepOnExit="false")
    assert call.hooks("StatusCallbackEvent", "CallSid", "Muted", "Hold")[3:] == [
        ("participant-mute", CALL, "true", "false"),
        ("participant-unmute", CALL, "false", "true"),
        ("participant-hold", CALL, "false", "true"),
        ("participant-unhold", CALL, "false", "false"),
        ("participant-modify", leg(2), "false", "false"),
        ("participant-modify", leg(2), "false", "false"),
        ("participant-modify", CALL, "false", "false"),
    ]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Muted": "maybe"}, 20001), ({"HoldUrl": "ftp://x"}, 21205), ({"HoldMethod": "PUT"}, 21209),
        ({"Coaching": "true"}, 20001), ({"CallSidToCoach": leg(9)}, 16028), ({"CallSidToCoach": CALL}, 16028),
        ({"AnnounceUrl": "x"}, 21205), ({"WaitUrl": "x"}, 21205),
    ],
)  # fmt: skip
def test_a_bad_update_changes_nothing(params: dict[str, str], code: int) -> None:
    call = meeting()
    hooks, joins = len(call.of(fx.SendWebhook)), len(call.of(fx.Join))
    with pytest.raises(Refused) as refusal:
        change(call, **{**params, "EndConferenceOnExit": params.get("EndConferenceOnExit", "true")})
    assert refusal.value.code == code
    assert (len(call.of(fx.SendWebhook)), len(call.of(fx.Join))) == (hooks, joins)
    seat = change(call)
    assert (seat.muted, seat.hold, seat.coaching, seat.end_conference_on_exit) == (False, False, False, False)


def test_hold_document_with_a_verb_that_may_not_stand_there() -> None:
    call = meeting(**{"/hold": "<Response><Record/><Say>please hold</Say></Response>"})
    change(call, Hold="true", HoldUrl=BASE + "/hold")
    assert hears(call, CALL) == [fx.Speech("please hold")]
    assert 13238 in call.codes()
    assert call.asked("/hold")[0]["ConferenceSid"] == conference(call).sid


def test_a_hold_document_that_fails_is_music() -> None:
    pages: dict[str, Any] = {"/hold": 500}
    call = meeting(**pages)
    change(call, Hold="true", HoldUrl=BASE + "/hold")
    assert hears(call, CALL) == [fx.Tone("hold-music")]
    assert 11200 in call.codes()


def test_kicked_and_the_document_goes_on() -> None:
    call = meeting(dial="")
    call.write("Participant", "delete", CALL, parent_sid=conference(call).sid)
    assert call.of(fx.LeaveRoom)[-1].call_sid == CALL
    assert hears(call, CALL) == [fx.Speech("next")]
    call.write("Participant", "delete", leg(2))  # TaskRouter knows legs, not conferences
    assert conference(call).reason_conference_ended == "last-participant-kicked"
    assert call.hooks("StatusCallbackEvent", "ReasonParticipantLeft")[3:] == [
        ("participant-leave", "participant_updated_via_api"),
        ("participant-leave", "participant_updated_via_api"),
        ("conference-end", ""),
    ]


@pytest.mark.parametrize("kicked", [False, True])
def test_end_on_exit(kicked: bool) -> None:
    call = meeting("endConferenceOnExit='true'")
    if kicked:
        call.write("Participant", "delete", CALL, parent_sid=conference(call).sid)
    else:
        call.hangup()
    how = "kicked" if kicked else "left"
    assert conference(call).reason_conference_ended == f"participant-with-end-conference-on-exit-{how}"
    assert conference(call).call_sid_ending_conference == CALL
    assert call.asked("/after")[-1]["DialCallStatus"] == "answered"
    assert {one["CallSid"] for one in call.asked("/after")} == {CALL, leg(2)}
    assert call.hooks("CallSid", "ReasonParticipantLeft", "ReasonConferenceEnded")[-3:] == [
        (CALL, "participant_updated_via_api" if kicked else "participant_hung_up", ""),
        (leg(2), "moderator_ended_conference", ""),
        ("", "", f"participant-with-end-conference-on-exit-{how}"),
    ]
    assert call.board.conferences.live == 0


def test_ended_by_rest() -> None:
    call = meeting()
    sid = conference(call).sid
    call.write("Conference", "update", sid, Lane("conference", sid), {"Status": ["completed"]})
    assert (call.answer.status, call.answer.reason_conference_ended) == (
        "completed",
        "conference-ended-via-api",
    )
    assert call.hooks("ReasonParticipantLeft")[-3:-1] == [("conference_ended_via_api",)] * 2
    assert [one["DialCallStatus"] for one in call.asked("/after")] == ["answered", "answered"]
    call.answer = None
    call.write("Conference", "update", sid, Lane("conference", sid), {"Status": ["completed"]})
    assert call.answer is None
    with pytest.raises(Refused) as refusal:
        call.write("Conference", "update", sid, Lane("conference", sid), {"AnnounceUrl": [BASE + "/a"]})
    assert refusal.value.code == 16022
    with pytest.raises(Refused):
        call.write("Conference", "update", sid, Lane("conference", sid), {"Status": ["init"]})


def test_redirected_out_of_it() -> None:
    call = meeting()
    call.update(CALL, Twiml="<Response><Say>elsewhere</Say></Response>")
    assert call.hooks("ReasonParticipantLeft")[-1] == ("participant_updated_via_api",)
    assert call.asked("/after") == []
    assert hears(call, CALL) == [fx.Speech("elsewhere")]
    assert list(call.board.conferences.room(conference(call).sid).seats) == [leg(2)]  # type: ignore[union-attr]


def test_star_and_time_limit() -> None:
    call = meeting(dial="action='/after' hangupOnStar='true' timeLimit='60'")
    assert [(one.seconds, one.pulls) for one in call.of(fx.StartTimer) if one.name == "conference-limit"] == [
        (60.0, False)
    ] * 2
    call.press("5*")
    call.fire("conference-limit", leg(2))
    facts = [(one["CallSid"], one["DialCallStatus"], "DialCallSid" in one) for one in call.asked("/after")]
    assert facts == [(CALL, "answered", False), (leg(2), "answered", False)]
    assert 32015 in call.codes()


def test_no_seat_left() -> None:
    call = meeting("maxParticipants='2'")
    call.arrive(sid=leg(3))
    call.answered(leg(3))
    assert 16020 in call.codes()
    assert call.asked("/after")[-1]["DialCallStatus"] == "failed"


def test_an_unanswered_call_is_answered_for_it() -> None:
    text = "<Response><Dial answerOnBridge='true'><Conference waitUrl=''>r</Conference></Dial></Response>"
    call = Driver({"/voice": text})
    call.arrive()
    assert [one.call_sid for one in call.of(fx.AnswerLeg)] == [CALL]
    assert call.board.conferences.live == 0
    call.answered()
    assert call.board.conferences.live == 1
    call.hangup()
    assert (conference(call).status, conference(call).call_sid_ending_conference) == ("completed", CALL)


def test_nouns_are_not_mixed() -> None:
    call = Driver(
        {
            "/voice": "<Response><Dial action='/after'><Conference>r</Conference><Number>+15551230009</Number></Dial></Response>"
        }
    )
    call.arrive()
    call.answered()
    assert 13000 in call.codes()
    assert call.board.conferences.live == 0


def test_an_announcement_to_everybody_is_asked_for_once() -> None:
    page = "<Response><Say loop='2'>attention</Say><Gather/><Pause length='2'/><Redirect>/more</Redirect></Response>"
    call = meeting(**{"/announce": page, "/more": "<Response><Play>/x.wav</Play></Response>"})
    change(call, leg(2), Hold="true")
    sid = conference(call).sid
    call.write("Conference", "update", sid, Lane("conference", sid), {"AnnounceUrl": [BASE + "/announce"]})
    assert len(call.asked("/announce")) == len(call.asked("/more")) == 1
    wanted = [fx.Speech("attention")] * 2 + [fx.Silence(2.0)]
    assert [one.items for one in call.of(fx.PlayAudio) if one.items == tuple(wanted)] == [tuple(wanted)] * 2
    assert hears(call, CALL) == hears(call, leg(2)) == [fx.Sound(BASE + "/x.wav")]
    assert 13238 in call.codes()
    ended = [one for one in call.hooks("StatusCallbackEvent", "AnnounceUrl") if one[0] == "announcement-end"]
    call.played(CALL)
    call.played(leg(2))
    assert hears(call, leg(2))[-1] == fx.Tone("hold-music")  # the held one hears music again
    after = [one for one in call.hooks("StatusCallbackEvent", "AnnounceUrl") if one[0] == "announcement-end"]
    assert len(after) == len(ended) + 1
    assert after[-1] == ("announcement-end", BASE + "/announce")


def test_an_announcement_to_one_and_one_that_fails() -> None:
    call = meeting(**{"/a": "<Response><Say>psst</Say></Response>"})
    change(call, leg(2), AnnounceUrl=BASE + "/a", AnnounceMethod="GET")
    assert hears(call, leg(2)) == [fx.Speech("psst")]
    assert hears(call, CALL) == []
    change(call, leg(2), AnnounceUrl=BASE + "/nowhere")
    assert call.hooks("StatusCallbackEvent", "AnnounceUrl")[-1] == ("announcement-fail", BASE + "/nowhere")
    assert "11200" in call.hooks("ReasonAnnouncementFailed")[-1][0]


def test_a_recording_outlives_the_leg_that_began_it() -> None:
    call = meeting(
        "record='record-from-start' recordingStatusCallback='/rec' recordingStatusCallbackEvent='in-progress completed'"
    )
    (started,) = call.of(RecordRoom)
    assert (started.room, started.owner.sid, started.trim) == (
        conference(call).sid,
        conference(call).sid,
        True,
    )
    call.hangup(started.call_sid)
    assert call.of(fx.StopRecording) == []
    call.hangup(CALL)
    (stopped,) = call.of(fx.StopRecording)
    assert (stopped.call_sid, stopped.recording_sid) == (CALL, started.recording_sid)
    call.feed(
        ev.RecordingEnded(
            lane=Lane("conference", conference(call).sid),
            recording_sid=started.recording_sid,
            seconds=9.6,
            silent=False,
            size=99,
        )
    )
    record = call.recordings[started.recording_sid]
    assert isinstance(record, Recording)
    assert (record.status, record.duration, record.source, record.channels) == (
        "completed",
        10,
        "Conference",
        1,
    )
    assert (record.conference_sid, record.call_sid) == (conference(call).sid, None)
    rows = [
        row for row in call.hooks("RecordingStatus", "ConferenceSid", "RecordingSource", "CallSid") if row[0]
    ]
    sid = conference(call).sid
    assert rows == [("in-progress", sid, "Conference", ""), ("completed", sid, "Conference", "")]


def test_a_recording_whose_file_never_comes_is_given_up() -> None:
    call = meeting("record='true'")
    sid = conference(call).sid
    call.hangup(CALL)
    call.hangup(leg(2))
    (guard,) = [one for one in call.of(fx.StartTimer) if one.lane.sid == sid]
    call.feed(ev.TimerFired(lane=guard.lane, name=guard.name))
    assert [one.status for one in call.recordings.values()] == ["absent"]


def test_a_recording_that_a_crash_left_tells_of_its_conference() -> None:
    call = meeting("record='true' recordingStatusCallback='/rec'")
    (record,) = [replace(one) for one in call.recordings.values()]
    again = Driver()
    lost = ev.LostRecording(record, 3.2, 900)
    again.feed(ev.CallLost(call_sid=leg(2), call=replace(call.calls[leg(2)]), recordings=(lost,)))
    assert record.leg_sid == leg(2)
    assert again.hooks("RecordingStatus", "ConferenceSid", "RecordingDuration", "CallSid")[-1] == (
        "completed", record.conference_sid, "3", "",
    )  # fmt: skip


def test_a_bug_in_one_leg_leaves_the_conference_in_order() -> None:
    call = meeting()
    for effect in call.board.crashed(CALL, call.now, ValueError("bug")):
        call.effects.append(effect)
        call._perform(effect)
    room = call.board.conferences.room(conference(call).sid)
    assert room is not None
    assert list(room.seats) == [leg(2)]
    call.hangup(leg(2))
    assert (conference(call).status, call.board.conferences.live) == ("completed", 0)


def test_only_what_was_subscribed_is_told() -> None:
    text = "<Response><Dial><Conference statusCallback='/cb' statusCallbackEvent='start leave'>r</Conference></Dial></Response>"
    call = Driver({"/voice": text})
    for sid in (CALL, leg(2)):
        call.arrive(sid=sid)
        call.answered(sid)
    call.hangup()
    assert call.hooks("StatusCallbackEvent", "SequenceNumber") == [
        ("conference-start", "1"),
        ("participant-leave", "2"),
    ]
    assert {one.key for one in call.of(fx.SendWebhook)} == {conference(call).sid}
