"""Speech for the rest of the product: sentences become files, in order, each as soon as it is ready."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ringback.edges.speech.normal import Break, Sentence, parts
from ringback.edges.speech.process import SpeechError, SpeechProcess
from ringback.media import RATE

__all__ = ["Speech", "SpeechError"]

log = logging.getLogger("ringback.speech")

ENGINE = "hibari-0.2.1"
"""Part of the cache's key: another voice makes other files."""
TIME_LIMIT = 30.0
"""Seconds for one sentence, the start of the process included."""
WAITING = 2000
"""Sentences that may wait; more are refused."""
CACHE_BYTES = 512 * 1024 * 1024


class Speech:
    """Renders through one worker process, which starts when it is needed and ends when it is idle."""

    def __init__(self, *, cache_dir: Path, idle_seconds: float = 600.0) -> None:
        """``idle_seconds``: the process ends after that long without work; 0: never."""
        self._cache = cache_dir
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._idle = idle_seconds
        self._link: SpeechProcess | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        self._waiting = 0
        self._shared: dict[Path, asyncio.Task[Path]] = {}
        self._warming: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._fresh = itertools.count(1)
        self.rendered = 0
        """Sentences rendered since the start (not those found in the cache)."""

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._link is not None and self._link.link.open

    def warm(self) -> None:
        """Start the process and load its voice, without waiting."""
        self._rest_later()
        if not self.running and self._warming is None and not self._closed:
            self._warming = asyncio.get_running_loop().create_task(self._warm())

    async def _warm(self) -> None:
        try:
            await self._ask("Ready.", "en-US", 1.0, "")
        except SpeechError as error:
            if not self._closed:
                log.error("speech does not start: %s", error)
        finally:
            self._warming = None

    async def say(self, text: str, voice: str, language: str, *, ssml: bool = False) -> AsyncIterator[Any]:
        """Give paths of µ-law files and seconds of silence, in order. All sentences are asked for at once.

        Raises :class:`SpeechError`. ``voice``: all names map to the one voice of a language (twiml.md §2).
        """
        wanted: list[asyncio.Future[Path] | float] = []
        for part in parts(text, language, ssml=ssml):
            if isinstance(part, Break):
                wanted.append(part.seconds)
            else:
                wanted.append(self._sentence(part))
        try:
            for one in wanted:
                # shield: another call may wait for the same sentence
                found = one if isinstance(one, float) else await asyncio.shield(one)
                if isinstance(found, float) or found.stat().st_size:  # the voice has no sound for some text
                    yield found
        finally:
            for one in wanted:
                if not isinstance(one, float):
                    one.add_done_callback(_look)

    async def render_wav(self, text: str) -> Path:
        """A whole text as one WAV file in the cache (what a simulated caller says)."""
        target = self._cache / f"{_digest('wav', text.encode('utf-8', 'replace').decode(), '')}.wav"
        if not _used(target):
            pieces: list[Path | float] = [part async for part in self.say(text, "", "en-US")]
            fresh = target.with_name(f"{target.stem}.{os.getpid()}.{next(self._fresh)}.new")
            await asyncio.to_thread(_join, pieces, fresh, target)
        return target

    async def close(self) -> None:
        """End the process; what waits fails with :class:`SpeechError`."""
        self._closed = True
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        async with self._starting:  # one that is just starting ends too
            link = self._link
        if link is not None:
            await link.end()
        left = [*self._shared.values(), *self._ending, *([self._warming] if self._warming else [])]
        await asyncio.gather(*left, return_exceptions=True)

    # --- one sentence ------------------------------------------------------------------------------------

    def _sentence(self, sentence: Sentence) -> asyncio.Future[Path]:
        path = self._cache / f"{_digest(sentence.text, sentence.language, str(sentence.speed))}.ul"
        loop = asyncio.get_running_loop()
        if _used(path):
            done: asyncio.Future[Path] = loop.create_future()
            done.set_result(path)
            return done
        task = self._shared.get(path)
        if task is None:
            task = loop.create_task(self._render(sentence, path))
            self._shared[path] = task
            task.add_done_callback(lambda done: self._rendered(path, done))
        return task

    def _rendered(self, path: Path, done: asyncio.Task[Path]) -> None:
        self._shared.pop(path, None)
        _look(done)

    async def _render(self, sentence: Sentence, path: Path) -> Path:
        await self._ask(sentence.text, sentence.language, sentence.speed, str(path))
        self.rendered += 1
        if self.rendered % 500 == 1:
            await asyncio.to_thread(_trim_cache, self._cache)
        return path

    async def _ask(self, text: str, language: str, speed: float, path: str) -> float:
        if self._waiting >= WAITING:
            raise SpeechError(f"{WAITING} sentences wait already")
        link: SpeechProcess | None = None
        self._waiting += 1
        try:
            async with asyncio.timeout(TIME_LIMIT):
                link = await self._started()
                return await link.ask({"text": text, "language": language, "speed": speed, "path": path})
        except TimeoutError:
            if link is not None:
                link.kill_if_stuck(TIME_LIMIT)
            raise SpeechError(f"no answer within {TIME_LIMIT:.0f} s") from None
        finally:
            self._waiting -= 1
            self._rest_later()

    # --- the process -------------------------------------------------------------------------------------

    async def _started(self) -> SpeechProcess:
        async with self._starting:
            if self._closed:
                raise SpeechError("speech is closed")
            if self._link is None or not self._link.link.open:
                self._link = await SpeechProcess.start()
                self._end_with(self._link.ended)
            return self._link

    def _end_with(self, task: asyncio.Task[None]) -> None:
        """Closing must not leave it unfinished."""
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _rest_later(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._idle > 0 and not self._closed:
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle, self._rest)

    def _rest(self) -> None:
        if self._waiting:
            self._rest_later()
        elif self._link is not None:
            self._end_with(asyncio.get_running_loop().create_task(self._link.end()))


def _used(path: Path) -> bool:
    """Whether a file is in the cache; notes that it was used (the modification time stays as it is)."""
    try:
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
    except FileNotFoundError:
        return False
    return True


def _join(pieces: list[Path | float], fresh: Path, target: Path) -> None:
    """Write µ-law files and silences as one WAV file, whole or not at all."""
    from ringback.media.g711 import decode  # numpy, only when it is needed
    from ringback.media.wav import header

    data = b"".join(
        b"\xff" * int(one * RATE) if isinstance(one, float) else one.read_bytes() for one in pieces
    )
    pcm = decode(data, "PCMU").astype("<i2").tobytes()
    fresh.write_bytes(header(1, len(pcm)) + pcm)
    fresh.replace(target)


def _trim_cache(cache: Path) -> None:
    """Keep the cache below its bound: what has not been used for longest goes first."""
    try:
        files = [(path.stat(), path) for path in cache.iterdir() if path.suffix in (".ul", ".wav")]
    except OSError as error:  # a file went away under us: next time
        log.warning("the speech cache could not be looked through: %s", error)
        return
    total = sum(stat.st_size for stat, _ in files)
    for stat, path in sorted(files, key=lambda pair: pair[0].st_atime):
        if total <= CACHE_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size


def _digest(*words: str) -> str:
    return hashlib.blake2b("\0".join((ENGINE, *words)).encode(), digest_size=20).hexdigest()


def _look(future: asyncio.Future[Path]) -> None:
    """Fetch an exception that nobody waited for any more."""
    if not future.cancelled():
        future.exception()
