"""Fetches sounds: one download and one decoding a version of a URL, however many calls of an account play it at once.

Downloads and decodings are shared fairly by account, so that a large sound of one delays no other's.

Follows Cache-Control, ETag and Last-Modified (webhooks.md §7). A stale sound is used when its server does not
answer: hearing yesterday's greeting is better than hearing nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import tempfile
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from ringback.edges.sounds.decode import Undecodable
from ringback.edges.sounds.decoders import Decoders
from ringback.media import RATE
from ringback.sharing.seats import Full, Seats
from ringback.web.webhooks.delivery import Delivery
from ringback.web.webhooks.request import Hook
from ringback.web.webhooks.sender import WebhookSender

log = logging.getLogger("ringback.sounds")

SIZE_LIMIT = 20_000_000
CACHE_BYTES = 1024 * 1024 * 1024
CACHE_SOUNDS = 10_000
DOWNLOADS = 32
"""Sounds that are downloaded at a time, each in memory until it is whole; a quarter is never one account's alone."""
LONGEST_LINE = 1000
"""Downloads of one account that may wait."""
LINGER = 60.0
"""Seconds for which a file stays that has left the cache: somebody may be about to play it."""
PLAYABLE = frozenset(
    {
        *("audio/mpeg", "audio/mp3", "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave"),
        *("audio/aiff", "audio/x-aiff", "audio/x-aifc", "audio/x-gsm", "audio/gsm", "audio/ulaw"),
        *("audio/basic", "audio/ogg", "audio/flac", "audio/mp4", "audio/aac"),
        *("application/octet-stream", "binary/octet-stream"),
    }
)
RAW = frozenset({"audio/ulaw", "audio/basic"})
"""µ-law at 8 kHz without a header (RFC 2046 §4.3), unless it begins like a ``.snd`` file."""
_MAX_AGE = re.compile(r"max-age\s*=\s*(\d{1,9})")


