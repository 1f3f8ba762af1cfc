"""A caller is connected to their personal worker; when she does not answer, they leave a message.

It sets itself up over REST (a service, a worker, the number), then serves the documents:
``.venv/bin/python examples/personal_worker/app.py +15550100``; docs/how-to/conversation-calls.md goes on from there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Connect, VoiceResponse

sys.path.insert(0, str(Path(__file__).parent.parent))
from client_hook import connect, credentials

Params = dict[str, str]
WORKER = "alice"
LARGEST_REQUEST = 64 * 1024
service = ""
"""SID of the Conversations service, once it is set up."""


def voice(params: Params) -> str:
    """A call came in, from a customer or from the worker herself."""
    answer = VoiceResponse()
    connected = Connect(action="/after")
    connected.conversation(service_instance_sid=service, inbound_timeout=5)
    answer.append(connected)
    return str(answer)


def after(params: Params) -> str:
    """The session is over: nobody answered? Then a message. (``Result`` itself is never ``no-answer``.)"""
    print(f"{params['Result']} {params.get('DialCallStatus', '')}".strip(), flush=True)
    answer = VoiceResponse()
    if params["Result"] == "dialed-call-incomplete" and params.get("DialCallStatus") == "no-answer":
        answer.say(
            "Sorry, your personal advisor is not available right now. Please leave a message after the tone."
        )
        answer.record(recording_status_callback="/message", action="/thanks", finish_on_key="#")
    return str(answer)


def thanks(params: Params) -> str:
    """The message is taken."""
    answer = VoiceResponse()
    answer.say("Thank you. Good bye.")
    return str(answer)


def message(params: Params) -> str:
    """The message's own callback; nothing is expected back."""
    print(f"a message of {params['RecordingDuration']} s", flush=True)
    return ""


PAGES: dict[str, Callable[[Params], str]] = {
    "/voice": voice,
    "/after": after,
    "/thanks": thanks,
    "/message": message,
}


class Handler(BaseHTTPRequestHandler):
    """Checks the signature, then answers with the page of the path."""

    timeout = 30
    validator: RequestValidator

    def do_POST(self) -> None:
        """Answer one webhook."""
        length = int(self.headers.get("Content-Length") or 0)
        page = PAGES.get(self.path)
        if page is None or length > LARGEST_REQUEST:
            self.send_error(404 if page is None else 413)
            return
        params = dict(parse_qsl(self.rfile.read(length).decode("utf-8"), keep_blank_values=True))
        url = f"http://{self.headers['Host']}{self.path}"
        if not self.validator.validate(url, params, self.headers.get("X-Twilio-Signature", "")):
            self.send_error(403, "the signature does not fit")
            return
        body = page(params).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing of requests."""


def set_up(number: str, voice_url: str) -> str:
    """A service with a conversation of our customer and the worker; the number is answered by us."""
    client = connect()
    made = client.conversations.v1.services.create(friendly_name="Personal workers")
    thread = client.conversations.v1.services(made.sid).conversations.create(
        friendly_name="Our best customer"
    )
    people = client.conversations.v1.services(made.sid).conversations(thread.sid).participants
    people.create(messaging_binding_address="+15551230001", messaging_binding_proxy_address=number)
    people.create(identity=WORKER)
    for found in client.incoming_phone_numbers.list(phone_number=number, limit=1):
        client.incoming_phone_numbers(found.sid).update(voice_url=voice_url, voice_application_sid="")
    return str(made.sid)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not re.fullmatch(r"\+[0-9]{7,15}", sys.argv[1]):
        sys.exit("usage: app.py NUMBER")
    signed = type("SignedHandler", (Handler,), {"validator": RequestValidator(credentials()[1])})
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "5000"))), signed)
    service = set_up(sys.argv[1], f"http://127.0.0.1:{server.server_port}/voice")
    print(f"{sys.argv[1]} rings {WORKER} (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
