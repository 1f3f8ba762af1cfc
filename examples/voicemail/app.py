"""A voicemail box: a menu, a message after the beep, and a list of what was recorded.

It is an ordinary Twilio application: TwiML from the official library, signatures checked with it.
Run it with ``.venv/bin/python examples/voicemail/app.py`` and follow the README beside it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

sys.path.insert(0, str(Path(__file__).parent.parent))
from client_hook import credentials

Params = dict[str, str]
LARGEST_REQUEST = 64 * 1024


def voice(params: Params) -> str:
    """A call came in: greet, and ask for one digit."""
    answer = VoiceResponse()
    gather = Gather(num_digits=1, timeout=6, action="/menu")
    gather.say("Welcome to the example. Press 1 to leave a message. Press 2 to hear our opening hours.")
    answer.append(gather)
    answer.say("We did not hear a key. Good bye.")
    return str(answer)


def menu(params: Params) -> str:
    """The caller pressed a digit."""
    answer = VoiceResponse()
    if params.get("Digits") == "1":
        answer.say("Please leave a message after the beep. Press the pound key when you are done.")
        answer.record(
            action="/thanks",
            max_length=120,
            timeout=5,
            finish_on_key="#",
            play_beep=True,
            recording_status_callback="/recorded",
        )
        answer.say("We did not hear a message. Good bye.")
    elif params.get("Digits") == "2":
        answer.say("We are open from Monday to Friday, from nine to five.")
        answer.redirect("/voice")
    else:
        answer.say("That is not one of the choices.")
        answer.redirect("/voice")
    return str(answer)


def thanks(params: Params) -> str:
    """The message is taken (this request also comes when the caller hung up)."""
    print(f"message of {params.get('RecordingDuration')} s: {params.get('RecordingUrl')}", flush=True)
    answer = VoiceResponse()
    answer.say("Thank you. Good bye.")
    answer.hangup()
    return str(answer)


def recorded(params: Params) -> str:
    """The file of a recording is ready (RecordingStatusCallback); nothing is expected back."""
    print(f"recording {params.get('RecordingSid')} is {params.get('RecordingStatus')}", flush=True)
    return ""


def status(params: Params) -> str:
    """A status callback of the call, when the number asks for them."""
    print(f"call {params.get('CallSid')} is {params.get('CallStatus')}", flush=True)
    return ""


PAGES: dict[str, Callable[[Params], str]] = {
    "/voice": voice,
    "/menu": menu,
    "/thanks": thanks,
    "/recorded": recorded,
    "/status": status,
}


class Handler(BaseHTTPRequestHandler):
    """Checks the signature, then answers with the page of the path."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    validator: RequestValidator

    def do_POST(self) -> None:
        """Answer one webhook."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_REQUEST:
            self.send_error(413)
            return
        params = dict(parse_qsl(self.rfile.read(length).decode("utf-8"), keep_blank_values=True))
        url = f"http://{self.headers['Host']}{self.path}"
        if not self.validator.validate(url, params, self.headers.get("X-Twilio-Signature", "")):
            self.send_error(403, "the signature does not fit")
            return
        page = PAGES.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(404)
            return
        body = page(params).encode("utf-8")
        self.send_response(200 if body else 204)
        if body:
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """One short line a request."""
        print(f"{self.command} {self.path} {args[1] if len(args) > 1 else ''}", flush=True)


def serve(port: int, auth_token: str) -> ThreadingHTTPServer:
    """The server on loopback, not yet running; ``port`` 0 takes a free one."""
    handler = type("SignedHandler", (Handler,), {"validator": RequestValidator(auth_token)})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


if __name__ == "__main__":
    server = serve(int(os.environ.get("PORT", "5000")), credentials()[1])
    print(f"voicemail at http://127.0.0.1:{server.server_port}/voice (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
