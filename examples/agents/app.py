"""Calls wait for agents: a caller is enqueued, a free worker's phone rings, they talk, the task is closed.

It is an ordinary Twilio application: TwiML and REST by the official library, signatures checked with it.
Run it with ``.venv/bin/python examples/agents/app.py`` and follow the README beside it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

sys.path.insert(0, str(Path(__file__).parent.parent))
from client_hook import credentials
from office import Office

Params = dict[str, str]
LARGEST_REQUEST = 64 * 1024
WRAP_UP = ThreadPoolExecutor(4)
"""Tasks are completed here, because Ringback waits for the answer to one event before it sends the next."""


class Application:
    """What the webhooks are answered with: a content type and a body."""

    def __init__(self) -> None:
        self.office: Office
        """Made when the port is known, before anything can arrive."""
        self.pages: dict[str, Callable[[Params], tuple[str, str]]] = {
            "/voice": self.voice,
            "/after": self.after,
            "/assignment": self.assignment,
            "/events": self.events,
        }

    def voice(self, params: Params) -> tuple[str, str]:
        """A call came in: it waits as a task of the workflow."""
        answer = VoiceResponse()
        answer.say("Welcome. The next free agent will take your call.")
        waiting = answer.enqueue(workflow_sid=self.office.workflow_sid, action="/after")
        waiting.task(json.dumps({"topic": "example"}))
        return "text/xml", str(answer)

    def after(self, params: Params) -> tuple[str, str]:
        """The caller has left the queue: after the talk, or because the task was canceled."""
        answer = VoiceResponse()
        if params.get("QueueResult") != "bridged":
            answer.say("We are sorry, nobody can take your call now.")
        answer.say("Good bye.")
        answer.hangup()
        return "text/xml", str(answer)

    def assignment(self, params: Params) -> tuple[str, str]:
        """A worker is reserved: let the phone of their ``contact_uri`` ring, and give them the caller."""
        worker = json.loads(params["WorkerAttributes"])
        print(f"{params['TaskSid']} rings at {worker['contact_uri']}", flush=True)
        return "application/json", json.dumps({"instruction": "dequeue", "timeout": 20})

    def events(self, params: Params) -> tuple[str, str]:
        """Anything happened in the workspace; a task whose call is over is completed."""
        subject = params.get("TaskSid") or params.get("ResourceSid", "")
        print(f"{subject} {params['EventType']}", flush=True)
        if params["EventType"] == "task.wrapup":
            WRAP_UP.submit(self.complete, params["TaskSid"])
        return "text/plain", ""

    def complete(self, task_sid: str) -> None:
        """Close the task; 20001 says that somebody else was faster."""
        try:
            self.office.complete(task_sid)
        except TwilioRestException as error:
            print(f"{task_sid} is not completed: {error.msg}", flush=True)


class Handler(BaseHTTPRequestHandler):
    """Checks the signature, then answers with the page of the path."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    validator: RequestValidator
    application: Application

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
        page = self.application.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send_error(404)
            return
        kind, text = page(params)
        body = text.encode("utf-8")
        self.send_response(200 if body else 204)
        if body:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """The events say enough; what went wrong is worth a line."""
        if len(args) > 1 and not str(args[1]).startswith("2"):
            print(f"{self.command} {self.path} {args[1]}", flush=True)


def serve(port: int, auth_token: str, application: Application) -> ThreadingHTTPServer:
    """The server on loopback, not yet running; ``port`` 0 takes a free one."""
    facts = {"validator": RequestValidator(auth_token), "application": application}
    return ThreadingHTTPServer(("127.0.0.1", port), type("SignedHandler", (Handler,), facts))


def main(number: str, workers: list[str]) -> None:
    """Serve, after setting up the workspace: the server must listen before its first event is sent."""
    application = Application()
    server = serve(int(os.environ.get("PORT", "5000")), credentials()[1], application)
    url = f"http://127.0.0.1:{server.server_port}"
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    application.office = Office(url)
    for worker in workers:
        application.office.hire(*worker.split("=", 1))
    application.office.answer(number, f"{url}/voice")
    print(f"{number} is answered at {url} (Ctrl-C stops it)", flush=True)
    try:
        serving.join()
    except KeyboardInterrupt:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    arguments = sys.argv[1:] or ["+15550100", "alice=+15551230002"]
    if not all("=" in each for each in arguments[1:]) or len(arguments) < 2:
        sys.exit("usage: app.py NUMBER NAME=CONTACT_URI [NAME=CONTACT_URI …]")
    main(arguments[0], arguments[1:])
