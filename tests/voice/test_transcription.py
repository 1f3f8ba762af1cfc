"""Which recordings are written down, and what the callback is told (twiml.md §4)."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from driver import ACCOUNT, BASE, CALL, Driver, write

from ringback import effects as fx
from ringback import events as ev
from ringback.effects.transcription import Transcribe
from ringback.events.transcription import TranscriptionEnded
from ringback.kernel.errors import Refused
from ringback.kernel.lane import Lane
from ringback.resources.api.alert import Alert
from ringback.resources.api.recording import Recording
from ringback.resources.api.transcription import Transcription
from ringback.runtime.stored import on
from ringback.voice.recording.transcription import CRASHES, DEADLINE, OVERDUE, TRANSITIONS, Transcripts


def recording(attributes: str = "transcribe='true' transcribeCallback='/told?box=7'") -> Driver:
    """A call whose caller is being recorded."""
    call = Driver(
        {"/voice": f"<Response><Record action='/after' {attributes}/></Response>", "/after": "<Response/>"}
    )
    call.arrive()
    call.answered()
    (leg,) = call.of(fx.RecordLeg)
    call.feed(ev.RecordingBegan(lane=Lane("call", CALL), recording_sid=leg.recording_sid))
    return call


def made(call: Driver) -> list[Transcription]:
    """The transcriptions that were saved."""
    return [one.record for one in call.of(fx.Save) if isinstance(one.record, Transcription)]


def codes(call: Driver) -> list[int | None]:
    return [one.error_code for one in call.alerts]


def longest(call: Driver) -> float:
    """Seconds of the timer that ends the recording."""
    seconds: float = [one.seconds for one in call.of(fx.StartTimer) if one.name == "record"][-1]
    return seconds


def fresh_sids() -> Any:
    numbers = count(1)
    return lambda prefix: f"{prefix}{next(numbers):032x}"


def test_it_begins_in_the_commit_that_completes_the_recording() -> None:
    call = recording()
    leg = call.of(fx.RecordLeg)[0]
    assert leg.transcribe
    before = len(call.effects)
    call.recorded(12.4)
    commit = call.effects[before:]
    (record,) = made(call)
    assert record in [one.record for one in commit if isinstance(one, fx.Save)]
    assert (record.status, record.duration, record.recording_sid) == ("in-progress", 12, leg.recording_sid)
    assert (record.account_sid, record.type, record.transcription_text) == (ACCOUNT, "fast", "")
    assert fx.SetDeadline(lane=Lane("transcription", record.sid), name=DEADLINE, at=OVERDUE) in commit
    assert Transcribe(transcription_sid=record.sid) in commit
    assert codes(call) == []


@pytest.mark.parametrize(
    ("seconds", "begins"), [(2.0, False), (2.01, True), (119.99, True), (120.0, False), (0.0, False)]
)
def test_lengths(seconds: float, begins: bool) -> None:
    call = recording("transcribe='true' maxLength='120'")
    call.recorded(seconds)
    assert len(made(call)) == begins
    assert bool(call.of(Transcribe)) is begins
    assert (13617 in codes(call)) is not begins


@pytest.mark.parametrize(
    ("attributes", "seconds", "transcribe", "warned"),
    [
        ("transcribe='true'", 120, True, []),
        ("transcribe='true' maxLength='60'", 60, True, []),
        ("transcribe='true' maxLength='120'", 120, True, []),
        ("transcribe='true' maxLength='121'", 121, False, [13615]),
        ("transcribe='true' maxLength='1'", 120, True, [13612]),
        ("transcribe='perhaps'", 3600, False, [13614]),
        ("transcribeCallback='/told'", 3600, False, []),
        ("", 3600, False, []),
    ],
)
def test_limits(attributes: str, seconds: int, transcribe: bool, warned: list[int]) -> None:
    call = recording(attributes)
    assert longest(call) == seconds
    call.recorded(10.0)
    assert bool(made(call)) is transcribe
    assert codes(call) == warned


def test_a_bad_callback_is_warned_of_and_the_text_is_still_made() -> None:
    call = recording("transcribe='true' transcribeCallback='ftp://nowhere'")
    assert codes(call) == [13257]
    call.recorded()
    assert made(call)[0].plan["callback"] is None


def test_a_caller_who_hangs_up_while_speaking_is_written_down() -> None:
    call = recording()
    call.hangup()
    assert made(call) == []
    call.recorded(5.0)
    assert [one.status for one in made(call)] == ["in-progress"]


def finished(call: Driver, **event: Any) -> list[fx.Effect]:
    """The effects of the end of the call's only transcription, with what is stored now."""
    (record,) = made(call)
    given: dict[str, Any] = {
        "recording": call.recordings[record.recording_sid],
        "call": call.calls[CALL],
        **event,
    }
    stored = given.pop("transcription", record)
    ended = TranscriptionEnded(transcription_sid=record.sid, **given)
    return on(Transcription)(Transcripts(fresh_sids()).step).handle(stored, ended, call.now + 3)[1]


