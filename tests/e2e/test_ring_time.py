"""A callee who says nothing is given up when the ring time is over, whatever SIP's own timers say (issue 11, A 2)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.site import Site, until
from tests.e2e.web import Params, Web

NOBODY = "sip:a@127.0.0.1:9"


class Silent:
    """A SIP callee that never answers, or rings once and then says nothing; it counts what came."""

    def __init__(self, ringing: bool) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.uri = f"sip:a@127.0.0.1:{self.socket.getsockname()[1]}"
        self.ringing = ringing
        self.methods: list[str] = []

    def hear(self, seconds: float) -> None:
        """Take what comes in that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                data, source = self.socket.recvfrom(65_535)
            except TimeoutError:
                continue
            lines = data.decode().split("\r\n")
            self.methods.append(lines[0].partition(" ")[0])
            if self.ringing and self.methods == ["INVITE"]:
                kept = [line for line in lines if line.startswith(("Via:", "From:", "Call-ID:", "CSeq:"))]
                to = next(line for line in lines if line.startswith("To:")) + ";tag=x"
                reply = ["SIP/2.0 180 Ringing", *kept, to, "Content-Length: 0", "", ""]
                self.socket.sendto("\r\n".join(reply).encode(), source)


@contextmanager
def silent(*, ringing: bool = False) -> Iterator[Silent]:
    callee = Silent(ringing)
    try:
        yield callee
    finally:
        callee.socket.close()


def dialled(site: Site, web: Web, dial: str) -> tuple[Params, float]:
    """Place a call whose document dials; what the action was told, and the seconds that the Dial took."""
    began: list[float] = []
    ended: list[tuple[Params, float]] = []

    def voice(facts: Params) -> str:
        began.append(time.monotonic())
        return f"<Response>{dial}</Response>"

    def after(facts: Params) -> str:
        ended.append((facts, time.monotonic() - began[0]))
        return "<Response><Hangup/></Response>"

    web.documents |= {"/voice": voice, "/after": after}
    site.client.calls.create(to="+15557770001", from_="+15550100", url=f"{web.url}/voice")
    return until(lambda: ended, 30, "the action is asked for")[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("dial", "seconds"),
    [
        (f"<Dial timeout='5' action='/after'><Sip>{NOBODY}</Sip></Dial>", 5),
        (f"<Dial timeout='2' action='/after'><Sip>{NOBODY}</Sip></Dial>", 2),
        (f"<Dial timeout='2' action='/after'>{NOBODY}</Dial>", 2),
        (f"<Dial timeout='2' action='/after'><Sip>{NOBODY}</Sip><Sip>sip:b@127.0.0.1:9</Sip></Dial>", 2),
        (
            f"<Dial timeout='2' action='/after' sequential='true'><Sip>{NOBODY}</Sip>"
            "<Sip>sip:b@127.0.0.1:9</Sip></Dial>",
            4,
        ),
        (f"<Dial timeout='2' action='/after'><Sip>{NOBODY};transport=tcp</Sip></Dial>", 0),
    ],
)
def test_dial_gives_up_who_is_silent(shared: Site, web: Web, dial: str, seconds: float) -> None:
    facts, took = dialled(shared, web, dial)
    assert facts["DialCallStatus"] == ("no-answer" if seconds else "failed")
    assert facts["DialSipResponseCode"] == ("487" if seconds else "503")
    assert seconds - 0.1 <= took < seconds + 1.5


@pytest.mark.parametrize("ringing", [False, True])
def test_a_real_callee_who_falls_silent(shared: Site, web: Web, ringing: bool) -> None:
    """Without a provisional response there is nothing to cancel; after a 180 there is, and nobody need answer it."""
    with silent(ringing=ringing) as callee:
        listening = threading.Thread(target=callee.hear, args=(5.0,))
        listening.start()
        facts, took = dialled(
            shared, web, f"<Dial timeout='2' action='/after'><Sip>{callee.uri}</Sip></Dial>"
        )
        listening.join()
    assert (facts["DialCallStatus"], facts["DialSipResponseCode"]) == ("no-answer", "487")
    assert 1.9 <= took < 3.5
    assert ("CANCEL" in callee.methods) == ringing
    if not ringing:
        assert callee.methods.count("INVITE") <= 4, "it is not repeated after it was given up"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_connection_that_nobody_reads(shared: Site, web: Web, transport: str) -> None:
    """The connection is made, and then nothing comes: no answer to the INVITE, no TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"sip:a@127.0.0.1:{server.getsockname()[1]};transport={transport}"
        facts, took = dialled(shared, web, f"<Dial timeout='2' action='/after'><Sip>{uri}</Sip></Dial>")
    assert (facts["DialCallStatus"], facts["DialSipResponseCode"]) == ("no-answer", "487")
    assert 1.9 <= took < 3.5


def test_who_answers_while_others_are_silent_wins(shared: Site, web: Web) -> None:
    """Simultaneous dialling: a silent callee holds nobody up."""
    facts, took = dialled(
        shared, web,
        f"<Dial timeout='10' action='/after'><Sip>{NOBODY}</Sip><Number>+15005551200</Number></Dial>",
    )  # fmt: skip
    assert facts["DialCallStatus"] == "completed"
    assert took < 5


def test_a_silent_participant(shared: Site, web: Web) -> None:
    """Conference participants ring as long as they are told, too."""
    made = shared.client.conferences("ring-time").participants.create(
        from_="+15550100", to=NOBODY, timeout=5, status_callback=f"{web.url}/status"
    )
    assert shared.ended(str(made.call_sid), 8) == "no-answer"
