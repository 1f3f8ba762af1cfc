"""POST Calls and POST Calls/{sid}: parameters, machine detection, SIP credentials (voice-calls.md §2, §7, §8)."""

from __future__ import annotations

from typing import Any

import pytest
from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.kernel.errors import Refused
from ringback.voice.call.creation import CREATE_PARAMETERS

SAY = "<Response><Say>hello</Say><Hangup/></Response>"
PAUSE = "<Response><Pause length='60'/></Response>"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"SipAuthUsername": "j" * 257, "SipAuthPassword": "p"}, 21221),
        ({"SipAuthUsername": 'j"', "SipAuthPassword": "p"}, 21222),
        ({"SipAuthUsername": "j", "SipAuthPassword": "p" * 257}, 21223),
        ({"SipAuthUsername": "j", "SipAuthPassword": "p\n"}, 21224),
        ({"SipAuthUsername": "j"}, 21225),
        ({"To": "sip:j@x.test?X-A=" + "a" * 1025}, 21227),
        ({"To": "sip:j@x.test?Route=r"}, 21228),
        ({"To": "sip:j@x.test?X-A=a%0AVia:b"}, 21229),
        ({"MachineDetection": "yes"}, 21234),
        ({"MachineDetection": "Enable", "MachineDetectionTimeout": "2"}, 21234),
        ({"MachineDetection": "Enable", "MachineDetectionSpeechThreshold": "6001"}, 21234),
        ({"MachineDetection": "Enable", "MachineDetectionSpeechEndThreshold": "499"}, 21234),
        ({"MachineDetection": "Enable", "MachineDetectionSilenceTimeout": "x"}, 21234),
        ({"AsyncAmdStatusCallbackMethod": "PUT"}, 21209),
        ({"RecordingStatusCallbackMethod": "PUT", "Record": "true"}, 21209),
        ({"TimeLimit": "0"}, 21208),
    ],
)
def test_refused(params: dict[str, str], code: int) -> None:
    call = Driver()
    with pytest.raises(Refused) as refused:
        call.create(**params)
    assert refused.value.code == code
    assert "Unable to" not in refused.value.message  # official clients put it there
    assert call.effects == []
    assert call.board.live == 0


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"RecordingTrack": "left", "Record": "true"}, 13622),
        ({"RecordingStatusCallback": "nowhere", "Record": "true"}, 13256),
        ({"RecordingStatusCallbackEvent": "begun", "Record": "true"}, 13621),
        ({"Trim": "yes", "Record": "true"}, 13699),
        ({"ClientNotificationUrl": "nowhere"}, 13806),
        ({"Twiml": SAY}, 32019),
        ({"AsyncAmd": "maybe"}, 21263),
        ({"statuscallback": BASE}, 20001),
        ({"Colour": "red"}, 20001),
    ],
)
def test_warned(params: dict[str, str], code: int) -> None:
    call = Driver({"/voice": SAY})
    assert call.create(**params).status == "queued"
    assert call.codes() == [code]


def test_every_documented_parameter_is_known() -> None:
    call = Driver({"/voice": SAY})
    good: dict[str, Any] = {"CallToken": "token", "CallReason": "because", "Byoc": "BY" + "0" * 32}
    call.create(**good)
    assert call.codes() == []
    assert len(CREATE_PARAMETERS) == 36  # the rows of the sheet's table


def test_a_flood_of_unknown_parameters_is_not_a_flood_of_entries() -> None:
    call = Driver({"/voice": SAY})
    call.create(**{f"Odd{number}": "x" for number in range(300)})
    assert call.codes() == [20001] * 20


def test_unknown_parameters_of_an_update() -> None:
    call = Driver({"/voice": PAUSE})
    call.create()
    call.dialled()
    assert call.update(Colour="red").status == "in-progress"
    assert call.codes() == [20001]


def test_url_wins_over_twiml_in_an_update() -> None:
    call = Driver({"/voice": PAUSE, "/new": SAY})
    call.create()
    call.dialled()
    call.update(Url=BASE + "/new", Twiml=PAUSE)
    assert call.codes() == [32019]
    assert call.asked("/new")


def test_time_limit_of_a_live_call() -> None:
    call = Driver({"/voice": PAUSE})
    call.create()
    call.dialled()
    call.now += 100
    call.update(TimeLimit="160")
    timer = [one for one in call.of(fx.StartTimer) if one.name == "time-limit"][-1]
    assert (timer.seconds, timer.pulls) == (60.0, False)
    call.update(TimeLimit="30")
    assert [one for one in call.of(fx.StartTimer) if one.name == "time-limit"][-1].seconds == 0.0
    call.fire("time-limit")
    assert 32015 in call.codes()
    assert len(call.of(fx.HangUpLeg)) == 1
    with pytest.raises(Refused) as refused:
        call.update(TimeLimit="none")
    assert refused.value.code == 21208


@pytest.mark.parametrize(("seconds", "minutes"), [(0, "0"), (1, "1"), (60, "1"), (61, "2"), (3599, "60")])
def test_duration_is_in_minutes_rounded_up(seconds: int, minutes: str) -> None:
    call = Driver({"/voice": PAUSE})
    call.create(StatusCallback=BASE + "/s")
    call.dialled()
    call.now += seconds
    call.hangup()
    assert call.hooks("CallDuration", "Duration") == [(str(seconds), minutes)]


def test_duration_only_when_completed() -> None:
    call = Driver()
    call.create(StatusCallback=BASE + "/s")
    call.dialled(answered=False)
    call.feed(ev.LegFailed(call_sid=CALL, sip_code=486))
    assert "Duration" not in dict(call.of(fx.SendWebhook)[0].params)


def test_detection_says_unknown_at_once() -> None:
    call = Driver({"/voice": SAY})
    call.create(MachineDetection="Enable", StatusCallback=BASE + "/s")
    assert call.codes() == [20001]
    call.dialled()
    facts = call.asked("/voice")[0]
    assert (facts["AnsweredBy"], facts["MachineDetectionDuration"]) == ("unknown", "0")
    call.hangup()
    assert call.hooks("CallStatus", "AnsweredBy") == [("completed", "unknown")]
    assert call.calls[CALL].answered_by == "unknown"


def test_asynchronous_detection_tells_its_callback() -> None:
    call = Driver({"/voice": SAY})
    call.create(MachineDetection="DetectMessageEnd", AsyncAmd="true", AsyncAmdStatusCallback=BASE + "/amd")
    call.dialled()
    assert "AnsweredBy" not in call.asked("/voice")[0]
    hook = call.of(fx.SendWebhook)[0]
    assert hook.url == BASE + "/amd"
    assert [name for name, _ in hook.params] == [
        "CallSid",
        "AccountSid",
        "AnsweredBy",
        "MachineDetectionDuration",
    ]


def test_asynchronous_detection_without_a_callback_is_warned_of() -> None:
    call = Driver({"/voice": SAY})
    call.create(MachineDetection="Enable", AsyncAmd="true")
    assert sorted(str(code) for code in call.codes()) == ["20001", "21262"]
    call.dialled()
    assert call.of(fx.SendWebhook) == []


def test_digits_switch_detection_off() -> None:
    call = Driver({"/voice": SAY})
    call.create(MachineDetection="Enable", SendDigits="1")
    call.dialled()
    assert "AnsweredBy" not in call.asked("/voice")[0]
    assert call.codes() == []
