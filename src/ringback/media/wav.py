"""RIFF WAVE, 16-bit PCM at 8 kHz: the header, and a writer that leaves a valid file after every
`WavWriter.flush`."""

from __future__ import annotations

import struct
from typing import BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ringback.media import RATE

HEADER_SIZE: Final = 44
MAX_DATA: Final = 0xFFFFFFFF - HEADER_SIZE
"""Most bytes of sound a RIFF file can hold (74 hours of mono)."""

_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


class BadWavError(ValueError):
    """Not a file that `WavWriter` could have written; the message says why."""


class WavInfo(NamedTuple):
    """What a header says: channels, samples a second, bytes of sound."""

    channels: int
    rate: int
    data_bytes: int


def header(channels: int, data_bytes: int, rate: int = RATE) -> bytes:
    """The 44 bytes before the sound."""
    block = channels * 2
    return _HEADER.pack(
        b"RIFF",
        36 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate,
        rate * block,
        block,
        16,
        b"data",
        data_bytes,
    )


def read_header(data: bytes) -> WavInfo:
    """Read the header that `header` writes; raises `BadWavError` for anything else."""
    if len(data) < HEADER_SIZE:
        raise BadWavError("shorter than a header")
    riff, _, wave, fmt, length, form, channels, rate, _, _, bits, tag, size = _HEADER.unpack_from(data)
    if (riff, wave, fmt, tag) != (b"RIFF", b"WAVE", b"fmt ", b"data") or length != 16:
        raise BadWavError("not the plain RIFF layout")
    if form != 1 or bits != 16 or channels not in (1, 2):
        raise BadWavError("not 16-bit PCM of one or two channels")
    return WavInfo(channels, rate, size)


def read(data: bytes) -> NDArray[np.int16]:
    """Samples of a whole file, shape (n, channels); sound that the file lacks (a crash) is left out."""
    info = read_header(data)
    block = 2 * info.channels
    size = min(info.data_bytes, len(data) - HEADER_SIZE) // block * block
    return np.frombuffer(data, dtype="<i2", count=size // 2, offset=HEADER_SIZE).reshape(-1, info.channels)


class WavWriter:
    """Appends sound to an open, seekable binary file; the caller opens, syncs and closes it."""

    def __init__(self, file: BinaryIO, channels: int) -> None:
        self.channels = channels
        self.data_bytes = 0
        self._file = file
        file.write(header(channels, 0))

    @property
    def seconds(self) -> float:
        """Length of what was written."""
        return self.data_bytes / (2 * self.channels * RATE)

    def write(self, samples: NDArray[np.int16]) -> None:
        """Append samples of shape (n,) or (n, channels); raises ValueError when the file would pass 4 GiB."""
        sound = samples.astype("<i2", copy=False).tobytes()
        if self.data_bytes + len(sound) > MAX_DATA:
            raise ValueError("a RIFF file cannot grow past 4 GiB")
        self._file.write(sound)
        self.data_bytes += len(sound)

    def flush(self) -> None:
        """Mend the sizes in the header, so that the file is whole should this be the last thing we do."""
        self._file.seek(0)
        self._file.write(header(self.channels, self.data_bytes))
        self._file.seek(0, 2)
        self._file.flush()
