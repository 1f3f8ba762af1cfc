"""Speech through its process: once with the real voice, else with a stand-in that obeys the text."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from ringback.edges.speech import client
from ringback.edges.speech.client import Speech, SpeechError
from ringback.media.g711 import decode
from ringback.media.wav import read
from ringback.sharing.seats import Seats

STAND_IN = """
import json, os, time
from ringback.processes.child import bodies, inherited, tell
link = inherited()
for body in bodies(link):
    job = json.loads(body)
    text = job["text"]
    answer = {"id": job["id"], "seconds": 0.1}
    if "die" in text:
        os._exit(3)
    if "hang" in text:
        time.sleep(60)
    if "refuse" in text:
        answer = {"id": job["id"], "error": "no such word"}
    elif job["path"]:
        open(job["path"], "wb").write(b"" if "mute" in text else b"\\x00" * 800)
    tell(link, b"rubbish" if "babble" in text else json.dumps(answer).encode())
"""


@pytest.fixture
async def speech(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Speech]:
    """Speech whose process is the stand-in."""
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    start: Callable[..., object] = asyncio.create_subprocess_exec

    async def instead(*command: str, **options: object) -> object:
        return await start(sys.executable, str(program), command[-1], **options)  # type: ignore[misc]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", instead)
    made = Speech(cache_dir=tmp_path / "cache", idle_seconds=0)
    yield made
    await made.close()
    assert not made.running


async def say(speech: Speech, text: str, *, ssml: bool = False, account: str = "A") -> list[Path | float]:
    return [part async for part in speech.say(text, "alice", "en-US", ssml=ssml, account=account)]


async def test_the_real_voice(tmp_path: Path) -> None:
    speech = Speech(cache_dir=tmp_path)
    try:
        path, pause, again = await say(speech, 'Thank you for calling.<break time="1s"/>Press 1.', ssml=True)
        assert isinstance(path, Path)
        assert isinstance(again, Path)
        assert pause == 1.0
        sound = decode(path.read_bytes(), "PCMU")
        assert 0.8 < len(sound) / 8000 < 3.0
        assert np.abs(sound[800:-800].astype(int)).max() > 3000
        assert 0.2 < again.stat().st_size / 8000 < 2.0
        wav = await speech.render_wav("Thank you for calling.")
        assert np.array_equal(read(wav.read_bytes())[:, 0], sound)
        assert speech.rendered == 2
    finally:
        await speech.close()


async def test_a_sentence_is_rendered_once_and_found_again(speech: Speech) -> None:
    first = await say(speech, "One. Two.")
    assert await say(speech, "Two. One.") == first[::-1]
    assert speech.rendered == 2


async def test_callers_share_a_rendering_and_one_may_leave(speech: Speech) -> None:
    leaving = asyncio.create_task(say(speech, "Hello."))
    staying = [asyncio.create_task(say(speech, "Hello.")) for _ in range(5)]
    await asyncio.sleep(0)
    leaving.cancel()
    found = await asyncio.gather(*staying)
    assert all(one == found[0] for one in found)
    assert speech.rendered == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_text_without_a_sound_gives_none(speech: Speech) -> None:
    assert len(await say(speech, "mute. loud.")) == 1
    assert await say(speech, "!!!") == []


async def test_a_refusal_is_that_sentence_alone(speech: Speech) -> None:
    with pytest.raises(SpeechError, match="no such word"):
        await say(speech, "Please refuse. Good.")
    assert len(await say(speech, "Good.")) == 1


@pytest.mark.parametrize("word", ["die", "babble"])
async def test_a_process_that_breaks_fails_its_work_and_another_starts(speech: Speech, word: str) -> None:
    with pytest.raises(SpeechError):
        await say(speech, f"Now {word}. And then this.")
    assert len(await say(speech, "Well again.")) == 1


async def test_a_killed_process_is_replaced(speech: Speech) -> None:
    await say(speech, "One.")
    waiting = asyncio.create_task(say(speech, "Now hang."))
    await asyncio.sleep(0.05)
    os.kill(speech._links[0].link.process.pid, signal.SIGKILL)
    with pytest.raises(SpeechError, match="status -9"):
        await waiting
    assert len(await say(speech, "Two.")) == 1


async def test_a_process_that_hangs_is_killed(speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    await say(speech, "One.")
    monkeypatch.setattr(client, "TIME_LIMIT", 0.2)
    with pytest.raises(SpeechError, match="no answer"):
        await say(speech, "Now hang.")
    monkeypatch.setattr(client, "TIME_LIMIT", 10)
    assert len(await say(speech, "Two.")) == 1


async def test_it_ends_when_idle_and_starts_again(speech: Speech) -> None:
    speech._idle = 0.05
    await say(speech, "One.")
    assert speech.running
    async with asyncio.timeout(5):
        while speech.running:
            await asyncio.sleep(0.01)
    assert len(await say(speech, "Two.")) == 1


async def test_too_much_that_waits_is_refused(speech: Speech) -> None:
    """Of one account: another one's sentence is spoken all the same."""
    speech._seats = Seats(1, longest=1)
    with pytest.raises(SpeechError, match="wait already"):
        await say(speech, "One. Two. Three.")
    assert len(await say(speech, "Four.", account="B")) == 1


