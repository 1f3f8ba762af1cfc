"""HTTP/1.1 on keep-alive connections, as little of it as the benchmarks need: messages with a Content-Length."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import cast


def length_of(head: bytes) -> int:
    """Bytes of the body that a head announces; 0 when it is silent."""
    lower = head.lower()
    at = lower.find(b"content-length:")
    return int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class Messages(asyncio.Protocol):
    """One connection, of either side."""

    transport: asyncio.WriteTransport

    def __init__(self) -> None:
        self._buffer = b""

    @abstractmethod
    def take(self, head: bytes, body: bytes) -> None:
        """A message is there as a whole; ``head`` without the empty line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, mark, body = self._buffer.partition(b"\r\n\r\n")
            length = length_of(head) if mark else 0
            if not mark or len(body) < length:
                return
            self._buffer = body[length:]
            self.take(head, body[:length])
