"""Speech for the rest of the product: sentences become files, in order, each as soon as it is ready.

A few processes speak, one sentence at a time each, shared fairly by account: a long text of one delays no other's.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from ringback.edges.speech.normal import Break, Sentence, parts
from ringback.edges.speech.process import SpeechError, SpeechProcess
from ringback.media import RATE
from ringback.sharing.seats import Full, Seats

__all__ = ["Speech", "SpeechError"]

log = logging.getLogger("ringback.speech")

ENGINE = "hibari-0.2.1"
"""Part of the cache's key: another voice makes other files."""
TIME_LIMIT = 30.0
"""Seconds for one sentence, the start of the process included."""
WAITING = 2000
"""Sentences of one account that may wait; more are refused."""
CACHE_BYTES = 512 * 1024 * 1024


class Speech:
    """Renders through worker processes, which start when they are needed and end when nobody speaks.

    One account alone never takes the last of them: with two, the second starts when two accounts speak at once.
    """

    def __init__(self, *, cache_dir: Path, idle_seconds: float = 600.0, workers: int = 1) -> None:
        """``idle_seconds``: the processes end after that long without work; 0: never."""
        self._cache = cache_dir
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._idle = idle_seconds
        self._links: dict[int, SpeechProcess] = {}
        """The process of each seat that has had one."""
        self._seats = Seats(workers, reserve=1, longest=WAITING)
        self._starting = [asyncio.Lock() for _ in range(workers)]
        self._closed = False
        self._waiting = 0
        self._shared: dict[tuple[str, Path], asyncio.Task[Path]] = {}
        """Account and file → the task: nobody waits in another account's line, even for the same words."""
        self._warming: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._fresh = itertools.count(1)
        self.rendered = 0
        """Sentences rendered since the start (not those found in the cache)."""

    @property
    def running(self) -> bool:
        """Whether a process is there."""
        return any(each.link.open for each in self._links.values())

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``."""
        return {
            "speech_waiting": float(self._seats.waiting),
            "speech_processes": float(sum(each.link.open for each in self._links.values())),
            "speech_sentences_total": float(self.rendered),
        }

    def warm(self) -> None:
        """Start the process and load its voice, without waiting."""
        self._rest_later()
        if not self.running and self._warming is None and not self._closed:
            self._warming = asyncio.get_running_loop().create_task(self._warm())

    async def _warm(self) -> None:
        try:
            await self._ask(Sentence("Ready.", "en-US"), None, "")
        except SpeechError as error:
            if not self._closed:
                log.error("speech does not start: %s", error)
        finally:
            self._warming = None

    async def say(
        self, text: str, voice: str, language: str, *, ssml: bool = False, account: str = ""
    ) -> AsyncIterator[Any]:
        """Give paths of µ-law files and seconds of silence, in order. All sentences are asked for at once.

        Raises :class:`SpeechError`. ``voice``: all names map to the one voice of a language (twiml.md §2).
        ``account``: for whom, empty for none of them.
        """
        wanted: list[asyncio.Future[Path] | float] = []
        for part in parts(text, language, ssml=ssml):
            if isinstance(part, Break):
                wanted.append(part.seconds)
            else:
                wanted.append(self._sentence(part, account))
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
        for lock in self._starting:
            async with lock:  # one that is just starting ends too
                pass
        await asyncio.gather(*(each.end() for each in self._links.values()))
        left = [*self._shared.values(), *self._ending, *([self._warming] if self._warming else [])]
        await asyncio.gather(*left, return_exceptions=True)

    # --- one sentence ------------------------------------------------------------------------------------

    def _sentence(self, sentence: Sentence, account: str) -> asyncio.Future[Path]:
        path = self._cache / f"{_digest(sentence.text, sentence.language, str(sentence.speed))}.ul"
        loop = asyncio.get_running_loop()
        if _used(path):
            done: asyncio.Future[Path] = loop.create_future()
            done.set_result(path)
            return done
        task = self._shared.get((account, path))
        if task is None:
            task = loop.create_task(self._render(sentence, path, account))
            self._shared[account, path] = task
            task.add_done_callback(lambda done: self._rendered(account, path, done))
        return task

    def _rendered(self, account: str, path: Path, done: asyncio.Task[Path]) -> None:
        self._shared.pop((account, path), None)
        _look(done)

    async def _render(self, sentence: Sentence, path: Path, account: str) -> Path:
        if not await self._ask(sentence, path, account):
            return path
        self.rendered += 1
        if self.rendered % 500 == 1:
            await asyncio.to_thread(_trim_cache, self._cache)
        return path

    async def _ask(self, sentence: Sentence, path: Path | None, account: str) -> bool:
        """Have a sentence spoken when it is the account's turn; None: only warm the voice. False: another account
        has had it spoken meanwhile."""
        link: SpeechProcess | None = None
        self._waiting += 1
        try:
            async with asyncio.timeout(TIME_LIMIT), self._seats.of(account) as seat:
                if path is not None and _used(path):
                    return False
                link = await self._started(seat)
                job: dict[str, str | float] = {"text": sentence.text, "language": sentence.language}
                await link.ask({**job, "speed": sentence.speed, "path": str(path or "")})
                return True
        except Full as full:
            raise SpeechError(f"too many sentences of this account: {full}") from full
        except TimeoutError:
            if link is not None:
                link.kill_if_stuck(TIME_LIMIT)
            raise SpeechError(f"no answer within {TIME_LIMIT:.0f} s") from None
        finally:
            self._waiting -= 1
            self._rest_later()

    # --- the processes -------------------------------------------------------------------------------------

    async def _started(self, seat: int) -> SpeechProcess:
        async with self._starting[seat]:
            if self._closed:
                raise SpeechError("speech is closed")
            process = self._links.get(seat)
            if process is None or not process.link.open:
                process = self._links[seat] = await SpeechProcess.start()
                self._end_with(process.ended)
            return process

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
        else:
            for each in self._links.values():
                self._end_with(asyncio.get_running_loop().create_task(each.end()))


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
