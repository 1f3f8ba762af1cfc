"""A carrier by HTTP, as small as one can be: it takes messages from Ringback, and delivers messages and receipts to it.

Run it with ``.venv/bin/python examples/carrier/app.py``; the page "Connect an SMS carrier" uses it, and
``customer.py`` beside it is a customer who writes. Use it as a start for an adapter between Ringback and a real
carrier: translate to and from that one's API where this one prints.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

RINGBACK = os.environ.get("RINGBACK_URL", "http://127.0.0.1:8080")
NAME = os.environ.get("CARRIER_NAME", "example")
"""As in ``[http_carrier.example]``."""
TOKEN = os.environ.get("CARRIER_TOKEN", "example-token")
SECRET = os.environ.get("CARRIER_SECRET", "example-webhook-secret")
LARGEST_REQUEST = 64 * 1024


def tell(what: str, told: dict[str, Any]) -> dict[str, Any]:
    """Post ``messages`` or ``receipts`` to Ringback, signed. A real carrier tries again unless it gets a 2xx or 4xx."""
    body, at = json.dumps(told).encode(), str(int(time.time()))
    signature = hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(  # noqa: S310 - http(s), from our own environment
        f"{RINGBACK}/carriers/{NAME}/{what}",
        body,
        {
            "Content-Type": "application/json",
            "X-Carrier-Timestamp": at,
            "X-Carrier-Signature": f"sha256={signature}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - as above
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return {"status": error.code, **json.load(error)}


class Desk(BaseHTTPRequestHandler):
    """Where Ringback posts what is to be sent."""

    taken: ClassVar[dict[str, str]] = {}
    """Idempotency key → our id: a message that comes again is the same one."""

    def do_POST(self) -> None:
        """``POST /messages``: take one, and tell a second later that it was delivered."""
        length = int(self.headers.get("Content-Length", "0"))
        if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {TOKEN}"):
            self.answer(401, {"error": {"message": "wrong token"}})
        elif length > LARGEST_REQUEST:
            self.answer(413, {"error": {"message": "too large"}})
        else:
            message = json.loads(self.rfile.read(length))
            known = self.taken.get(message["id"])
            ours = self.taken.setdefault(message["id"], known or uuid.uuid4().hex)
            print(f"{message['from']} -> {message['to']}: {message['body']}", flush=True)
            if known is None:
                threading.Timer(1.0, self.delivered, (ours,)).start()
            self.answer(200, {"id": ours})

    def delivered(self, name: str) -> None:
        """The receipt."""
        answer = tell("receipts", {"id": name, "status": "delivered", "timestamp": int(time.time())})
        print(f"receipt: {json.dumps(answer)}", flush=True)

    def answer(self, status: int, what: dict[str, Any]) -> None:
        """JSON."""
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: the messages are printed."""


def main() -> None:
    """Serve until Ctrl-C."""
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("CARRIER_PORT", "5080"))), Desk)
    print(f"carrier at http://127.0.0.1:{server.server_port}/messages (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
