"""From what a document wants to be heard to what a media worker can play.

Speech becomes a µ-law file a sentence (rendered once, kept in the cache), a URL becomes a µ-law file; tones,
silences and keys go as they are. Playing starts as soon as the first item is ready.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ringback.edges.media import protocol as media
from ringback.edges.sounds.fetch import SoundError
from ringback.edges.speech.client import SpeechError
from ringback.effects import AudioItem, Keys, PlayAudio, Silence, Sound, Speech, Tone
from ringback.events import Event, PlaybackEnded

log = logging.getLogger("ringback.prompts")


class Voices(Protocol):
    """Text to speech (edges/speech)."""

    def say(self, text: str, voice: str, language: str, *, ssml: bool, account: str) -> AsyncIterator[Any]:
        """Give paths of µ-law files and silences, sentence by sentence; raises ``SpeechError``."""


class Sounds(Protocol):
    """Sounds from URLs (edges/sounds)."""

    async def fetch(self, url: str, account: str) -> Path:
        """A µ-law file; raises ``SoundError`` with a code of errors.md."""


class Player(Protocol):
    """The part of the media pool that plays (edges/media/client.py)."""

    def play(self, leg: str, playback: str, items: list[Any], loop: int = 1, *, last: bool = True) -> None:
        """Start a playback."""

    def enqueue(self, leg: str, playback: str, items: list[Any], *, last: bool) -> None:
        """Append to an open one."""

    def stop_playback(self, leg: str, playback: str) -> None:
        """Stop it."""


class Unplayable(Exception):
    """Something that cannot be heard; ``code`` is a number of errors.md."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True, eq=False)
class _Owed:
    """A PlayAudio that has not been answered yet."""

    task: asyncio.Task[None] | None = None
    """Renders it; None when nothing needs rendering."""
    started: bool = False
    """The player has it: the answer comes from there."""


