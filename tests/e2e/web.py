"""The customer's web application: serves documents, takes callbacks, checks every signature."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from tests.e2e.site import TOKEN

Params = dict[str, str]


class Web:
    """A threaded server on its own port; `documents[path]` is TwiML (or JSON), or a function of the parameters."""

    def __init__(self, *, slow: float = 0.0, port: int = 0) -> None:
        """`slow`: seconds that each callback takes."""
        self.documents: dict[str, str | Callable[[Params], str]] = {}
        self.callbacks: list[Params] = []
        self.forged: list[str] = []
        self.slow = slow
        self._lock = threading.Lock()
        web, validator = self, RequestValidator(TOKEN)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                facts = dict(parse_qsl(body, keep_blank_values=True))
                url = f"http://{self.headers['Host']}{self.path}"
                if not validator.validate(url, facts, self.headers.get("X-Twilio-Signature", "")):
                    web.forged.append(url)
                facts["path"] = self.path
                facts["token"] = self.headers.get("I-Twilio-Idempotency-Token", "")
                self._reply(web.answer(self.path, facts))

            def _reply(self, text: str) -> None:
                data = text.encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json" if data[:1] == b"{" else "text/xml")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    self.close_connection = True  # the server was killed while it waited

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 512
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A connection that a killed server left behind is what some tests are about."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def answer(self, path: str, facts: Params) -> str:
        """The document, or the empty answer to a callback, which is noted."""
        document = self.documents.get(path.partition("?")[0])
        if document is None:
            if self.slow:
                time.sleep(self.slow)
            with self._lock:
                self.callbacks.append(facts)
            return ""
        return document if isinstance(document, str) else document(facts)

    def of(self, sid: str, path: str = "/status") -> list[Params]:
        """The callbacks of one call at one path, in the order of their arrival."""
        with self._lock:
            return [
                facts for facts in self.callbacks if facts.get("CallSid") == sid and facts["path"] == path
            ]

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        assert not self.forged, f"bad signatures: {self.forged[:3]}"
