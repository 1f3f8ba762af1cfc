"""Recordings at the end of calls, after a crash and after a restart (voice-calls.md §9, §11)."""

from __future__ import annotations

from dataclasses import replace

from driver import BASE, CALL, Driver

from ringback import effects as fx
from ringback import events as ev
from ringback.resources.api.call import Call
from ringback.resources.api.recording import Recording

PAUSE = "<Response><Pause length='60'/></Response>"
HOOK = {"RecordingStatusCallback": BASE + "/rec", "RecordingStatusCallbackEvent": "completed absent"}


def saved(effects: list[fx.Effect], kind: type) -> list[str]:
    """The statuses that are written for records of a kind."""
    return [one.record.status for one in effects if isinstance(one, fx.Save) and isinstance(one.record, kind)]


def recorded_call(**params: str) -> Driver:
    call = Driver({"/voice": PAUSE})
    call.create(Record="true", StatusCallback=BASE + "/s", **HOOK, **params)
    call.dialled()
    return call


def test_the_last_callback_computes_the_length_and_the_recordings_own_one_tells_it() -> None:
    call = recorded_call(RecordingChannels="dual")
    call.now += 12
    call.hangup()
    assert call.hooks("CallStatus", "RecordingDuration") == [("completed", "12")]
    assert call.board.live == 1
    call.recorded(9.4)
    assert call.hooks("RecordingStatus", "RecordingDuration", "RecordingSource", "RecordingChannels")[1:] == [
        ("completed", "9", "OutboundAPI", "2")
    ]
    assert call.board.live == 0


def test_a_recording_that_was_stopped_before_has_its_true_length() -> None:
    call = recorded_call()
    call.recorded(3.0)
    call.now += 100
    call.hangup()
    assert call.hooks("CallStatus", "RecordingDuration")[1:] == [("completed", "3")]


def test_a_file_that_never_comes_is_given_up() -> None:
    call = recorded_call()
    call.hangup()
    call.fire("recording-guard")
    recording = next(iter(call.recordings.values()))
    assert (recording.status, recording.error_code) == ("absent", 16101)
    assert call.hooks("RecordingStatus", "ErrorCode")[1:] == [("absent", "16101")]
    assert call.board.live == 0


def test_silence_alone_is_absent() -> None:
    call = recorded_call()
    call.hangup()
    call.recorded(0.0, silent=True)
    assert call.hooks("RecordingStatus", "ErrorCode")[1:] == [("absent", "16102")]
    assert 16102 in call.codes()


def test_lost_calls_keep_the_audio_that_was_found() -> None:
    for seconds, status, code in ((7.6, "completed", ""), (0.0, "absent", "16101")):
        before = recorded_call()
        stored = next(iter(before.recordings.values()))
        after = Driver()
        lost = ev.LostRecording(recording=replace(stored), seconds=seconds, size=int(seconds * 16000))
        after.now = before.now + 60
        after.feed(ev.CallLost(call_sid=CALL, call=replace(before.calls[CALL]), recordings=(lost,)))
        kept = after.recordings[stored.sid]
        assert (kept.status, kept.duration) == (status, round(seconds))
        assert kept.error_code == (int(code) if code else None)
        assert after.status() == "completed"
        assert after.hooks("CallStatus", "RecordingStatus", "RecordingDuration", "ErrorCode")[-1] == (
            "", status, str(round(seconds)), code,
        )  # fmt: skip
        assert after.hooks("CallStatus")[0] == ("completed",)
        assert isinstance(after.effects[-1], fx.ReleaseCall)
        assert after.board.live == 0


def test_a_crash_leaves_the_recording_to_its_end() -> None:
    call = recorded_call()
    effects = call.board.crashed(CALL, call.now, ValueError("x"))
    assert not any(isinstance(one, fx.ReleaseCall) for one in effects)
    assert saved(effects, Call) == ["completed"]
    assert saved(effects, Recording) == []
    call.feed(ev.LegEnded(call_sid=CALL, by="local"))
    assert call.board.live == 1
    call.recorded(5.0)
    assert next(iter(call.recordings.values())).status == "completed"
    assert call.hooks("RecordingStatus") == [("completed",)]
    assert call.board.live == 0


def test_a_second_crash_gives_the_recording_up() -> None:
    call = recorded_call()
    call.board.crashed(CALL, call.now, ValueError("x"))
    effects = call.board.crashed(CALL, call.now, ValueError("y"))
    assert isinstance(effects[-1], fx.ReleaseCall)
    assert saved(effects, Recording) == ["absent"]
    assert [dict(one.params)["RecordingStatus"] for one in effects if isinstance(one, fx.SendWebhook)] == [
        "absent"
    ]
    assert call.board.live == 0
