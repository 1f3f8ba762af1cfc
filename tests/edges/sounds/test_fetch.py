"""Sounds from a local web server: formats, refusals, the cache."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ringback.edges.sounds import decoders, fetch
from ringback.edges.sounds.decode import to_mp3
from ringback.edges.sounds.fetch import SoundError, Sounds
from ringback.media.g711 import decode, encode
from ringback.media.tones import sine
from ringback.media.wav import header
from ringback.web.webhooks.sender import WebhookSender

TONE = sine(1000, 1.0)
WAV = header(1, TONE.nbytes) + TONE.tobytes()


class Site:
    """A web server that says what the test wants, and remembers what it was asked."""

    def __init__(self) -> None:
        self.body = WAV
        self.status = 200
        self.headers = {"Content-Type": "audio/wav"}
        self.seen: list[dict[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""
        self.differ = False
        """Every path has a sound of its own."""

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append({name.lower(): value for name, value in request.headers.items()})
        await self.gate.wait()
        if self.status == 200 and request.headers.get("If-None-Match") == self.headers.get("ETag", "none"):
            return web.Response(status=304, headers={"Cache-Control": "max-age=60"})
        own = request.path.encode() if self.differ else b""
        return web.Response(status=self.status, body=self.body + own, headers=self.headers)

    def serves(self, body: bytes, kind: str, **headers: str) -> None:
        self.body = body
        self.headers = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    application = web.Application()
    application.router.add_get("/{rest:.*}", made.answer)
    async with TestServer(application) as server:
        made.url = str(server.make_url("/greeting"))
        yield made
        made.gate.set()


class Clock:
    """Unix time that the test sets."""

    now = 1_000_000.0


@pytest.fixture
async def sounds(tmp_path: Path) -> AsyncIterator[Sounds]:
    sender = WebhookSender(allow_private=True)
    made = Sounds(sender=sender, cache_dir=tmp_path / "cache", now=lambda: Clock.now)
    yield made
    await made.close()
    await sender.close()


def strength(path: Path, frequency: float) -> float:
    """Amplitude of a frequency in the second half of a µ-law file."""
    sound = decode(path.read_bytes(), "PCMU")
    sound = sound[len(sound) // 2 :].astype(float)
    turn = np.exp(-2j * np.pi * frequency * np.arange(len(sound)) / 8000)
    return float(abs((sound * turn).mean()) * 2)


def in_format(tmp_path: Path, container: str, codec: str, rate: int = 8000) -> bytes:
    """A second of 1 kHz in another format."""
    path = tmp_path / f"made.{container}"
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(TONE.reshape(1, -1), format="s16", layout="mono")
        frame.rate = 8000
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            for packet in stream.encode(piece):
                out.mux(packet)
        out.mux(stream.encode(None))
    return path.read_bytes()


async def test_formats(sounds: Sounds, site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(WAV)
    to_mp3(str(tmp_path / "a.wav"), str(tmp_path / "a.mp3"))
    for body, kind in (
        (WAV, "audio/wav"),
        (WAV, "application/octet-stream"),
        ((tmp_path / "a.mp3").read_bytes(), "audio/mpeg; charset=binary"),
        (in_format(tmp_path, "aiff", "pcm_s16be", 44_100), "audio/x-aiff"),
        (in_format(tmp_path, "au", "pcm_s16be"), "audio/basic"),
        (encode(TONE, "PCMU"), "audio/ulaw"),
    ):
        site.serves(body, kind)
        path = await sounds.fetch(site.url)
        assert abs(path.stat().st_size - 8000) < 800, kind
        assert strength(path, 1000) > 7000, kind
        assert abs(await sounds.seconds(site.url) - 1.0) < 0.1
    assert not list((tmp_path / "cache").glob("*.sound"))


async def test_a_truncated_file_gives_what_it_holds(sounds: Sounds, site: Site) -> None:
    site.serves(WAV[:8044], "audio/wav")
    assert 3000 <= (await sounds.fetch(site.url)).stat().st_size <= 4000


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, b"<html>", "text/html", 13420),
        (200, b"just some words, not sound at all" * 50, "audio/wav", 13420),
        (200, WAV[:30], "audio/wav", 13420),
        (200, header(1, 0), "audio/wav", 13420),
        (200, b"", "audio/wav", 13420),
        (200, b"", "audio/ulaw", 13420),
        (200, PLAYLIST, "audio/mpeg", 13420),
        (200, b"ffconcat version 1.0\nfile /etc/passwd\n", "audio/mpeg", 13420),
        (404, b"", "audio/wav", 11200),
        (500, b"", "audio/wav", 11200),
    ],
)
async def test_what_cannot_be_played(
    sounds: Sounds, site: Site, status: int, body: bytes, kind: str, code: int, tmp_path: Path
) -> None:
    site.serves(body, kind)
    site.status = status
    with pytest.raises(SoundError) as caught:
        await sounds.fetch(site.url)
    assert caught.value.code == code
    assert list((tmp_path / "cache").iterdir()) == []


async def test_size_is_limited(sounds: Sounds, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SIZE_LIMIT", 10_000)
    with pytest.raises(SoundError) as caught:
        await sounds.fetch(site.url)
    assert caught.value.code == 11750


async def test_freshness_and_revalidation(sounds: Sounds, site: Site) -> None:
    site.serves(encode(TONE, "PCMU"), "audio/ulaw", Cache_Control="public, max-age=30", ETag='"v1"')
    first = await sounds.fetch(site.url)
    assert await sounds.fetch(site.url) == first
    assert len(site.seen) == 1
    Clock.now += 31
    assert await sounds.fetch(site.url) == first
    assert site.seen[1]["if-none-match"] == '"v1"'
    assert await sounds.fetch(site.url) == first  # the 304 made it fresh again
    assert len(site.seen) == 2
    Clock.now += 61
    site.serves(encode(TONE // 2, "PCMU"), "audio/ulaw", ETag='"v2"')
    assert await sounds.fetch(site.url) != first


async def test_without_cache_headers_it_is_asked_for_each_time(sounds: Sounds, site: Site) -> None:
    site.serves(encode(TONE, "PCMU"), "audio/ulaw", Last_Modified="Sat, 21 Nov 2026 00:00:00 GMT")
    await sounds.fetch(site.url)
    await sounds.fetch(site.url)
    assert [one.get("if-modified-since") for one in site.seen] == [None, "Sat, 21 Nov 2026 00:00:00 GMT"]


async def test_the_old_sound_covers_a_failing_server_but_not_a_refusal(sounds: Sounds, site: Site) -> None:
    site.serves(encode(TONE, "PCMU"), "audio/ulaw")
    first = await sounds.fetch(site.url)
    site.status = 503
    assert await sounds.fetch(site.url) == first
    Clock.now += 10
    site.status = 404
    with pytest.raises(SoundError):
        await sounds.fetch(site.url)


async def test_callers_share_a_download_and_one_may_leave(sounds: Sounds, site: Site) -> None:
    site.serves(encode(TONE, "PCMU"), "audio/ulaw")
    site.gate.clear()
    leaving = asyncio.create_task(sounds.fetch(site.url))
    staying = [asyncio.create_task(sounds.fetch(site.url)) for _ in range(5)]
    while not site.seen:
        await asyncio.sleep(0.01)
    leaving.cancel()
    site.gate.set()
    assert len(set(await asyncio.gather(*staying))) == 1
    assert len(site.seen) == 1
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_the_least_used_leaves(sounds: Sounds, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "CACHE_BYTES", 10_000)
    monkeypatch.setattr(fetch, "LINGER", 0.0)
    site.serves(encode(TONE, "PCMU"), "audio/ulaw")
    first = await sounds.fetch(f"{site.url}?1")
    site.serves(encode(TONE // 2, "PCMU"), "audio/ulaw")
    second = await sounds.fetch(f"{site.url}?2")
    await asyncio.sleep(0.01)
    assert (first.exists(), second.exists()) == (False, True)


async def test_a_file_that_somebody_deleted_is_fetched_again(sounds: Sounds, site: Site) -> None:
    site.serves(encode(TONE, "PCMU"), "audio/ulaw", Cache_Control="max-age=99")
    (await sounds.fetch(site.url)).unlink()
    assert (await sounds.fetch(site.url)).exists()


async def test_a_decoder_that_dies_is_replaced(sounds: Sounds, site: Site) -> None:
    await sounds.fetch(site.url)
    os.kill(next(iter(sounds._decoders._pools[0]._processes)), signal.SIGKILL)
    site.serves(header(1, 4000) + TONE.tobytes()[:4000], "audio/wav")
    assert (await sounds.fetch(site.url)).stat().st_size == 2000


async def test_a_decoder_that_hangs_is_given_up(
    sounds: Sounds, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "to_ulaw_within", _hang)
    with pytest.raises(SoundError, match="gave up"):
        await sounds.fetch(site.url)


def _hang(seconds: int, source: str, target: str) -> float:
    """As `to_ulaw_within`, with an alarm that comes soon and work that does not end."""
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    while True:
        pass


async def test_closing_tells_those_who_wait(sounds: Sounds, site: Site) -> None:
    site.gate.clear()
    waiting = asyncio.create_task(sounds.fetch(site.url))
    while not site.seen:
        await asyncio.sleep(0.01)
    await sounds.close()
    with pytest.raises(SoundError, match="stopping"):
        await waiting


# --- several accounts ---------------------------------------------------------------------------------------


async def test_a_flood_of_one_account_delays_another_by_one_sound(site: Site, tmp_path: Path) -> None:
    """Through one decoder: B's sound comes after the one under way, not after A's twenty."""
    site.differ = True
    sender = WebhookSender(allow_private=True)
    sounds = Sounds(sender=sender, cache_dir=tmp_path / "cache", workers=1)
    done: list[str] = []

    async def ask(name: str, account: str) -> None:
        await sounds.fetch(f"{site.url}/{name}", account)
        done.append(account)

    flood = [asyncio.create_task(ask(f"a{each}", "A")) for each in range(20)]
    async with asyncio.timeout(60):
        while not done:
            await asyncio.sleep(0.001)
        before = len(done)
        await ask("b", "B")
        assert len(done) - before <= 3
        await asyncio.gather(*flood)
    assert sounds.figures() == {"sounds_waiting": 0, "sounds_downloading": 0, "sounds_decoding": 0}
    await sounds.close()
    await sender.close()


async def test_the_last_decoder_is_for_another_account(
    sounds: Sounds, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two processes A's long sounds do not delay B's at all."""
    site.differ = True
    real, gate = decoders.Decoders._decode, asyncio.Event()

    async def slowly(self: decoders.Decoders, seat: int, source: str, target: str) -> None:
        if b"/greeting/a" in await asyncio.to_thread(Path(source).read_bytes):
            await gate.wait()
        await real(self, seat, source, target)

    monkeypatch.setattr(decoders.Decoders, "_decode", slowly)
    flood = [asyncio.create_task(sounds.fetch(f"{site.url}/a{each}", "A")) for each in range(30)]
    async with asyncio.timeout(20):
        while sounds.figures()["sounds_waiting"] < 29:
            await asyncio.sleep(0.001)
        assert sounds.figures() == {"sounds_waiting": 29, "sounds_downloading": 24, "sounds_decoding": 1}
        assert (await sounds.fetch(f"{site.url}/b", "B")).stat().st_size == 8000
        again = asyncio.create_task(
            sounds.fetch(f"{site.url}/a29", "B")
        )  # not in A's line, though A wants it too
        while sounds.figures()["sounds_decoding"] < 2:
            await asyncio.sleep(0.001)
        gate.set()
        await asyncio.gather(again, *flood)


async def test_one_account_does_not_drive_out_another_s_sounds(
    sounds: Sounds, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is full: the oldest of whoever keeps most leaves."""
    site.differ = True
    site.serves(encode(TONE, "PCMU"), "audio/ulaw", Cache_Control="max-age=600")
    monkeypatch.setattr(fetch, "CACHE_SOUNDS", 3)
    await sounds.fetch(f"{site.url}/b", "B")
    for each in range(5):
        await sounds.fetch(f"{site.url}/a{each}", "A")
    asked = len(site.seen)
    await sounds.fetch(f"{site.url}/b", "B")
    await sounds.fetch(f"{site.url}/a4", "A")
    assert len(site.seen) == asked
    await sounds.fetch(f"{site.url}/a0", "A")
    assert len(site.seen) == asked + 1


def test_a_decoder_hears_no_ctrl_c() -> None:
    """It goes to the whole group: a process that still imports would end with a traceback."""
    made = decoders.Decoders(1)
    (number,) = made._pool(0)._processes
    status = Path(f"/proc/{number}/status").read_text()
    (blocked,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk"))
    assert blocked & 1 << (signal.SIGINT - 1)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, set()) & {signal.SIGINT}
    made.close()
