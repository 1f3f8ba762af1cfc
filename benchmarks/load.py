"""A small HTTP load generator: keep-alive connections, each sends its next request when the answer is in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.keepalive import Messages


@dataclass(slots=True)
class Load:
    """What a run measured."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests answered per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def quantile(self, part: float) -> float:
        """Latency in milliseconds that ``part`` (0…1) of the requests did not exceed."""
        if not self.latencies:
            return float("nan")
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class _Connection(Messages):
    """One keep-alive connection; reads the status only."""

    def __init__(
        self, next_request: Callable[[], bytes | None], load: Load, done: asyncio.Future[None]
    ) -> None:
        super().__init__()
        self._next = next_request
        self._load = load
        self._done = done
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._send()

    def _send(self) -> None:
        request = self._next()
        if request is None:
            self.transport.close()
            if not self._done.done():
                self._done.set_result(None)
            return
        self._sent = time.perf_counter()
        self.transport.write(request)

    def take(self, head: bytes, body: bytes) -> None:
        status = int(head[9:12])
        self._load.statuses[status] = self._load.statuses.get(status, 0) + 1
        self._load.latencies.append(time.perf_counter() - self._sent)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))


async def run(host: str, port: int, requests: Callable[[], bytes | None], connections: int) -> Load:
    """Send what ``requests`` gives (None: enough) over some connections; gives the measurements."""
    loop = asyncio.get_running_loop()
    load = Load()
    started = time.perf_counter()
    waits = []
    for _ in range(connections):
        done = loop.create_future()
        waits.append(done)
        await loop.create_connection(lambda done=done: _Connection(requests, load, done), host, port)
    await asyncio.gather(*waits)
    load.seconds = time.perf_counter() - started
    return load
