"""Every PlayAudio is answered exactly once, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ringback.edges.media import protocol as media
from ringback.edges.prompts import Prompts
from ringback.edges.sounds.fetch import SoundError
from ringback.edges.speech.client import SpeechError
from ringback.effects import AudioItem, Keys, PlayAudio, Silence, Sound, Speech, Tone
from ringback.events import Event, PlaybackEnded


class Rig:
    """A voice, a store of sounds and a player, all played by the test."""

    def __init__(self) -> None:
        self.posted: list[Event] = []
        self.did: list[Any] = []
        self.gate = asyncio.Event()
        """Closed: the second sentence and every sound wait."""
        self.speech_error: Exception | None = None
        self.sound_error: Exception | None = None
        self.closed_generators = 0
        self.accounts: list[str] = []
        self.prompts = Prompts(voices=self, sounds=self, player=self, post=self.posted.append)

    async def say(
        self, text: str, voice: str, language: str, *, ssml: bool, account: str
    ) -> AsyncIterator[Any]:
        self.accounts.append(account)
        try:
            for at, word in enumerate(text.split()):
                if at:
                    await self.gate.wait()
                    if self.speech_error is not None:
                        raise self.speech_error
                yield 0.5 if word == "(pause)" else Path(word)
        finally:
            self.closed_generators += 1

    async def fetch(self, url: str, account: str) -> Path:
        self.accounts.append(account)
        await self.gate.wait()
        if self.sound_error is not None:
            raise self.sound_error
        return Path("sound")

    def play(self, leg: str, playback: str, items: list[Any], loop: int = 1, *, last: bool = True) -> None:
        self.did.append(("play", playback, items, loop, last))

    def enqueue(self, leg: str, playback: str, items: list[Any], *, last: bool) -> None:
        self.did.append(("enqueue", playback, items, last))

    def stop_playback(self, leg: str, playback: str) -> None:
        self.did.append(("stop", playback))

    def begin(self, *items: AudioItem, loop: int = 1, playback: str = "P") -> None:
        self.prompts.play(
            PlayAudio(call_sid="CA1", playback=playback, items=items, loop=loop, account_sid="AC1")
        )

    def over(self, completed: bool = True, error: str | None = None, playback: str = "P") -> None:
        self.prompts.ended("CA1", playback, 1.5, completed, error)

    @property
    def answers(self) -> list[tuple[str, bool, int | None]]:
        found = [one for one in self.posted if isinstance(one, PlaybackEnded)]
        return [(one.playback, one.completed, one.error_code) for one in found]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Fails when a test leaves a task behind, or an exception that nobody looked at."""
    loop = asyncio.get_running_loop()
    troubles: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: troubles.append(context))
    yield Rig()
    await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert troubles == []


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def file(name: str) -> media.AudioFile:
    return media.AudioFile(path=name)


async def test_what_needs_no_rendering_plays_at_once(rig: Rig) -> None:
    rig.begin(Tone("beep"), Silence(2.0), Keys("1#"), loop=3)
    items = [media.Tone(name="beep"), media.Silence(seconds=2.0), media.Digits(digits="1#")]
    assert rig.did == [("play", "P", items, 3, True)]
    rig.over()
    rig.over()
    assert rig.answers == [("P", True, None)]


async def test_the_first_sentence_plays_while_the_second_is_rendered(rig: Rig) -> None:
    rig.begin(Speech("one (pause)"), Sound("http://x/"))
    await settle()
    assert rig.did == [("play", "P", [file("one")], 1, False)]
    rig.gate.set()
    await settle()
    assert rig.did[1:] == [
        ("enqueue", "P", [media.Silence(seconds=0.5)], False),
        ("enqueue", "P", [file("sound")], False),
        ("enqueue", "P", [], True),
    ]
    rig.over()
    assert rig.answers == [("P", True, None)]


@pytest.mark.parametrize("loop", [0, 2])
async def test_a_loop_waits_for_all_of_it(rig: Rig, loop: int) -> None:
    rig.begin(Speech("one two"), loop=loop)
    await settle()
    assert rig.did == []
    rig.gate.set()
    await settle()
    assert rig.did == [("play", "P", [file("one"), file("two")], loop, True)]
    rig.over()


