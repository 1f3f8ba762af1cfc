"""Journey: a message is left, written down, and told to the application, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sqlite3
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ringback.edges.speech.client import Speech, SpeechError
from ringback.resources.api.transcription import Transcription
from ringback.testing.world import Caller, World, world

NUMBER = "+15550123"
WORDS = "Please call me back tomorrow about my broken washing machine"
TOLD = "/told?calledNumber=%2B15550123"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers are recorded as a tone: these tests are about words, and the voice takes seconds to load."""

    async def no_voice(self: Speech, text: str) -> Path:
        raise SpeechError("not needed")

    monkeypatch.setattr(Speech, "render_wav", no_voice)


async def ask(ringback: World, method: str, resource: str) -> tuple[int, dict[str, Any]]:
    """Status and body, whatever they are."""
    url = f"{ringback.url}/2010-04-01/Accounts/{ringback.product.account_sid}/{resource}.json"
    auth = aiohttp.encode_basic_auth(ringback.product.account_sid, ringback.product.auth_token)
    async with (
        aiohttp.ClientSession(headers={"Authorization": auth}) as session,
        session.request(method, url) as answer,
    ):
        return answer.status, (await answer.json() if answer.status != 204 else {})


async def begin(ringback: World, words: str = WORDS, attributes: str = "") -> Caller:
    """Somebody calls and leaves a message."""
    ringback.app("/told", "")
    ringback.app("/after", "<Response/>")
    ringback.app(
        "/voice",
        "<Response><Record action='/after' finishOnKey='#' transcribe='true' "
        f"transcribeCallback='{TOLD}' {attributes}/></Response>",
    )
    await ringback.number(NUMBER, voice="/voice")
    return await ringback.call(NUMBER, script=[{"expect": "beep"}, {"say": words}, {"press": "#"}])


async def leave(ringback: World, words: str = WORDS, attributes: str = "") -> Caller:
    """The same, and all that follows is over."""
    caller = await begin(ringback, words, attributes)
    await caller.ends()
    await ringback.settled()
    return caller


async def codes(ringback: World) -> list[str]:
    """Error codes in the debugger's log."""
    return [one["error_code"] for one in (await ringback.get("Notifications"))["notifications"]]


async def the_only_one(ringback: World) -> dict[str, Any]:
    """The transcription as the API shows it."""
    (found,) = (await ringback.get("Transcriptions"))["transcriptions"]
    shown: dict[str, Any] = found
    return shown


async def test_a_message_is_written_down_and_told(ringback: World) -> None:
    caller = await leave(ringback)
    (told,) = ringback.requests("/told")
    record = await the_only_one(ringback)
    account = ringback.product.account_sid
    assert told == {
        "calledNumber": NUMBER,
        "TranscriptionSid": record["sid"],
        "TranscriptionText": WORDS,
        "TranscriptionStatus": "completed",
        "TranscriptionUrl": f"{told['RecordingUrl']}/Transcriptions/{record['sid']}",
        "RecordingSid": record["recording_sid"],
        "RecordingUrl": ringback.requests("/after")[0]["RecordingUrl"],
        "CallSid": caller.sid,
        "AccountSid": account,
        "From": "+15551230001",
        "To": NUMBER,
        "Caller": "+15551230001",
        "Called": NUMBER,
        "CallStatus": told["CallStatus"],
        "ApiVersion": "2010-04-01",
        "Direction": "inbound",
    }
    assert told["CallStatus"] in ("in-progress", "completed")
    assert ringback.asked("/told")[0].method == "POST"
    assert set(record) == {
        "account_sid", "api_version", "date_created", "date_updated", "duration", "price", "price_unit",
        "recording_sid", "sid", "status", "transcription_text", "type", "uri",
    }  # fmt: skip
    assert (record["status"], record["transcription_text"], record["type"]) == ("completed", WORDS, "fast")
    assert re.fullmatch(r"\d", record["duration"])
    assert record["uri"] == f"/2010-04-01/Accounts/{account}/Transcriptions/{record['sid']}.json"
    recording = await ringback.get(f"Recordings/{record['recording_sid']}")
    assert recording["subresource_uris"]["transcriptions"].endswith("/Transcriptions.json")
    assert recording["duration"] == record["duration"]
    by_recording = await ringback.get(f"Recordings/{record['recording_sid']}/Transcriptions")
    assert [one["sid"] for one in by_recording["transcriptions"]] == [record["sid"]]
    assert await ringback.download(told["TranscriptionUrl"])
    assert await codes(ringback) == []
    assert await ringback.product.store.deadlines() == []
    assert not list((ringback.product.settings.data_dir / "spoken").iterdir())
    figures = await ringback.product.figures()
    assert figures["transcriptions_completed_total"] == 1
    assert figures["transcriptions_in_flight"] == figures["transcriptions_failed_total"] == 0


