"""Places a call with the official client, prints every status callback, and then what became of it.

    .venv/bin/python examples/outbound_call.py +15551230001

With the simulated carrier every number answers after a second; +15005550001 and the other magic numbers
fail in the ways that docs/how-to.md lists.
"""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from twilio.base.exceptions import TwilioRestException

sys.path.insert(0, str(Path(__file__).parent))
from client_hook import connect

TERMINAL = {"completed", "busy", "no-answer", "failed", "canceled"}
TWIML = "<Response><Say>Hello. This is a call from Ringback. Good bye.</Say></Response>"
over = threading.Event()


class Callbacks(BaseHTTPRequestHandler):
    """Receives the status callbacks."""

    def do_POST(self) -> None:
        """Print one of them."""
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536)).decode("utf-8")
        facts = dict(parse_qsl(body))
        print(
            f"  callback {facts.get('SequenceNumber')}: {facts.get('CallStatus')}"
            f" (SIP {facts.get('SipResponseCode', '-')}, {facts.get('CallDuration', '-')} s)"
        )
        self.send_response(204)
        self.end_headers()
        if facts.get("CallStatus") in TERMINAL:
            over.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing: the callbacks are printed above."""


def main(to: str, caller: str = "+15550100", patience: float = 60.0) -> int:
    """Call ``to``; wait at most ``patience`` seconds for the end. Returns the exit status."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Callbacks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = connect()
    try:
        call = client.calls.create(
            to=to,
            from_=caller,
            twiml=TWIML,
            timeout=20,
            status_callback=f"http://127.0.0.1:{server.server_port}/",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )
    except TwilioRestException as refused:
        print(f"refused: {refused.code} {refused.msg}")
        return 1
    print(f"{call.sid} is {call.status}")
    if not over.wait(patience):
        print("no terminal callback in time")
    ended = client.calls(str(call.sid)).fetch()
    print(f"{ended.sid} ended {ended.status} after {ended.duration} s")
    server.shutdown()
    return 0 if ended.status in TERMINAL else 1


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: outbound_call.py TO [FROM]")
    sys.exit(main(*sys.argv[1:]))
