"""One account floods: another's caller hears something all the same. Counted in jobs, not in time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from ringback.edges.sounds.decoders import Decoders
from ringback.media.wav import header
from ringback.testing.world import World, world

CALLS = 10


async def two_accounts(ringback: World) -> None:
    """A has +15550123 with instructions at /a, B +15550177 with /b."""
    await ringback.number("+15550123", voice="/a")
    child = await ringback._ask("POST", "/2010-04-01/Accounts.json", data={"FriendlyName": "B"})
    number = {"PhoneNumber": "+15550177", "VoiceUrl": ringback.app_url + "/b"}
    await ringback._ask("POST", f"/2010-04-01/Accounts/{child['sid']}/IncomingPhoneNumbers.json", data=number)


def noise(params: dict[str, str]) -> web.Response:
    """A long sound that nobody else has: longer for A than for B."""
    seed, seconds = int(params["n"]), 100 if params["who"] == "A" else 1
    samples = np.random.default_rng(seed).integers(-9999, 9999, 8000 * seconds, dtype="<i2").tobytes()
    return web.Response(body=header(1, len(samples)) + samples, content_type="audio/wav")


async def test_ten_long_sounds(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten calls of A play long files through one decoder: B's first sound waits for one of them at most."""
    decoded, real = 0, Decoders._decode

    async def counted(self: Decoders, seat: int, source: str, target: str) -> None:
        nonlocal decoded
        await real(self, seat, source, target)
        decoded += 1

    monkeypatch.setattr(Decoders, "_decode", counted)
    async with world(tmp_path, database_url=database_url, sound_workers="1") as ringback:
        await two_accounts(ringback)
        asked = iter(range(1000))

        def plays(who: str) -> Any:
            url = f"{ringback.app_url}/sound.wav?who={who}&amp;n="
            return lambda params: f"<Response><Play>{url}{next(asked)}</Play></Response>"

        ringback.app("/a", plays("A"))
        ringback.app("/b", plays("B"))
        ringback.app("/sound.wav", noise)
        flood = [await ringback.call("+15550123") for _ in range(CALLS)]
        async with asyncio.timeout(30):
            while ringback.product.sounds.figures()["sounds_waiting"] < 5:
                await asyncio.sleep(0.001)
        before = decoded
        caller = await ringback.call("+15550177")
        await caller.hears("/sound.wav?who=B", within=3600)
        assert decoded - before <= 3  # the one under way, perhaps one more before B's download came, and B's
        for each in flood:
            await each.hears("/sound.wav?who=A", within=36_000)
        assert decoded == CALLS + 1
