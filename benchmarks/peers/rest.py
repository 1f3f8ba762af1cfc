"""A client of the REST API on a few keep-alive connections, which gives the answers, and how long they took."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlencode

from benchmarks.keepalive import Messages


class Connection(Messages):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def take(self, head: bytes, body: bytes) -> None:
        if self._answer is not None:
            self._answer.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self._answer = None
        self.transport.close()


class Rest:
    """Some connections; a request takes one that is free. ``latencies``: (name, seconds) of each request."""

    def __init__(self, port: int, authorization: str) -> None:
        self._port = port
        self._head = f"Host: 127.0.0.1:{port}\r\nAuthorization: {authorization}\r\n"
        self._all: list[Connection] = []
        self._free: asyncio.Queue[Connection] = asyncio.Queue()
        self.latencies: dict[str, list[float]] = {}

    async def open(self, connections: int) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            _, one = await loop.create_connection(Connection, "127.0.0.1", self._port)
            self._all.append(one)
            self._free.put_nowait(one)

    def close(self) -> None:
        """Close every connection."""
        for one in self._all:
            one.close()

    async def post(self, path: str, name: str = "", **fields: object) -> Any:
        """POST a form; the JSON of the answer. Raises ``RuntimeError`` unless the status is 2xx."""
        form = urlencode(fields).encode()
        head = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
        return await self._ask(name, f"POST {path} HTTP/1.1\r\n{self._head}{head}".encode() + form)

    async def get(self, path: str, name: str = "") -> Any:
        """GET; as above."""
        return await self._ask(name, f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode())

    async def _ask(self, name: str, request: bytes) -> Any:
        connection = await self._free.get()
        try:
            started = time.perf_counter()
            status, body = await connection.send(request)
            self.latencies.setdefault(name, []).append(time.perf_counter() - started)
        finally:
            self._free.put_nowait(connection)
        if not 200 <= status < 300:
            raise RuntimeError(f"{request[:200]!r}: {status} {body[:500]!r}")
        return json.loads(body) if body else None