async def test_speech_without_a_sound_ends_through_the_player(rig: Rig) -> None:
    rig.begin(Speech(""))
    await settle()
    assert rig.did == [("play", "P", [], 1, True)]
    rig.over()
    assert rig.answers == [("P", True, None)]


async def test_stopped_while_rendering_before_anything_is_heard(rig: Rig) -> None:
    rig.begin(Sound("http://x/"))
    await settle()
    rig.prompts.stop("CA1", "P")
    rig.prompts.stop("CA1", "P")
    rig.gate.set()
    await settle()
    assert rig.did == []
    assert rig.answers == [("P", False, None)]


async def test_stopped_before_the_rendering_has_begun(rig: Rig) -> None:
    rig.begin(Speech("one two"))
    rig.prompts.stop("CA1", "P")
    await settle()
    assert rig.did == []
    assert rig.answers == [("P", False, None)]


async def test_stopped_while_it_plays_and_renders(rig: Rig) -> None:
    rig.begin(Speech("one two"))
    await settle()
    rig.prompts.stop("CA1", "P")
    await settle()
    assert rig.did[1:] == [("stop", "P")]
    assert rig.answers == []
    rig.over(completed=False)
    assert rig.answers == [("P", False, None)]
    assert rig.closed_generators == 1


async def test_stop_after_a_failure_answers_no_second_time(rig: Rig) -> None:
    rig.sound_error = SoundError(11200, "404")
    rig.gate.set()
    rig.begin(Sound("http://x/"))
    while not rig.answers:
        await asyncio.sleep(0)
    rig.prompts.stop("CA1", "P")
    assert rig.answers == [("P", False, 11200)]


async def test_speech_that_fails_after_its_first_sentence(rig: Rig) -> None:
    rig.speech_error = SpeechError("gone")
    rig.begin(Speech("one two"))
    rig.gate.set()
    await settle()
    assert rig.did[1:] == [("stop", "P")]
    rig.over(completed=False)  # the player's report of that stop
    assert rig.answers == [("P", False, 12400)]


async def test_an_error_of_the_player_ends_the_rendering(rig: Rig) -> None:
    rig.begin(Speech("one two"))
    await settle()
    rig.over(completed=False, error="no such file")
    rig.speech_error = SpeechError("gone")
    rig.gate.set()
    await settle()
    assert rig.answers == [("P", False, 12400)]
    assert len(rig.did) == 1


async def test_a_defect_is_logged_and_answered(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.sound_error = RuntimeError("oops")
    rig.gate.set()
    rig.begin(Sound("http://x/"))
    await settle()
    assert rig.answers == [("P", False, 12400)]
    assert "oops" in caplog.text


async def test_a_new_playback_ends_one_that_is_still_rendered(rig: Rig) -> None:
    rig.begin(Sound("http://x/"))
    await settle()
    rig.begin(Tone("beep"), playback="Q")
    rig.gate.set()
    await settle()
    assert [one[:2] for one in rig.did] == [("play", "Q")]
    rig.over(playback="Q")
    assert rig.answers == [("P", False, None), ("Q", True, None)]


@pytest.mark.parametrize("items", [(Speech("one two"),), (Sound("http://x/"),), (Tone("beep"),)])
async def test_nothing_is_owed_to_a_leg_that_is_over(rig: Rig, items: tuple[AudioItem, ...]) -> None:
    rig.begin(*items)
    await settle()
    rig.prompts.close("CA1")
    rig.prompts.close("CA1")
    rig.speech_error, rig.sound_error = SpeechError("late"), SoundError(11200, "late")
    rig.gate.set()
    await settle()
    rig.over()
    rig.prompts.stop("CA1", "P")
    assert rig.answers == []
    assert rig.prompts._legs == {}


async def test_speech_and_sounds_are_for_the_call_s_account(rig: Rig) -> None:
    """Whose turn it is."""
    rig.gate.set()
    rig.begin(Speech("hello"), Sound("http://h/a.wav"))
    async with asyncio.timeout(5):
        while len(rig.accounts) < 2:
            await asyncio.sleep(0)
    assert rig.accounts == ["AC1", "AC1"]
