"""The queue and its worker processes: once with the real engine on the real voice, else with a stand-in engine
that obeys what the "recording" says."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ringback.edges.speech.client import Speech
from ringback.edges.transcription import process
from ringback.edges.transcription.client import Heard, Transcriber
from ringback.edges.transcription.engine import DEFAULT
from ringback.media.wav import header
from ringback.settings import Settings

STAND_IN = """
import os, sys, time


class Obedient:
    name = "obedient"

    def __init__(self):
        with open(os.environ["STARTS"], "a") as file:
            file.write("x")

    def transcribe(self, path):
        text = path.read_text()
        if "die" in text:
            os._exit(3)
        if "hang" in text:
            time.sleep(60)
        if "babble" in text:
            os.write(int(sys.argv[1]), b"rubbish\\n")
        return text.upper()


class Broken:
    def __init__(self):
        raise RuntimeError("no model")
"""


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in engines can be imported by a worker; the file has a letter for every start of one."""
    (tmp_path / "stand_in_engine.py").write_text(STAND_IN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("STARTS", str(tmp_path / "starts"))
    return tmp_path / "starts"


@pytest.fixture
async def transcriber(starts: Path) -> AsyncIterator[Transcriber]:
    """One worker."""
    made = Transcriber(engine="stand_in_engine:Obedient", longest_queue=3, idle_seconds=0)
    yield made
    await made.close()
    assert made.processes == 0


class Box:
    """Recordings for the stand-in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def says(self, text: str) -> Path:
        """A file that says so."""
        self._count += 1
        path = self._folder / f"RE{self._count}.wav"
        path.write_text(text)
        return path


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def begun(starts: Path) -> int:
    """How many engines have been made."""
    return len(starts.read_text())


async def test_the_real_engine_writes_down_what_the_real_voice_says(tmp_path: Path) -> None:
    """Speech is rendered to a WAV file as a carrier would record it, and comes back as words."""
    assert Settings().transcription_engine == DEFAULT
    speech, transcriber = Speech(cache_dir=tmp_path), Transcriber(engine=DEFAULT)
    said = "Good morning, this is Maria. Please call me back tomorrow about my broken washing machine."
    try:
        wav = await speech.render_wav(said)
        silence = tmp_path / "silence.wav"
        silence.write_bytes(header(1, 48_000) + bytes(48_000))
        nothing = tmp_path / "nothing.wav"
        nothing.write_bytes(header(1, 0))
        junk = tmp_path / "junk.wav"
        junk.write_bytes(b"\x00" * 100)
        heard, quiet, empty, bad = await asyncio.gather(
            *(transcriber.transcribe(path) for path in (wav, silence, nothing, junk))
        )
    finally:
        await speech.close()
        await transcriber.close()
    words = re.findall(r"[a-z]+", heard.text.lower())
    wanted = re.findall(r"[a-z]+", said.lower())
    assert len(set(wanted) - set(words)) <= 1, heard
    assert abs(len(words) - len(wanted)) <= 1, heard
    assert (quiet, empty) == (Heard(), Heard())
    assert "BadWavError" in bad.problem
    assert not bad.crashed


async def test_one_after_the_other_through_one_process(
    transcriber: Transcriber, box: Box, starts: Path
) -> None:
    heard = await asyncio.gather(*(transcriber.transcribe(box.says(f"number {each}")) for each in range(3)))
    assert [one.text for one in heard] == ["NUMBER 0", "NUMBER 1", "NUMBER 2"]
    assert transcriber.processes == 1
    assert (await transcriber.transcribe(box.says("again"))).text == "AGAIN"
    assert begun(starts) == 1


async def test_a_recording_that_cannot_be_read_fails_alone(
    transcriber: Transcriber, box: Box, starts: Path
) -> None:
    missing = await transcriber.transcribe(Path("nowhere.wav"))
    assert (missing.text, missing.crashed) == ("", False)
    assert "FileNotFoundError" in missing.problem
    assert (await transcriber.transcribe(box.says("fine"))).text == "FINE"
    assert begun(starts) == 1


@pytest.mark.parametrize(("word", "why"), [("die", "status 3"), ("babble", "protocol")])
async def test_a_process_that_breaks_fails_its_recording_and_another_starts(
    transcriber: Transcriber, box: Box, starts: Path, word: str, why: str
) -> None:
    broken, next_one = await asyncio.gather(
        transcriber.transcribe(box.says(word)), transcriber.transcribe(box.says("and then this"))
    )
    assert broken.crashed
    assert why in broken.problem
    assert next_one == Heard(text="AND THEN THIS")
    assert begun(starts) == 2
    assert transcriber.figures()["transcription_crashes_total"] == 1


async def test_a_killed_process_is_replaced(transcriber: Transcriber, box: Box) -> None:
    await transcriber.transcribe(box.says("one"))
    waiting = asyncio.create_task(transcriber.transcribe(box.says("hang")))
    await asyncio.sleep(0.05)
    (worker,) = transcriber._processes
    os.kill(worker.link.process.pid, signal.SIGKILL)
    lost = await waiting
    assert lost == Heard(problem="the process ended with status -9", crashed=True)
    assert (await transcriber.transcribe(box.says("two"))).text == "TWO"


async def test_a_process_that_hangs_is_killed(
    transcriber: Transcriber, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await transcriber.transcribe(box.says("one"))
    monkeypatch.setattr(process, "TIME_LIMIT", 0.2)
    lost = await transcriber.transcribe(box.says("hang"))
    assert lost.crashed
    assert "silent" in lost.problem
    monkeypatch.setattr(process, "TIME_LIMIT", 10)
    assert (await transcriber.transcribe(box.says("two"))).text == "TWO"


async def test_the_queue_is_bounded(transcriber: Transcriber, box: Box) -> None:
    await transcriber.transcribe(box.says("the process is there"))
    waiting = [asyncio.create_task(transcriber.transcribe(box.says(f"number {each}"))) for each in range(5)]
    heard = await asyncio.gather(*waiting)
    assert [bool(one.problem) for one in heard] == [False, False, False, True, True]
    assert "3 wait already" in heard[-1].problem
    assert not heard[-1].crashed
    assert transcriber.waiting == 0


async def test_one_account_s_recordings_delay_another_s_by_one(transcriber: Transcriber, box: Box) -> None:
    """A's line is full, B's is not; and B's recording comes after the one under way."""
    await transcriber.transcribe(box.says("the process is there"))
    done: list[str] = []

    async def ask(account: str) -> None:
        heard = await transcriber.transcribe(box.says(account), account)
        done.append(heard.text or heard.problem)

    flood = [asyncio.create_task(ask("a")) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.gather(*flood, asyncio.create_task(ask("b")))
    assert done[0].startswith("recordings of this account")
    assert [one for one in done if len(one) == 1] in (["A", "B", "A", "A", "A"], ["A", "B", "A", "A"])


async def test_nobody_waits_for_a_place_that_was_given_up(transcriber: Transcriber, box: Box) -> None:
    leaving = [asyncio.create_task(transcriber.transcribe(box.says(f"number {each}"))) for each in range(3)]
    await asyncio.sleep(0)
    for one in leaving:
        one.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    assert (await transcriber.transcribe(box.says("next"))).text == "NEXT"


async def test_an_engine_that_does_not_load_is_told(starts: Path, box: Box) -> None:
    for engine, why in (("stand_in_engine:Broken", "no model"), ("no_such_engine:X", "No module")):
        transcriber = Transcriber(engine=engine)
        heard = await transcriber.transcribe(box.says("one"))
        assert why in heard.problem
        assert not heard.crashed
        assert transcriber.processes == 0
        await transcriber.close()


async def test_it_ends_when_idle_and_starts_again(starts: Path, box: Box) -> None:
    transcriber = Transcriber(engine="stand_in_engine:Obedient", idle_seconds=0.05)
    await transcriber.transcribe(box.says("one"))
    assert transcriber.processes == 1
    async with asyncio.timeout(10):
        while transcriber.processes or transcriber._runners:
            await asyncio.sleep(0.01)
    assert (await transcriber.transcribe(box.says("two"))).text == "TWO"
    assert begun(starts) == 2
    await transcriber.close()


async def test_closing_waits_for_a_process_that_is_ending(starts: Path, box: Box) -> None:
    """It was idle and stands still instead of ending: no process is left when `close` has returned."""
    transcriber = Transcriber(engine="stand_in_engine:Obedient", idle_seconds=0.01)
    await transcriber.transcribe(box.says("one"))
    (worker,) = transcriber._processes
    os.kill(worker.link.process.pid, signal.SIGSTOP)
    async with asyncio.timeout(10):
        while transcriber._runners:
            await asyncio.sleep(0.01)
    assert worker.link.process.returncode is None
    await transcriber.close()
    assert worker.link.process.returncode == -signal.SIGKILL
    assert transcriber.processes == 0


async def test_workers_share_the_queue(starts: Path, box: Box) -> None:
    transcriber = Transcriber(engine="stand_in_engine:Obedient", workers=2)
    heard = await asyncio.gather(*(transcriber.transcribe(box.says(f"number {each}")) for each in range(6)))
    assert [one.text for one in heard] == [f"NUMBER {each}" for each in range(6)]
    assert transcriber.processes == 2
    await transcriber.close()
    assert begun(starts) == 2


async def test_closing_fails_what_waits(transcriber: Transcriber, box: Box) -> None:
    await transcriber.transcribe(box.says("one"))
    waiting = [asyncio.create_task(transcriber.transcribe(box.says("hang"))) for _ in range(2)]
    await asyncio.sleep(0.05)
    await transcriber.close()
    assert [bool(one.problem) for one in await asyncio.gather(*waiting)] == [True, True]
    assert (await transcriber.transcribe(box.says("two"))).problem