async def test_a_flood_of_one_account_delays_another_by_one_sentence(speech: Speech) -> None:
    """Through one process: B is heard after the sentence under way, not after A's hundred."""
    flood = asyncio.create_task(say(speech, " ".join(f"Number {each}." for each in range(100)), account="A"))
    while not speech.rendered:
        await asyncio.sleep(0)
    before = speech.rendered
    assert len(await say(speech, "Good morning.", account="B")) == 1
    assert speech.rendered - before <= 3
    assert len(await flood) == 100


async def test_the_same_words_are_not_waited_for_in_the_other_s_line(speech: Speech) -> None:
    """B wants what A has at the end of its line."""
    flood = asyncio.create_task(say(speech, " ".join(f"Number {each}." for each in range(50)), account="A"))
    while not speech.rendered:
        await asyncio.sleep(0)
    before = speech.rendered
    await say(speech, "Number 49.", account="B")
    assert speech.rendered - before <= 3
    assert len(await flood) == 50
    assert speech.rendered == 50


async def test_the_second_process_is_for_another_account(speech: Speech, tmp_path: Path) -> None:
    """One account alone uses one of two; while its sentence hangs the other's is spoken."""
    two = Speech(cache_dir=tmp_path / "two", idle_seconds=0, workers=2)
    try:
        stuck = asyncio.create_task(say(two, "Now hang. And wait.", account="A"))
        assert len(await say(two, "One. Two.", account="B")) == 2
        assert two.figures()["speech_processes"] == 2
        assert two.figures()["speech_waiting"] == 1
    finally:
        await two.close()
    with pytest.raises(SpeechError):
        await stuck


async def test_closing_fails_what_waits(speech: Speech) -> None:
    waiting = asyncio.create_task(say(speech, "Now hang."))
    await asyncio.sleep(0.05)
    await speech.close()
    with pytest.raises(SpeechError):
        await waiting
    with pytest.raises(SpeechError, match="closed"):
        await say(speech, "More.")


async def test_a_process_that_cannot_start(speech: Speech, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> object:
        raise OSError("no more processes")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fail)
    with pytest.raises(SpeechError, match="no more processes"):
        await say(speech, "One.")


def test_the_least_used_leaves_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for at, name in enumerate(("old.ul", "new.ul", "used.ul")):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (at, at))
    os.utime(tmp_path / "used.ul", (0, 0))
    assert client._used(tmp_path / "used.ul")
    assert not client._used(tmp_path / "none.ul")
    monkeypatch.setattr(client, "CACHE_BYTES", 250)
    client._trim_cache(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.ul", "used.ul"]