class SoundError(Exception):
    """A sound that cannot be played; ``code`` is a number of errors.md (13420, or a fetch's own)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Kept:
    """One sound in the cache."""

    path: Path
    size: int
    fresh_until: float
    etag: str
    modified: str
    account: str
    """Who fetched it last."""


class Sounds:
    """The cache of sounds and the way to fill it."""

    def __init__(
        self,
        *,
        sender: WebhookSender,
        cache_dir: Path,
        workers: int = 2,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``workers``: processes that decode."""
        self._sender = sender
        self._cache = cache_dir
        self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._now = now
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._under_way: dict[tuple[str, str], asyncio.Task[Path]] = {}
        """Account and URL → the task: nobody waits in another account's line, even for the same sound."""
        self._downloads = Seats(DOWNLOADS, reserve=DOWNLOADS // 4, longest=LONGEST_LINE)
        self._decoders = Decoders(workers)
        self._closed = False
        for left in self._cache.iterdir():
            # What says how fresh a file is lived in memory: after a restart every sound is fetched anew.
            if left.suffix in (".ul", ".new", ".sound"):
                left.unlink(missing_ok=True)

    def figures(self) -> Mapping[str, float]:
        """For ``/metrics``."""
        return {
            "sounds_waiting": float(self._downloads.waiting + self._decoders.waiting),
            "sounds_downloading": float(self._downloads.busy),
            "sounds_decoding": float(self._decoders.busy),
        }

    async def fetch(self, url: str, account: str = "") -> Path:
        """A µ-law file with the sound; raises :class:`SoundError`. ``account``: for whom, empty for none of them."""
        kept = self._kept.get(url)
        if kept is not None and not kept.path.exists():
            kept = None  # somebody tidied the data directory
        if kept is not None and kept.fresh_until > self._now():
            self._kept.move_to_end(url)
            return kept.path
        if self._closed:
            raise SoundError(11205, "Ringback is stopping")
        task = self._under_way.get((account, url))
        if task is None:
            task = asyncio.get_running_loop().create_task(self._refresh(url, kept, account))
            self._under_way[account, url] = task
            task.add_done_callback(lambda done: self._landed(account, url, done))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if self._closed and task.cancelled():
                raise SoundError(11205, "Ringback is stopping") from None
            raise

    async def seconds(self, url: str, account: str = "") -> float:
        """Length of a sound; raises :class:`SoundError`."""
        return (await self.fetch(url, account)).stat().st_size / RATE

    async def close(self) -> None:
        """Give up what is under way and end the decoder."""
        self._closed = True
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._decoders.close()

    def _landed(self, account: str, url: str, done: asyncio.Task[Path]) -> None:
        self._under_way.pop((account, url), None)
        if not done.cancelled():
            done.exception()

    async def _refresh(self, url: str, kept: Kept | None, account: str) -> Path:
        try:
            async with self._downloads.of(account):
                return await self._downloaded(url, kept, account)
        except Full as full:
            raise SoundError(11205, f"too many sounds of this account are wanted at once: {full}") from full

    async def _downloaded(self, url: str, kept: Kept | None, account: str) -> Path:
        headers: list[tuple[str, str]] = []
        if kept is not None and kept.etag:
            headers.append(("If-None-Match", kept.etag))
        if kept is not None and kept.modified:
            headers.append(("If-Modified-Since", kept.modified))
        delivery = await self._sender.send(
            Hook(
                url=url, method="GET", kind="media", headers=tuple(headers), body_limit=SIZE_LIMIT, account=account
            )
        )  # fmt: skip
        # An answer that says no is an answer; a server that fails or is silent is not.
        silent = not delivery.ok and (delivery.status is None or delivery.status >= 500)
        if kept is not None and (delivery.status == 304 or silent):
            if silent:
                log.warning("%s: %s; playing the copy of before", delivery.final_url, delivery.error_text)
            kept.fresh_until = self._now() + (_freshness(delivery) if delivery.ok else 5.0)
            return kept.path
        if not delivery.ok:
            raise SoundError(delivery.error_code or 11200, delivery.error_text)
        if delivery.content_type not in PLAYABLE:
            kind = delivery.content_type or "no content type"
            raise SoundError(13420, f"{delivery.final_url} is {kind}, which is no sound that can be played")
        path = await self._decode(delivery, account)
        self._keep(url, delivery, path, account)
        return path

    async def _decode(self, delivery: Delivery, account: str) -> Path:
        raw = delivery.content_type in RAW and not delivery.body.startswith(b".snd")
        if not delivery.body:
            raise SoundError(13420, f"{delivery.final_url} is empty")
        target, source = await asyncio.to_thread(_lay_down, self._cache, delivery.body, raw)
        if source is None:
            return target
        try:
            await self._decoders.decode(account, str(source), str(target))
        except Undecodable as error:
            raise SoundError(13420, f"{delivery.final_url} cannot be decoded: {error}") from error
        except BrokenProcessPool as error:
            raise SoundError(13420, f"{delivery.final_url}: the decoder gave up on it") from error
        finally:
            source.unlink(missing_ok=True)
        return target

    def _keep(self, url: str, delivery: Delivery, path: Path, account: str) -> None:
        before = self._kept.pop(url, None)
        self._kept[url] = Kept(
            path=path,
            size=path.stat().st_size,
            fresh_until=self._now() + _freshness(delivery),
            etag=delivery.headers.get("etag", ""),
            modified=delivery.headers.get("last-modified", ""),
            account=account,
        )
        if before is not None:
            self._drop(before.path)
        self._make_room()

    def _make_room(self) -> None:
        """What an account has not used for longest goes, of the account that keeps most: none drives out another's."""
        sizes: Counter[str] = Counter()
        for one in self._kept.values():
            sizes[one.account] += one.size
        total = sizes.total()
        while (total > CACHE_BYTES or len(self._kept) > CACHE_SOUNDS) and len(self._kept) > 1:
            largest = max(sizes, key=lambda account: sizes[account])
            url = next(url for url, one in self._kept.items() if one.account == largest)
            oldest = self._kept.pop(url)
            total -= oldest.size
            sizes[largest] -= oldest.size
            self._drop(oldest.path)

    def _drop(self, path: Path) -> None:
        """Delete a file a while later, unless it is in use again by then."""

        def delete() -> None:
            if all(one.path != path for one in self._kept.values()):
                path.unlink(missing_ok=True)

        asyncio.get_running_loop().call_later(LINGER, delete)


def _lay_down(cache: Path, body: bytes, raw: bool) -> tuple[Path, Path | None]:
    """Where the µ-law of a body goes, and a file with the body if it has yet to be decoded."""
    name = hashlib.blake2b(body, digest_size=20, person=b"raw" if raw else b"").hexdigest()
    target = cache / f"{name}.ul"
    if target.exists():
        return target, None
    with tempfile.NamedTemporaryFile(dir=cache, suffix=".sound", delete=False) as file:
        file.write(body)
    source = Path(file.name)
    if raw:
        source.replace(target)
        return target, None
    return target, source


def _freshness(delivery: Delivery) -> float:
    """Seconds for which an answer may be used without asking again."""
    control = delivery.headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return 0.0
    found = _MAX_AGE.search(control)
    return min(float(found[1]), 86_400.0) if found else 0.0
