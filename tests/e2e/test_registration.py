"""Registered phones outlive the server: killed and started again, it reaches them at once (RFC 3261 §10)."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from tests.e2e.baresip import Phone
from tests.e2e.site import Site, free_port, until
from tests.e2e.web import Web

TOML = """
[phone.alice]
password = "wonderland"
[phone.bob]
password = "builder"
"""
LONG = "<Response><Pause length='60'/></Response>"


def call(site: Site, web: Web, user: str) -> str:
    """Call a phone at its address of record; the call's SID."""
    made = site.client.calls.create(
        to=f"sip:{user}@ringback", from_="+15550100", twiml=LONG, status_callback=f"{web.url}/status"
    )
    return str(made.sid)


def test_kill_9_forgets_no_phone(start_site: Callable[..., Site], web: Web, tmp_path: Path) -> None:
    """A phone over UDP registers once and knows nothing of the kill: the next call rings it within seconds."""
    site = start_site(toml=TOML, sip_trusted="10.0.0.0/8")
    site.may_warn = True  # of callbacks that were owed at the kill
    with Phone(
        tmp_path / "alice", user="alice", server=f"127.0.0.1:{site.sip_port}", password="wonderland"
    ) as alice:
        alice.says("200 OK (Ringback")
        registered = alice.log().count("200 OK (Ringback")
        for run in range(2):
            site.kill()
            site.start()
            sid = call(site, web, "alice")
            alice.wait("CALL_INCOMING", run + 1, seconds=3)
            alice.command("accept")
            alice.wait("CALL_ESTABLISHED", run + 1)
            until(lambda sid=sid: site.status(sid) == "in-progress", 5, "the call is answered")  # type: ignore[misc]
            alice.command("hangup")
            assert site.ended(sid) == "completed"
        assert alice.log().count("200 OK (Ringback") == registered, "it did not register again meanwhile"
    assert "phones that are still registered: 1" in site.log()


def test_whoever_is_gone_stays_gone(start_site: Callable[..., Site], web: Web, tmp_path: Path) -> None:
    """A phone that unregistered before the kill, and one whose TCP connection died with the server: 404, 32009.

    The latter is truthful: nobody can open that connection again but the phone.
    """
    tcp, udp = free_port(), free_port(socket.SOCK_DGRAM)
    site = start_site(toml=TOML, sip_trusted="10.0.0.0/8", sip=f"udp:127.0.0.1:{udp},tcp:127.0.0.1:{tcp}")
    site.may_warn = True
    alice = Phone(tmp_path / "alice", user="alice", server=f"127.0.0.1:{udp}", password="wonderland")
    with Phone(
        tmp_path / "bob", user="bob", server=f"127.0.0.1:{tcp}", password="builder", transport="tcp"
    ) as bob:
        with alice:
            alice.says("200 OK (Ringback")
        bob.says("200 OK (Ringback")
        assert _codes(site, web, "alice") == ["404"], "baresip unregisters when it ends"
        site.kill()
        site.start()
        assert _codes(site, web, "alice") == ["404"]
        assert _codes(site, web, "bob") == ["404"]
        assert "still registered" not in site.log()


def _codes(site: Site, web: Web, user: str) -> list[str]:
    sid = call(site, web, user)
    assert site.ended(sid) == "failed"
    told = until(lambda: web.of(sid), 5, "its callback")
    return [str(one["SipResponseCode"]) for one in told]