async def test_the_official_client_reads_and_removes_it(ringback: World) -> None:
    await leave(ringback)
    client = ringback.client

    def work() -> tuple[str, str, int, int]:
        (found,) = client.transcriptions.list()
        (same,) = client.recordings(found.recording_sid).transcriptions.list()
        text = client.recordings(found.recording_sid).transcriptions(same.sid).fetch().transcription_text
        assert client.transcriptions(found.sid).delete()
        return found.status, text, int(found.duration), len(client.transcriptions.list())

    status, text, seconds, left = await asyncio.to_thread(work)
    assert (status, text, left) == ("completed", WORDS, 0)
    assert seconds > 2


async def test_a_short_message_is_warned_of_and_nobody_is_told(ringback: World) -> None:
    await leave(ringback, "Hello")
    assert ringback.requests("/told") == []
    assert (await ringback.get("Transcriptions"))["transcriptions"] == []
    assert await codes(ringback) == ["13617"]


async def test_the_caller_who_hangs_up_is_written_down_too(ringback: World) -> None:
    ringback.app("/told", "")
    ringback.app("/again", "<Response><Record transcribe='true' transcribeCallback='/told'/></Response>")
    number = await ringback.number("+15550124", voice="/again")
    script = [{"expect": "beep"}, {"say": "I must leave now and will call you again"}, {"hangup": True}]
    caller = await ringback.call(number, script=script)
    await caller.ends()
    await ringback.settled()
    assert ringback.requests("/told")[-1]["TranscriptionText"] == "I must leave now and will call you again"
    assert ringback.requests("/told")[-1]["CallStatus"] == "completed"


@pytest.mark.parametrize(
    ("kind", "statuses", "stored"),
    [
        ("no_transcription", [], "in-progress"),
        ("failed_transcription", ["failed"], "failed"),
        ("duplicate_transcription", ["completed", "completed"], "completed"),
        ("late_transcription", ["completed"], "completed"),
    ],
)
async def test_faults(ringback: World, kind: str, statuses: list[str], stored: str) -> None:
    order = {"kind": kind, "match": {"From": "+15551230001"}, "seconds": 3600}
    await ringback.sim("POST", "Faults", order)
    caller = await begin(ringback)
    await caller.ends()
    ended = ringback.clock.now()
    await ringback.settled()
    told = ringback.requests("/told")
    assert [one["TranscriptionStatus"] for one in told] == statuses
    assert (await the_only_one(ringback))["status"] == stored
    assert len({one["TranscriptionSid"] for one in told}) == bool(told)
    tokens = {one.headers["i-twilio-idempotency-token"] for one in ringback.asked("/told")}
    assert len(tokens) == bool(told)
    late = (await ringback.product.figures())["transcription_lateness_seconds"]
    if kind == "late_transcription":
        assert 3590 < ringback.clock.now() - ended < 3700
        assert 3590 < late < 3700
    else:
        assert ringback.clock.now() - ended < 60
        assert late < 1
    assert await codes(ringback) == (["13620"] if kind == "failed_transcription" else [])
    assert (await ringback.sim("GET", "Faults"))["faults"] == []


