"""A playback: items one after the other as 20 ms frames of µ-law, or as RFC 4733 events."""

from __future__ import annotations

import mmap
from collections import OrderedDict, deque
from pathlib import Path
from typing import Final

from ringback.edges.media.protocol import AudioFile, Digits, Item, Silence, Tone
from ringback.media import FRAME, FRAME_SECONDS, RATE
from ringback.media.dtmf import GAP_SECONDS, KEYS, PAUSES, EventPacket, event_packets, key_tone
from ringback.media.g711 import SILENCE, encode
from ringback.media.tones import tone

Sound = bytes | mmap.mmap
"""µ-law, one byte a sample."""

Step = Sound | list[list[EventPacket]]
"""What an item is made of: sound, or the ticks of a key."""

MAX_SILENCE: Final = 24 * 3600.0
_QUIET: Final = SILENCE["PCMU"]
_MAPPED_FROM: Final = 1 << 20
_CACHE_BYTES: Final = 64 << 20


class Unplayable(Exception):
    """An item that cannot be played; the message says why."""


class Shelf:
    """Audio files and tones in memory, the least recently used leave first (64 MB). Large files are
    mapped instead."""

    def __init__(self) -> None:
        self._sounds: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._held = 0
        self._tones: dict[str, bytes] = {}

    def file(self, path: str) -> Sound:
        """The µ-law of a file; raises `Unplayable` when it is missing, empty or not a file."""
        try:
            with Path(path).open("rb") as opened:
                status = Path(path).stat()
                if not status.st_size:
                    raise Unplayable(f"{path} is empty")
                if status.st_size >= _MAPPED_FROM:
                    return mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
                key = (path, status.st_mtime_ns, status.st_size)
                if key in self._sounds:
                    self._sounds.move_to_end(key)
                    return self._sounds[key]
                sound = opened.read()
        except OSError as error:
            raise Unplayable(f"{path}: {error.strerror}") from error
        self._sounds[key] = sound
        self._held += len(sound)
        while self._held > _CACHE_BYTES:
            self._held -= len(self._sounds.popitem(last=False)[1])
        return sound

    def tone(self, name: str) -> bytes:
        """The µ-law of one period of a tone; raises `Unplayable` for an unknown name."""
        if name not in self._tones:
            try:
                self._tones[name] = encode(tone(name), "PCMU")
            except KeyError as error:
                raise Unplayable(f"no such tone: {name}") from error
        return self._tones[name]


class Playback:
    """Hands out one frame a tick until its items are used up.

    ``loop`` 0 is endless. While `open`, the end of the items is not the end: silence goes out until
    more come.
    """

    def __init__(self, name: str, shelf: Shelf, *, loop: int, events: bool, open_: bool) -> None:
        self.name = name
        self.open = open_
        self.ticks = 0
        self.events: list[EventPacket] | None = None
        """The RFC 4733 packets of the current tick, if it belongs to a key."""
        self._shelf = shelf
        self._loop = loop
        self._as_events = events
        self._steps: list[Step] = []
        self._index = 0
        self._sound: Sound = b""
        self._at = 0
        self._left = 0
        self._keys: deque[list[EventPacket]] = deque()

    @property
    def position(self) -> float:
        """Seconds handed out."""
        return self.ticks * FRAME_SECONDS

    def add(self, items: list[Item]) -> None:
        """Append items; raises `Unplayable` and appends none of them when one cannot be played."""
        steps: list[Step] = []
        for item in items:
            steps += self._steps_of(item)
        self._steps += steps

    def next(self) -> bytes | None:
        """The next 160 bytes of µ-law; None at the end. Sets `events` when the tick is part of a key."""
        self.events = None
        if not self._keys and self._left <= 0 and not self._advance():
            if not self.open:
                return None
            self.ticks += 1
            return _QUIET * FRAME
        self.ticks += 1
        if self._keys:
            self.events = self._keys.popleft()
            return _QUIET * FRAME
        at = self._at
        self._at = at + FRAME
        self._left -= FRAME
        frame = self._sound[at : at + FRAME]
        return frame if len(frame) == FRAME else self._fill(frame)

    def _fill(self, frame: bytes) -> bytes:
        """Complete a short frame from the next sound, so that sentences and loops join without a gap."""
        while len(frame) < FRAME:
            if not self._advance() or self._keys:
                return frame + _QUIET * (FRAME - len(frame))
            missing = FRAME - len(frame)
            frame += self._sound[:missing]
            self._at = missing
            self._left -= missing
        return frame

    def _advance(self) -> bool:
        """Begin the next step that holds anything; False when there is none."""
        for _ in range(len(self._steps) + 1):
            if self._index >= len(self._steps):
                if not self._steps or self._loop == 1 or self.open:
                    return False
                self._loop -= self._loop > 1
                self._index = 0
            step = self._steps[self._index]
            self._index += 1
            if isinstance(step, list):
                self._keys.extend(step)
                self._left = 0
                return True
            if len(step):
                self._sound, self._at, self._left = step, 0, len(step)
                return True
        return False

    def _steps_of(self, item: Item) -> list[Step]:
        if isinstance(item, AudioFile):
            return [self._shelf.file(item.path)]
        if isinstance(item, Tone):
            return [self._shelf.tone(item.name)]
        if isinstance(item, Silence):
            if not 0 <= item.seconds <= MAX_SILENCE:
                raise Unplayable(f"silence of {item.seconds} s")
            return _silence(item.seconds)
        assert isinstance(item, Digits)
        steps: list[Step] = []
        for key in item.digits:
            if key in PAUSES:
                steps += _silence(PAUSES[key])
            elif key.upper() in KEYS:
                packets = event_packets(key.upper())
                steps.append(packets if self._as_events else encode(key_tone(key.upper()), "PCMU"))
                steps += _silence(GAP_SECONDS)
            else:
                raise Unplayable(f"no such key: {key!r}")
        return steps


_SECOND: Final = _QUIET * RATE
_MINUTE: Final = _SECOND * 60


def _silence(seconds: float) -> list[Step]:
    """Silence as shared blocks: an hour of it costs sixty references."""
    samples = round(seconds * RATE)
    minutes, rest = divmod(samples, len(_MINUTE))
    steps: list[Step] = [_MINUTE] * minutes
    return [*steps, _QUIET * rest] if rest else steps
