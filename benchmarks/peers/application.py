"""The customer's web application, in the benchmark's own event loop: paths are answered by a function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl

from benchmarks.keepalive import Messages, length_of

Form = dict[str, str]
Answer = tuple[str, str]
"""Content type, body; an empty body is answered with 204."""


class Application(Messages):
    """One connection of the server's webhooks; answers each request as soon as its body is in."""

    def __init__(self, answer: Callable[[str, Form], Answer]) -> None:
        super().__init__()
        self._answer = answer

    def take(self, head: bytes, body: bytes) -> None:
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        kind, text = self._answer(path, dict(parse_qsl(query or body.decode())))
        status = b"200 OK" if text else b"204 No Content"
        self.transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
            % (status, kind.encode(), len(text.encode()), text.encode())
        )


async def serve(answer: Callable[[str, Form], Answer]) -> tuple[asyncio.Server, str]:
    """Listen on a port of the system's choice; gives the server and its base URL."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Application(answer), "127.0.0.1", 0, backlog=2048
    )
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Requests:
    """POSTs of the application to the API over a few keep-alive connections, in order of asking."""

    def __init__(self, port: int, authorization: str, connections: int = 4) -> None:
        self._port, self._authorization = port, authorization
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._work()) for _ in range(connections)]
        self.statuses: dict[int, int] = {}

    def post(self, path: str, body: str) -> None:
        """Send a form soon; the status of the answer is only counted."""
        self._waiting.put_nowait((path, body))

    async def _work(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while True:
            path, body = await self._waiting.get()
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
                f"Authorization: {self._authorization}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
                .encode()
            )  # fmt: skip
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(length_of(head))
            status = int(head[9:12])
            self.statuses[status] = self.statuses.get(status, 0) + 1

    async def stop(self) -> None:
        """Drop the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
