"""Frames come whole or wait."""

from __future__ import annotations

import pytest

from ringback.processes.frames import MAX_FRAME, Frames, frame


def test_frames_come_whole_or_wait() -> None:
    data = frame(b"one") + frame(b"") + frame(b"two")
    frames, found = Frames(), []
    for at in range(len(data)):
        found += frames.feed(data[at : at + 1])
    assert found == [b"one", b"", b"two"]
    assert Frames().feed(data) == found


def test_a_frame_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        Frames().feed((MAX_FRAME + 1).to_bytes(4, "big"))