async def test_a_recording_that_is_deleted_meanwhile_fails_and_tells_no_text(ringback: World) -> None:
    await ringback.sim("POST", "Faults", {"kind": "late_transcription", "seconds": 600})
    caller = await begin(ringback)
    await caller.ends()
    await ringback.lanes_empty()
    hold = ringback.clock.hold()
    record = await the_only_one(ringback)
    assert record["status"] == "in-progress"
    status, body = await ask(ringback, "DELETE", f"Transcriptions/{record['sid']}")
    assert (status, body["code"]) == (400, 20009)
    assert (await ask(ringback, "DELETE", f"Recordings/{record['recording_sid']}"))[0] == 204
    hold.release()
    await ringback.settled()
    (told,) = ringback.requests("/told")
    assert (told["TranscriptionStatus"], told["TranscriptionText"]) == ("failed", "")
    assert (await the_only_one(ringback))["status"] == "failed"
    assert (await ask(ringback, "DELETE", f"Transcriptions/{record['sid']}")) == (204, {})
    assert (await ask(ringback, "GET", f"Transcriptions/{record['sid']}"))[0] == 404
    path = f"Recordings/{record['recording_sid']}/Transcriptions/{record['sid']}"
    assert (await ask(ringback, "DELETE", path))[0] == 404


@pytest.mark.parametrize(
    "settings", [{"transcription": "off"}, {"transcription": "whisper", "transcription_workers": 0}]
)
async def test_off_fails_at_once_and_is_told(tmp_path: Path, settings: dict[str, Any]) -> None:
    async with world(tmp_path, **settings) as ringback:
        await leave(ringback)
        assert [one["TranscriptionStatus"] for one in ringback.requests("/told")] == ["failed"]
        assert await codes(ringback) == ["13620"]


# --- with worker processes --------------------------------------------------------------------------------

ENGINE = """
import os, time


class Clerk:
    name = "clerk"

    def transcribe(self, path):
        with open(os.environ["TRIES"], "a") as file:
            file.write("x")
        if os.path.exists(os.environ["TRIES"] + ".die"):
            os._exit(9)
        while os.path.exists(os.environ["TRIES"] + ".wait"):
            time.sleep(0.01)
        return "written down"
"""


class Clerk:
    """The stand-in engine, and how it behaves."""

    def __init__(self, folder: Path) -> None:
        self._tries = folder / "tries"

    def order(self, what: str, on: bool = True) -> None:
        """``die`` at every recording, or ``wait`` with its answer."""
        path = self._tries.with_name(f"tries.{what}")
        if on:
            path.touch()
        else:
            path.unlink()

    @property
    def tries(self) -> int:
        """Recordings begun."""
        return len(self._tries.read_text()) if self._tries.exists() else 0


SETTINGS = {"transcription": "whisper", "transcription_engine": "clerk_engine:Clerk"}


