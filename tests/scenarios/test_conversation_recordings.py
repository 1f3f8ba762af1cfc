"""The seven values of ``record`` by the sound of the file: who is in which channel, and when it began (§8)."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.scenarios.threads import AFTER, OURS, Threads, alice, document, over, talking

RING, PAUSE = 4.0, 6.0
"""Seconds: alice's phone rings; then she speaks, and the caller answers so long after her."""


def loud(samples: NDArray[np.float64], begin: float, end: float) -> bool:
    """Whether there is any sound between two times, in seconds."""
    part = samples[int(begin * 8000) : int(end * 8000)]
    return bool(len(part)) and float(np.abs(part).max()) > 500


@pytest.mark.parametrize(
    ("value", "channels", "from_ringing"),
    [
        ("do-not-record", 0, False), ("false", 0, False), ("true", 1, False), ("record-from-answer", 1, False),
        ("record-from-ringing", 1, True), ("record-from-answer-dual", 2, False), ("record-from-ringing-dual", 2, True),
    ],
)  # fmt: skip
async def test_12_each_value(tmp_path: Path, value: str, channels: int, from_ringing: bool) -> None:
    async with talking(tmp_path, Threads()) as ringback:
        ringback.app("/after", AFTER)
        await ringback.number(OURS, voice="/voice")
        words = "this is alice speaking"
        await alice(ringback, after=RING, script=[{"say": words}, {"wait": PAUSE + 4}, {"hangup": True}])
        document(ringback, f'record="{value}"')
        script = [{"expect": words}, {"wait": PAUSE}, {"say": "hello"}, {"wait": 60}]
        asked = await over(ringback, await ringback.call(OURS, script=script))
        recordings = (await ringback.get("Recordings"))["recordings"]
        if not channels:
            assert recordings == []
            assert "RecordingSid" not in asked
            return
        (one,) = recordings
        assert (one["channels"], one["source"], one["status"]) == (channels, "DialVerb", "completed")
        sound = await ringback.download(asked["RecordingUrl"] + ".wav")
        with wave.open(io.BytesIO(sound)) as file:
            frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
            samples = frames.reshape(-1, file.getnchannels())
        assert samples.shape[1] == channels
        began = RING - 0.1 if from_ringing else 0.0  # it rings a tenth of a second after it was dialled
        hers, his = (began + 0.2, began + 2.0), (began + PAUSE + 1.0, began + PAUSE + 5.0)
        parent, leg = samples[:, 0], samples[:, -1]
        assert loud(leg, *hers)
        assert loud(parent, *his)
        if channels == 2:
            assert not loud(parent, *hers)
            assert not loud(leg, *his)
        assert not loud(leg, 0.0, began)
        assert abs(len(samples) / 8000 - int(asked["RecordingDuration"])) <= 1


@pytest.mark.parametrize(("trim", "shorter"), [("trim-silence", True), ("do-not-trim", False)])
async def test_12_trim(tmp_path: Path, trim: str, shorter: bool) -> None:
    """Silence before the first and after the last word."""
    async with talking(tmp_path, Threads()) as ringback:
        ringback.app("/after", AFTER)
        await ringback.number(OURS, voice="/voice")
        await alice(ringback, script=[{"wait": 5}, {"say": "hello"}, {"wait": 5}, {"hangup": True}])
        document(ringback, f'record="true" trim="{trim}"')
        asked = await over(ringback, await ringback.call(OURS, script=[{"wait": 60}]))
        assert (int(asked["RecordingDuration"]) < 5) == shorter
        assert int(asked["DialCallDuration"]) >= 10