class Prompts:
    """Renders and plays; sees to it that every PlayAudio is answered exactly once.

    The answer is owed from `play` until whichever comes first: the player's report, a stop before the player
    had it, something unplayable, or the end of the leg (then no answer is owed any more).
    """

    def __init__(
        self, *, voices: Voices, sounds: Sounds, player: Player, post: Callable[[Event], None]
    ) -> None:
        self._voices = voices
        self._sounds = sounds
        self._player = player
        self._post = post
        self._legs: dict[str, dict[str, _Owed]] = {}

    def play(self, effect: PlayAudio) -> None:
        """Start a playback on a leg that has media; one of the leg that is still being rendered ends."""
        leg, playback = effect.call_sid, effect.playback
        for other, owed in list(self._legs.get(leg, {}).items()):
            # The player ends what plays when something new begins; what comes late must not play over it.
            if not owed.started:
                self.stop(leg, other)
        owed = self._legs.setdefault(leg, {})[playback] = _Owed()
        ready = _immediate(effect.items)
        if ready is not None:
            owed.started = True
            self._player.play(leg, playback, ready, effect.loop)
            return
        owed.task = asyncio.get_running_loop().create_task(self._render(effect, owed))

    def stop(self, leg: str, playback: str) -> None:
        """Stop a playback, rendered or not; without effect when it has been answered."""
        owed = self._legs.get(leg, {}).get(playback)
        if owed is None:
            return
        if owed.task is not None:
            owed.task.cancel()
        if owed.started:
            self._player.stop_playback(leg, playback)
        else:
            self._answer(leg, playback, owed)

    def ended(self, leg: str, playback: str, seconds: float, completed: bool, error: str | None) -> None:
        """A media worker reports the end of a playback."""
        owed = self._legs.get(leg, {}).get(playback)
        if owed is None:
            return
        if owed.task is not None:
            owed.task.cancel()  # nobody hears the rest
        self._answer(
            leg, playback, owed, seconds, completed and error is None, 12400 if error else None, error or ""
        )

    def close(self, leg: str) -> None:
        """The leg is over: nothing of it is played or rendered any more; no event is owed."""
        for owed in self._legs.pop(leg, {}).values():
            if owed.task is not None:
                owed.task.cancel()

    def _answer(
        self, leg: str, playback: str, owed: _Owed, seconds: float = 0.0, completed: bool = False,
        code: int | None = None, text: str = "",
    ) -> None:  # fmt: skip
        """Post the one answer, unless it has been given or the leg is over."""
        playbacks = self._legs.get(leg, {})
        if playbacks.get(playback) is not owed:
            return
        del playbacks[playback]
        if not playbacks:
            del self._legs[leg]
        self._post(
            PlaybackEnded(
                call_sid=leg, playback=playback, seconds=seconds, completed=completed, error_code=code,
                error_text=text,
            )
        )  # fmt: skip

    async def _render(self, effect: PlayAudio, owed: _Owed) -> None:
        try:
            await self._feed(effect, owed)
        except Unplayable as trouble:
            log.info("%s: %s", effect.call_sid, trouble)
            self._give_up(effect, owed, trouble.code, str(trouble))
        except Exception:
            # A defect of ours: the call must not wait for ever for an answer.
            log.exception("%s: a prompt could not be played", effect.call_sid)
            self._give_up(effect, owed, 12400, "internal error")

    def _give_up(self, effect: PlayAudio, owed: _Owed, code: int, text: str) -> None:
        if owed.started:
            self._player.stop_playback(effect.call_sid, effect.playback)
        self._answer(effect.call_sid, effect.playback, owed, code=code, text=text)

    async def _feed(self, effect: PlayAudio, owed: _Owed) -> None:
        """Hand the items to the player as they become ready."""
        leg, playback = effect.call_sid, effect.playback
        pending: list[Any] = []
        async with aclosing(self._rendered(effect.items, effect.account_sid)) as items:
            async for item in items:
                if effect.loop != 1:
                    # One pass can be heard while its end is still being rendered; a loop needs all of it.
                    pending.append(item)
                elif owed.started:
                    self._player.enqueue(leg, playback, [item], last=False)
                else:
                    owed.started = True
                    self._player.play(leg, playback, [item], 1, last=False)
        if owed.started:
            self._player.enqueue(leg, playback, [], last=True)
        else:
            owed.started = True
            self._player.play(leg, playback, pending, effect.loop)

    async def _rendered(self, items: Sequence[AudioItem], account: str) -> AsyncGenerator[Any, None]:
        for item in items:
            if isinstance(item, Speech):
                try:
                    said = self._voices.say(
                        item.text, item.voice, item.language, ssml=item.ssml, account=account
                    )
                    async for part in said:
                        yield part_of(part)
                except SpeechError as error:
                    raise Unplayable(12400, f"speech failed: {error}") from error
            elif isinstance(item, Sound):
                try:
                    path = await self._sounds.fetch(item.url, account)
                except SoundError as error:
                    raise Unplayable(error.code, str(error)) from error
                yield media.AudioFile(path=str(path))
            else:
                yield _plain(item)


def part_of(part: Any) -> Any:
    """A piece of speech (a path, or seconds of silence) as an item for the worker."""
    if isinstance(part, float | int):
        return media.Silence(seconds=float(part))
    return media.AudioFile(path=str(part))


def _immediate(items: Sequence[AudioItem]) -> list[Any] | None:
    """The items for the worker when none of them needs rendering."""
    ready: list[Any] = []
    for item in items:
        if isinstance(item, Speech | Sound):
            return None
        ready.append(_plain(item))
    return ready


def _plain(item: AudioItem) -> Any:
    if isinstance(item, Tone):
        return media.Tone(name=item.name)
    if isinstance(item, Silence):
        return media.Silence(seconds=item.seconds)
    assert isinstance(item, Keys)
    return media.Digits(digits=item.digits)