@pytest.fixture
def clerk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clerk:
    (tmp_path / "clerk_engine.py").write_text(ENGINE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("TRIES", str(tmp_path / "tries"))
    return Clerk(tmp_path)


async def test_three_crashes_of_the_worker_are_enough(tmp_path: Path, clerk: Clerk) -> None:
    clerk.order("die")
    async with world(tmp_path / "data", **SETTINGS) as ringback:
        await leave(ringback)
        assert [one["TranscriptionStatus"] for one in ringback.requests("/told")] == ["failed"]
        assert clerk.tries == 3
        assert await codes(ringback) == ["13620"]
        figures = await ringback.product.figures()
        assert figures["transcription_crashes_total"] == 3
        assert figures["transcriptions_failed_total"] == 1
        clerk.order("die", on=False)
        await ringback.call(NUMBER, script=[{"expect": "beep"}, {"say": WORDS}, {"press": "#"}])
        await ringback.settled()
        assert ringback.requests("/told")[-1]["TranscriptionText"] == "written down"


async def test_a_worker_that_is_killed_costs_a_try_and_no_callback(tmp_path: Path, clerk: Clerk) -> None:
    clerk.order("wait")
    async with world(tmp_path / "data", **SETTINGS) as ringback:
        caller = await begin(ringback)
        await caller.ends()
        while clerk.tries == 0:
            await asyncio.sleep(0.01)
        transcriber = ringback.product.transcriber
        assert transcriber is not None
        (worker,) = transcriber._processes
        clerk.order("wait", on=False)
        os.kill(worker.link.process.pid, signal.SIGKILL)
        await ringback.settled()
        told = [(one["TranscriptionStatus"], one["TranscriptionText"]) for one in ringback.requests("/told")]
        assert told == [("completed", "written down")]
        assert clerk.tries <= 2


def crash(running: Path, copy: Path) -> None:
    """What the death of the process right now would leave."""
    copy.mkdir()
    (copy / "credentials.json").write_bytes((running / "credentials.json").read_bytes())
    for folder in ("recordings", "spoken"):
        if (running / folder).exists():
            (copy / folder).mkdir()
            for file in (running / folder).iterdir():
                (copy / folder / file.name).write_bytes(file.read_bytes())
    source, target = sqlite3.connect(running / "ringback.db"), sqlite3.connect(copy / "ringback.db")
    source.backup(target)
    source.close()
    target.close()


async def test_what_was_not_finished_is_done_again_after_a_crash(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        await first.sim("POST", "Faults", {"kind": "no_transcription"})
        await leave(first)
        assert first.requests("/told") == []
        record = await the_only_one(first)
        assert record["status"] == "in-progress"
        crash(before, after)
        async with world(after) as second:
            await second.settled()
            (told,) = first.requests("/told")  # the application has outlived the server
            assert (told["TranscriptionSid"], told["TranscriptionText"]) == (record["sid"], WORDS)
            assert (await the_only_one(second))["status"] == "completed"
            assert await second.product.store.deadlines() == []


async def test_a_crash_before_the_callback_was_delivered_does_not_write_it_down_again(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        reached = asyncio.Event()

        async def told(params: dict[str, str]) -> str:
            if not reached.is_set():
                await asyncio.to_thread(crash, before, after)
                reached.set()
            return ""

        caller = await begin(first)
        first.app("/told", told)
        await caller.ends()
        await reached.wait()
        await first.settled()
        async with world(after, transcription="off") as second:  # were it begun again, it would fail
            await second.settled()
            answers = first.requests("/told")
            assert [one["TranscriptionStatus"] for one in answers] == ["completed", "completed"]
            assert len({one.headers["i-twilio-idempotency-token"] for one in first.asked("/told")}) == 1
            assert len(await second.product.store.find(Transcription)) == 1


async def test_a_full_queue_fails_at_once(tmp_path: Path, clerk: Clerk) -> None:
    """Three are begun again by a start whose queue has one place: none is lost, what has no place is told so."""
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        await first.sim("POST", "Faults", {"kind": "no_transcription", "count": 3})
        await leave(first)
        for _ in range(2):
            caller = await first.call(NUMBER, script=[{"expect": "beep"}, {"say": WORDS}, {"press": "#"}])
            await caller.ends()
        await first.settled()
        crash(before, after)
        clerk.order("wait")
        async with world(after, transcription_queue=1, **SETTINGS) as second:
            while len(first.requests("/told")) < 1:
                await asyncio.sleep(0.01)
            assert {one["TranscriptionStatus"] for one in first.requests("/told")} == {"failed"}
            clerk.order("wait", on=False)
            await second.settled()
            told = first.requests("/told")
            assert len({one["TranscriptionSid"] for one in told}) == len(told) == 3
            statuses = [one["TranscriptionStatus"] for one in told]
            assert 1 <= statuses.count("completed") <= 2
            assert await codes(second) == ["13620"] * statuses.count("failed")
