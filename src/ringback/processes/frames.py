"""Frames on the socket between a process of ours and its child: four bytes of length (big endian), then a body."""

from __future__ import annotations

import struct
from typing import Final

MAX_FRAME: Final = 4 * 1024 * 1024
"""Longest body that is accepted, in bytes."""

_LENGTH: Final = struct.Struct("!I")


def frame(body: bytes) -> bytes:
    """One body as it goes over the socket."""
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Bytes of the socket → bodies of whole frames."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived; gives the bodies that are complete. Raises ``ValueError`` for one above `MAX_FRAME`."""
        self._data += data
        bodies: list[bytes] = []
        start = 0
        while len(self._data) - start >= 4:
            (size,) = _LENGTH.unpack_from(self._data, start)
            if size > MAX_FRAME:
                raise ValueError(f"a frame of {size} bytes")
            if len(self._data) - start - 4 < size:
                break
            bodies.append(bytes(self._data[start + 4 : start + 4 + size]))
            start += 4 + size
        del self._data[:start]
        return bodies
