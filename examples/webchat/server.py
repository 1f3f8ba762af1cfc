"""The back end of a page with a web chat: serves ``index.html`` and begins chats; the account's credentials stay here.

``RINGBACK_ACCOUNT_SID=AC… RINGBACK_AUTH_TOKEN=… CHAT_ADDRESS=IG… python server.py``, then open http://localhost:8000/.
On a public page, count here how often one visitor may begin a chat: Ringback sees only this server.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.parse
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RINGBACK = os.environ.get("RINGBACK_URL", "http://127.0.0.1:8080")
KNOWN = f"{os.environ['RINGBACK_ACCOUNT_SID']}:{os.environ['RINGBACK_AUTH_TOKEN']}"


class Page(SimpleHTTPRequestHandler):
    """``GET /``: the page. ``POST /chat`` (JSON): a new chat."""

    def do_GET(self) -> None:
        """The page, and no other file."""
        self._answer(200, (Path(__file__).parent / "index.html").read_bytes(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        """Begin a chat with what the visitor has written; who they are is not theirs to say (no ``Identity``)."""
        asked = json.loads(self.rfile.read(min(int(self.headers["Content-Length"]), 20_000)))
        name = str(asked.get("name", ""))[:256]
        form = {
            "AddressSid": os.environ["CHAT_ADDRESS"],
            "ChatFriendlyName": f"Web chat: {name or 'somebody'}"[:256],
            "CustomerFriendlyName": name,
            "PreEngagementData": json.dumps(asked),
        }
        request = urllib.request.Request(  # noqa: S310 - http
            f"{RINGBACK}/flex-api/v2/WebChats", urllib.parse.urlencode(form).encode(),
            {"Authorization": "Basic " + base64.b64encode(KNOWN.encode()).decode()},
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http
                made = json.load(answer)
        except OSError as error:  # refused, or not there: the visitor is told no more than that
            self.log_error("%s", error)
            return self._answer(502, b"{}", "application/json")
        return self._answer(201, json.dumps(made | {"server": RINGBACK}).encode(), "application/json")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Page).serve_forever()