def saved(effects: list[fx.Effect], kind: type[Any]) -> list[Any]:
    return [one.record for one in effects if isinstance(one, fx.Save) and isinstance(one.record, kind)]


def test_the_callback_has_exactly_the_facts_of_the_sheet() -> None:
    call = recording()
    call.calls[CALL].forwarded_from = None
    call.recorded(5.0)
    effects = finished(call, text="Please call me back.")
    (record,) = saved(effects, Transcription)
    assert (record.status, record.transcription_text, record.date_updated) == (
        "completed", "Please call me back.", call.now + 3,
    )  # fmt: skip
    assert fx.ClearDeadline(lane=Lane("transcription", record.sid), name=DEADLINE) in effects
    (hook,) = [one for one in effects if isinstance(one, fx.SendWebhook)]
    recording_url = (
        f"http://ringback.test/api/2010-04-01/Accounts/{ACCOUNT}/Recordings/{record.recording_sid}"
    )
    assert dict(hook.params) == {
        "TranscriptionSid": record.sid,
        "TranscriptionText": "Please call me back.",
        "TranscriptionStatus": "completed",
        "TranscriptionUrl": f"{recording_url}/Transcriptions/{record.sid}",
        "RecordingSid": record.recording_sid,
        "RecordingUrl": recording_url,
        "CallSid": CALL,
        "AccountSid": ACCOUNT,
        "From": "+15551230001",
        "To": "+15550100123",
        "Caller": "+15551230001",
        "Called": "+15550100123",
        "CallStatus": call.calls[CALL].status,
        "ApiVersion": "2010-04-01",
        "Direction": "inbound",
    }
    assert len(hook.params) == 15
    assert (hook.url, hook.method, hook.key, hook.token) == (BASE + "/told?box=7", "POST", CALL, record.sid)


def test_forwarded_from_is_told_when_it_is_known() -> None:
    call = Driver({"/voice": "<Response><Record transcribe='true' transcribeCallback='/told'/></Response>"})
    call.feed(
        ev.CallArrived(
            call_sid=CALL, carrier="simulated", from_="+15551230001", to="+15550100123",
            forwarded_from="+15559990000", routing=ev.VoiceRouting(account_sid=ACCOUNT, voice_url=BASE + "/voice"),
        )
    )  # fmt: skip
    call.answered()
    call.recorded(5.0)
    (hook,) = [one for one in finished(call) if isinstance(one, fx.SendWebhook)]
    said = dict(hook.params)
    assert said["ForwardedFrom"] == "+15559990000"
    assert (said["Caller"], said["Called"]) == (said["From"], said["To"]) == ("+15551230001", "+15550100123")


def test_nobody_is_told_without_a_callback_and_the_record_is_kept() -> None:
    call = recording("transcribe='true'")
    call.recorded(5.0)
    effects = finished(call, text="Hello.")
    assert saved(effects, Transcription)[0].status == "completed"
    assert not [one for one in effects if isinstance(one, fx.SendWebhook)]


