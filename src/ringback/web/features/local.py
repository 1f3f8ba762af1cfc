"""The REST API of this very process, by the same paths and credentials but without a socket.

At 150 calls a second the loopback's two HTTP stacks would cost as much as the request itself. Nothing else is
shared: what the feature sends and gets is what any client of the public API does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ringback.web.form import encode

Application = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


class Local:
    """Requests to an ASGI application."""

    def __init__(self, application: Callable[[], Application]) -> None:
        """``application()`` gives the server's own: it is built after the feature."""
        self._application = application

    async def exchange(
        self, method: str, path: str, fields: list[tuple[str, str]], headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (names in lower case) and body of one request."""
        form = encode(fields)
        query, body = (form, b"") if method == "GET" else ("", form.encode())
        sent = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        sent += [(b"host", b"127.0.0.1"), (b"content-length", str(len(body)).encode())]
        if body:
            sent.append((b"content-type", b"application/x-www-form-urlencoded"))
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "headers": sent, "root_path": "",
            "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0),
        }  # fmt: skip
        status = 500
        found: dict[str, str] = {}
        parts: list[bytes] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                found.update(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
                )
            else:
                parts.append(message.get("body", b""))

        await self._application()(scope, receive, send)
        return status, found, b"".join(parts)
