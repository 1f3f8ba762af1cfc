"""Recordings as MP3."""

from __future__ import annotations

import os
from pathlib import Path

import av
import pytest

from ringback.edges.sounds.decode import Undecodable, to_ulaw
from ringback.edges.sounds.encode import encode_mp3
from ringback.media.tones import sine
from ringback.media.wav import header


@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_is_made_once_and_again_when_the_recording_changed(tmp_path: Path, channels: int) -> None:
    tone = sine(1000, 1.0)
    wav = tmp_path / "RE1.wav"
    wav.write_bytes(header(channels, tone.nbytes) + tone.tobytes())
    mp3 = encode_mp3(wav)
    with av.open(str(mp3)) as container:
        assert container.streams.audio[0].codec_context.channels == channels
    assert abs(to_ulaw(str(mp3), str(tmp_path / "x.ul")) - 1.0 / channels) < 0.2
    made = mp3.stat().st_mtime_ns
    assert encode_mp3(wav).stat().st_mtime_ns == made
    os.utime(wav, ns=(made + 1_000_000_000,) * 2)
    assert encode_mp3(wav).stat().st_mtime_ns != made
    assert sorted(one.name for one in tmp_path.iterdir()) == ["RE1.mp3", "RE1.wav", "x.ul"]


@pytest.mark.parametrize("data", [b"", b"no sound", header(1, 0)])
def test_what_is_no_sound_is_refused_and_leaves_nothing(tmp_path: Path, data: bytes) -> None:
    wav = tmp_path / "RE1.wav"
    wav.write_bytes(data)
    with pytest.raises(Undecodable):
        encode_mp3(wav)
    assert [one.name for one in tmp_path.iterdir()] == ["RE1.wav"]