@pytest.mark.parametrize("deleted", [True, False])
def test_what_fails_is_told_too_and_explained(deleted: bool) -> None:
    call = recording()
    call.recorded(5.0)
    (record,) = made(call)
    gone = replace(call.recordings[record.recording_sid], status="deleted", deleted_at=call.now)
    event = {"recording": gone, "text": "secret"} if deleted else {"problem": "no engine"}
    effects = finished(call, **event)
    (after,) = saved(effects, Transcription)
    assert (after.status, after.transcription_text) == ("failed", "")
    (hook,) = [one for one in effects if isinstance(one, fx.SendWebhook)]
    assert dict(hook.params)["TranscriptionStatus"] == "failed"
    assert dict(hook.params)["TranscriptionText"] == ""
    (entry,) = saved(effects, Alert)
    assert (entry.error_code, entry.call_sid, entry.resource_sid) == (13620, CALL, record.sid)
    assert ("deleted" if deleted else "no engine") in entry.message_text


def test_it_ends_once() -> None:
    call = recording()
    call.recorded(5.0)
    (after,) = saved(finished(call, text="One."), Transcription)
    for late in (after, None):
        effects = finished(call, text="Two.", transcription=late)
        assert effects == [fx.ClearDeadline(lane=Lane("transcription", made(call)[0].sid), name=DEADLINE)]


def test_a_recording_may_cost_three_processes() -> None:
    call = recording()
    call.recorded(5.0)
    (record,) = made(call)
    for tries in range(1, CRASHES):
        effects = finished(call, transcription=record, crashed=True, problem="status -9")
        (record,) = saved(effects, Transcription)
        assert (record.status, record.crashes) == ("in-progress", tries)
        assert effects[1:] == [Transcribe(transcription_sid=record.sid)]
    effects = finished(call, transcription=record, crashed=True, problem="status -9")
    assert saved(effects, Transcription)[0].status == "failed"
    assert "3 worker processes died of it; the last: status -9" in saved(effects, Alert)[0].message_text
    assert [one for one in effects if isinstance(one, fx.SendWebhook)]


def test_what_the_crash_of_the_server_interrupted_is_begun_again() -> None:
    transcripts = Transcripts(fresh_sids())
    due = ev.DeadlineReached(lane=Lane("transcription", "TR" + "1" * 32), name=DEADLINE)
    assert transcripts.step(None, due, 5.0) == (None, [Transcribe(transcription_sid=due.lane.sid)])
    call = recording()
    (stored,) = call.recordings.values()
    lost = ev.CallLost(
        call_sid=CALL,
        call=replace(call.calls[CALL]),
        recordings=(ev.LostRecording(replace(stored), 7.2, 115_244),),
    )
    effects = transcripts.rescued(Driver().board.handle)(lost, call.now + 60)
    (after,) = saved(list(effects), Recording)
    (begun,) = saved(list(effects), Transcription)
    assert (after.status, begun.recording_sid, begun.duration) == ("completed", stored.sid, 7)
    assert Transcribe(transcription_sid=begun.sid) in effects


def test_removal() -> None:
    call = recording()
    call.recorded(5.0)
    (record,) = made(call)
    stored = on(Transcription)(Transcripts(fresh_sids()).step)
    request = write("Transcription", "delete", record.sid, Lane("transcription", record.sid))
    with pytest.raises(Refused) as refused:
        stored.handle(record, request, call.now)
    assert refused.value.code == 20009
    settled = replace(record, status="completed")
    assert stored.handle(settled, request, call.now) == (None, [fx.Delete(settled)])
    assert stored.handle(None, request, call.now) == (None, [])


def test_the_table_of_transitions_has_every_status() -> None:
    assert set(TRANSITIONS.values()) == {"completed", "failed"}
    assert {status for status, _ in TRANSITIONS} == {"in-progress"}
