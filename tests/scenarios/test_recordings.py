"""Recordings by REST: start, pause, stop, fetch, delete, forget (voice-calls.md §9)."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.effects import Save
from ringback.media.wav import header
from ringback.resources.api.recording import Recording
from ringback.testing.world import World, world

DAY = 86_400


async def ask(ringback: World, method: str, resource: str, **fields: str) -> tuple[int, dict[str, Any]]:
    """Status and body, whatever they are."""
    url = f"{ringback.url}/2010-04-01/Accounts/{ringback.product.account_sid}/{resource}.json"
    auth = aiohttp.encode_basic_auth(ringback.product.account_sid, ringback.product.auth_token)
    async with (
        aiohttp.ClientSession(headers={"Authorization": auth}) as session,
        session.request(method, url, data=fields or None) as answer,
    ):
        return answer.status, (await answer.json() if answer.status != 204 else {})


@asynccontextmanager
async def conversation(ringback: World) -> AsyncIterator[str]:
    """The SID of a live call; time stands still in the block, and the call ends after it."""
    ringback.app("/voice", "<Response><Say>Welcome</Say><Pause length='600'/></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("welcome")
    with ringback.clock.hold():
        yield caller.sid
    await ringback.post(f"Calls/{caller.sid}", Status="completed")
    await caller.ends()
    await ringback.settled()


def seconds(data: bytes) -> float:
    """Length of a WAV file."""
    with wave.open(BytesIO(data)) as file:
        return file.getnframes() / file.getframerate()


async def test_states_and_refusals(ringback: World) -> None:
    async with conversation(ringback) as call:
        path = f"Calls/{call}/Recordings"
        status, made = await ask(ringback, "POST", path, RecordingChannels="dual")
        assert (status, made["status"], made["channels"]) == (201, "in-progress", 2)
        assert (made["source"], made["duration"], made["track"]) == ("StartCallRecordingAPI", None, "both")
        assert (await ask(ringback, "DELETE", f"{path}/{made['sid']}"))[1]["code"] == 20009
        assert (await ask(ringback, "DELETE", f"Calls/{call}"))[1]["code"] == 20009
        assert (await ask(ringback, "POST", f"{path}/Twilio.CURRENT"))[1]["code"] == 20001
        for wanted, expected in (
            ("paused", 200), ("paused", 16114), ("in-progress", 200), ("in-progress", 16114), ("stopped", 200),
        ):  # fmt: skip
            status, body = await ask(ringback, "POST", f"{path}/{made['sid']}", Status=wanted)
            assert (body["code"] if expected > 999 else status) == expected
            if expected == 200:
                assert body["status"] == wanted
    assert (await ask(ringback, "POST", path))[1]["code"] == 21220
    assert (await ask(ringback, "POST", f"{path}/Twilio.CURRENT", Status="paused"))[0] == 404


@pytest.fixture
async def unreconciled(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """Without the rounds of the reconciler, of which forty days have 57,600."""
    async with world(tmp_path, database_url=database_url, reconcile_every=0) as running:
        yield running


async def test_deleting_takes_the_audio_now_and_the_metadata_after_forty_days(unreconciled: World) -> None:
    ringback = unreconciled
    ringback.app("/voice", "<Response><Record action='/end' finishOnKey='#' playBeep='false'/></Response>")
    ringback.app("/end", "<Response/>")
    number = await ringback.number("+15550123", voice="/voice")
    caller = await ringback.call(number, script=[{"wait": 1}, {"say": "one two three"}, {"press": "#"}])
    await caller.ends()
    await ringback.settled()
    (action,) = ringback.requests("/end")
    sid, url = action["RecordingSid"], action["RecordingUrl"]
    assert seconds(await ringback.download(url)) > 0.5
    assert (await ringback.download(url + ".wav"))[:4] == b"RIFF"
    assert (await ringback.download(url + ".mp3"))[:3] == b"ID3"
    (listed,) = (await ringback.get("Recordings"))["recordings"]
    assert (await ringback.download(listed["media_url"]))[:4] == b"RIFF"

    assert (await ask(ringback, "DELETE", f"Recordings/{sid}")) == (204, {})
    assert (await ask(ringback, "DELETE", f"Recordings/{sid}"))[1]["code"] == 20404
    with pytest.raises(AssertionError, match="20404"):
        await ringback.download(url)
    assert list(ringback.product.recordings.iterdir()) == []
    assert (await ringback.get("Recordings"))["recordings"] == []
    store = ringback.product.store
    await ringback.advance(39 * DAY)
    kept = await store.get(Recording, sid)
    assert kept is not None
    assert kept.status == "deleted"
    await ringback.advance(2 * DAY)
    await ringback.lanes_empty()
    assert await store.get(Recording, sid) is None
    assert await store.deadlines() == []


async def test_nothing_to_encode_is_a_clean_error(ringback: World) -> None:
    record = Recording(sid="RE" + "1" * 32, account_sid=ringback.product.account_sid, status="completed")
    await ringback.product.store.commit([Save(record)])
    (ringback.product.recordings / f"{record.sid}.wav").write_bytes(header(1, 0))
    url = f"{ringback.url}/api/2010-04-01/Accounts/{record.account_sid}/Recordings/{record.sid}.mp3"
    with pytest.raises(AssertionError, match=r"404 .*20404"):
        await ringback.download(url)
    assert [one.name for one in ringback.product.recordings.iterdir()] == [f"{record.sid}.wav"]


async def test_a_whole_call_is_recorded_and_reported(ringback: World) -> None:
    ringback.app("/status", "")
    ringback.app("/recording", "")
    await ringback.number("+15550123", voice="/none")
    script = [{"expect": "hello"}, {"say": "good morning to you"}, {"wait": 1}, {"hangup": True}]
    await ringback.sim("PUT", "Numbers/+15557770001", {"after": 1, "script": script})
    call = await ringback.post(
        "Calls",
        To="+15557770001",
        From="+15550123",
        Twiml="<Response><Say>Hello</Say><Pause length='30'/></Response>",
        Record="true",
        RecordingChannels="dual",
        StatusCallback=ringback.app_url + "/status",
        RecordingStatusCallback=ringback.app_url + "/recording",
        RecordingStatusCallbackEvent="in-progress completed",
    )
    assert (await ringback.final(call["sid"]))["status"] == "completed"
    (last,) = ringback.requests("/status")
    began, ended = ringback.requests("/recording")
    assert (began["RecordingStatus"], ended["RecordingStatus"]) == ("in-progress", "completed")
    assert "RecordingDuration" not in began
    assert int(ended["RecordingDuration"]) >= 1
    for one in (began, ended):
        assert (one["RecordingSource"], one["RecordingChannels"]) == ("OutboundAPI", "2")
        assert (one["CallSid"], one["AccountSid"]) == (call["sid"], call["account_sid"])
    assert last["RecordingSid"] == ended["RecordingSid"]
    with wave.open(BytesIO(await ringback.download(last["RecordingUrl"]))) as file:
        assert file.getnchannels() == 2


async def test_pausing_with_skip_shortens_the_file(ringback: World) -> None:
    lengths = {}
    for behaviour in ("skip", "silence"):

        async def control(params: dict[str, str], behaviour: str = behaviour) -> str:
            path = f"Calls/{params['CallSid']}/Recordings"
            step = params["step"]
            if step == "start":
                await ringback.post(path, Trim="do-not-trim")
            elif step == "pause":
                await ringback.post(f"{path}/Twilio.CURRENT", Status="paused", PauseBehavior=behaviour)
            else:
                await ringback.post(f"{path}/Twilio.CURRENT", Status="in-progress")
            following = {"start": "pause", "pause": "resume"}.get(step)
            more = f"<Redirect>/control?step={following}</Redirect>" if following else ""
            return f"<Response><Pause length='4'/>{more}</Response>"

        ringback.app("/control", control)
        await ringback.post(
            "IncomingPhoneNumbers",
            PhoneNumber="+1555013" + ("1" if behaviour == "skip" else "2"),
            VoiceUrl=ringback.app_url + "/voice",
        )
        ringback.app("/voice", "<Response><Say>Hi</Say><Redirect>/control?step=start</Redirect></Response>")
        caller = await ringback.call("+1555013" + ("1" if behaviour == "skip" else "2"))
        await caller.ends()
        await ringback.settled()
        (made,) = (await ringback.get(f"Calls/{caller.sid}/Recordings"))["recordings"]
        url = f"{ringback.url}/api/2010-04-01/Accounts/{made['account_sid']}/Recordings/{made['sid']}"
        lengths[behaviour] = seconds(await ringback.download(url))
    assert lengths["skip"] == pytest.approx(8, abs=0.5)
    assert lengths["silence"] == pytest.approx(12, abs=0.5)


async def test_updates_of_a_call_that_is_over(ringback: World) -> None:
    ringback.app("/voice", "<Response><Say>Bye</Say></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.ends()
    await ringback.settled()
    path = f"Calls/{caller.sid}"
    for fields, expected in (
        ({"Status": "completed"}, 200),
        ({"Status": "canceled", "Url": "http://h/"}, 200),
        ({"Status": "nonsense"}, 20001),
        ({"Url": "http://h/"}, 21220),
        ({"Twiml": "<Response/>"}, 21220),
    ):
        status, body = await ask(ringback, "POST", path, **fields)
        assert body.get("code", status) == expected
    assert (await ask(ringback, "DELETE", path)) == (204, {})
    assert (await ask(ringback, "GET", path))[1]["code"] == 20404
    assert (await ask(ringback, "DELETE", path))[1]["code"] == 20404


async def test_the_answer_to_a_hang_up_says_that_the_call_is_over(ringback: World) -> None:
    ringback.app("/voice", "<Response><Say>Welcome</Say><Pause length='600'/></Response>")
    caller = await ringback.call(await ringback.number("+15550123", voice="/voice"))
    await caller.hears("welcome")
    with ringback.clock.hold():
        status, body = await ask(ringback, "POST", f"Calls/{caller.sid}", Status="canceled")
        assert (status, body["status"]) == (200, "in-progress")
        status, body = await ask(ringback, "POST", f"Calls/{caller.sid}", Status="completed")
        assert (status, body["status"]) == (200, "completed")
    await caller.ends()
