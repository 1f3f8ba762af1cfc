"""Durable notes, the runner's locks, the music."""

from __future__ import annotations

import asyncio
import io
import logging
import wave
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from ringback.effects.features import Recall, Remember, Step, Wait, Warn
from ringback.kernel.errors import Refused
from ringback.web.features.api import Api
from ringback.web.features.music import RATE, SECONDS, music
from ringback.web.features.notes import Notes
from ringback.web.features.running import Runner
from tests.e2e.outage import fill, small_disk


async def test_notes_survive(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "deep" / "notes")
    for key in ("CA1", "token-../../etc/passwd", "x" * 500, "ünï"):
        await notes.put(key, {"state": "begun", "of": key})
    await notes.put("CA1", {"state": "done"})
    await notes.put("x" * 500, None)
    await notes.put("never there", None)
    again = Notes(tmp_path / "deep" / "notes")
    again.load()
    assert again.all == notes.all
    assert again.get("CA1") == {"state": "done"}
    assert set(again.all) == {"CA1", "token-../../etc/passwd", "ünï"}
    assert await asyncio.to_thread(lambda: [each.name for each in tmp_path.iterdir()]) == ["deep"]


async def test_a_full_disk_refuses_a_note_and_leaves_the_old_one(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        notes = Notes(disk / "notes")
        await notes.put("CA1", {"state": "begun"})
        filler = await asyncio.to_thread(fill, disk)
        with pytest.raises(Refused, match="No space left") as refused:
            await notes.put("CA1", {"state": "x" * 10_000})
        assert refused.value.status == 503
        assert notes.get("CA1") == {"state": "begun"}
        filler.unlink()
        again = Notes(disk / "notes")
        again.load()
        assert again.all == {"CA1": {"state": "begun"}}
        await notes.put("CA1", {"state": "x" * 10_000})
        assert [each.name for each in (disk / "notes").iterdir()] == ["CA1.json"]


def test_a_broken_note_is_left_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "half.new").write_text("{")
    notes = Notes(tmp_path)
    with caplog.at_level(logging.ERROR):
        assert notes.load() == ["bad.json"]
    assert notes.all == {}
    assert "bad.json" in caplog.text


async def test_two_of_one_source_never_overlap(tmp_path: Path) -> None:
    async def tell(warning: Warn) -> None:
        raise AssertionError(warning)

    runner = Runner(Api(lambda: "", "AC1", "t"), Notes(tmp_path), tell)

    def count() -> Generator[Step, Any, int]:
        known = yield Recall("k")
        yield Wait(0.0)
        number = (known or {"n": 0})["n"] + 1
        yield Remember("k", {"n": number})
        return number

    assert sorted(await asyncio.gather(*(runner.run(count()) for _ in range(5)))) == [1, 2, 3, 4, 5]
    assert runner._locks == runner._users == {}


def test_the_music_is_half_a_minute() -> None:
    with wave.open(io.BytesIO(music())) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, RATE * SECONDS)
        samples = memoryview(file.readframes(file.getnframes())).cast("h")
    assert 3000 < max(samples) < 20_000
