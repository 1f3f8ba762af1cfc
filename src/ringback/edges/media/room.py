"""Rooms: who hears whom this tick. Two parties are forwarded as bytes; three or more, or a coach, are
mixed."""

from __future__ import annotations

import numpy as np

from ringback.edges.media.protocol import Join
from ringback.media import FRAME
from ringback.media.g711 import Law, decode, encode, transcode
from ringback.media.mix import clip, mix_minus

Heard = tuple[bytes, Law]
"""A frame of 160 bytes and its law."""


def public(members: dict[str, Join], said: dict[str, Heard | None]) -> bytes | None:
    """What the room as a whole hears this tick, in µ-law (None: nothing): neither who is muted or on hold, nor
    a coach."""
    frames = [
        frame
        for leg, join in members.items()
        if not (join.muted or join.hold or join.coach) and (frame := said.get(leg)) is not None
    ]
    if len(frames) < 2:
        return transcode(*frames[0], "PCMU") if frames else None
    return encode(clip(np.sum([decode(*frame) for frame in frames], axis=0, dtype=np.int32)), "PCMU")


def hear(
    members: dict[str, Join], said: dict[str, Heard | None], laws: dict[str, Law]
) -> dict[str, bytes | None]:
    """What each member hears (None: nothing), in its own law. Held members neither speak nor hear."""
    present = [leg for leg, join in members.items() if not join.hold]
    coached = any(members[leg].coach for leg in present)
    result: dict[str, bytes | None] = dict.fromkeys(members)
    if len(present) == 2 and not coached:
        for hearer, speaker in (present, present[::-1]):
            frame = said.get(speaker)
            if frame is not None and not members[speaker].muted:
                result[hearer] = transcode(frame[0], frame[1], laws[hearer])
        return result
    if len(present) < 2:
        return result
    frames = np.zeros((len(present), FRAME), dtype=np.int16)
    for row, leg in enumerate(present):
        frame = said.get(leg)
        if frame is not None and not members[leg].muted:
            frames[row] = decode(*frame)
    rows = {leg: row for row, leg in enumerate(present)}
    # A coach whose party is absent is heard by nobody: its own row stands for "no one".
    private = [
        (rows[leg], rows.get(coach, rows[leg]))
        for leg in present
        if (coach := members[leg].coach) is not None
    ]
    mixed = mix_minus(frames, private)
    for row, leg in enumerate(present):
        result[leg] = encode(mixed[row], laws[leg])
    return result
