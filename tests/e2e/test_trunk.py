"""Trunks of ``ringback.toml`` against SIPp: numbers leave by prefix, arrive by address, digest both ways."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scenario import reply, scenario, sdp, send

from tests.e2e.site import Site, free_port, until
from tests.e2e.web import Web

CHALLENGE = 'WWW-Authenticate: Digest realm="trunk", nonce="abc123", algorithm=MD5, qop="auth"\n'


TAG = "[call_number]"
CONTACT = "Contact: <sip:[local_ip]:[local_port]>\n"
OK_SDP = reply("200 OK", tag=TAG, headers=CONTACT, body=sdp("[media_port]"))


def receive(request: str, header: str = "", pattern: str = "") -> str:
    """A step that waits for a request, which must have a header that matches."""
    action = ""
    if header:
        action = (
            f'<action><ereg regexp="{pattern}" search_in="hdr" header="{header}:" check_it="true" '
            'assign_to="1"/><log message="[$1]"/></action>'
        )
    return f'<recv request="{request}">{action}</recv>'


@contextmanager
def sipp(folder: Path, text: str, port: int, calls: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """SIPp as the far end of the trunk."""
    file = folder / f"trunk{port}.xml"
    file.write_text(text)
    process = subprocess.Popen(
        ["sipp", "-sf", str(file), "-i", "127.0.0.1", "-p", str(port), "-m", str(calls), "-nostdin", "-timeout", "20"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_number_leaves_by_its_prefix_and_the_trunks_password_is_given(
    start_site: Callable[..., Site], tmp_path: Path
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    site = start_site(
        toml=f'[trunk.berlin]\nhost = "127.0.0.1:{port}"\nprefixes = ["+49"]\nusername = "us"\npassword = "secret"\n'
    )
    site.number("+15550142", "http://127.0.0.1:9/none")
    steps = scenario(
        receive("INVITE", "To", "sip:.4930123456@127"),
        send(reply("401 Unauthorized", tag=TAG, headers=CHALLENGE)),
        receive("ACK"),
        receive("INVITE", "Authorization", 'username="us", realm="trunk"'),
        send(reply("180 Ringing", tag=TAG, headers=CONTACT)),
        send(OK_SDP),
        receive("ACK"),
        receive("BYE"),
        send(reply("200 OK")),
    )
    with sipp(tmp_path, steps, port) as trunk:
        call = site.client.calls.create(
            to="+4930123456", from_="+15550142", twiml="<Response><Pause length='1'/></Response>"
        )
        assert site.ended(call.sid) == "completed"
        assert trunk.wait(10) == 0


def test_a_trunk_is_full_at_its_limit(start_site: Callable[..., Site], tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    site = start_site(toml=f'[trunk.small]\nhost = "127.0.0.1:{port}"\nprefixes = ["*"]\nmax_calls = 1\n')
    site.number("+15550142", "http://127.0.0.1:9/none")
    steps = scenario(
        receive("INVITE"),
        send(OK_SDP),
        receive("ACK"),
        receive("BYE"),
        send(reply("200 OK")),
    )
    with sipp(tmp_path, steps, port):
        twiml = "<Response><Pause length='60'/></Response>"
        first = site.client.calls.create(to="+4930123456", from_="+15550142", twiml=twiml)
        until(lambda: site.status(first.sid) == "in-progress", say="the first call is answered")
        second = site.client.calls.create(to="+4930123456", from_="+15550142", twiml=twiml)
        assert site.ended(second.sid) == "failed"
        site.client.calls(first.sid).update(status="completed")
        assert site.ended(first.sid) == "completed"


def test_a_registration_is_kept_with_digest(start_site: Callable[..., Site], tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    steps = scenario(
        receive("REGISTER"),
        send(reply("401 Unauthorized", tag=TAG, headers=CHALLENGE)),
        receive("REGISTER", "Authorization", 'username="us", realm="trunk"'),
        send(reply("200 OK", tag=TAG, headers="[last_Contact:]\nExpires: 300\n")),
    )
    with sipp(tmp_path, steps, port) as trunk:
        start_site(
            toml=f'[trunk.home]\nhost = "127.0.0.1:{port}"\nregister = true\nusername = "us"\npassword = "secret"\n'
        )
        assert trunk.wait(15) == 0


def test_calls_arrive_from_the_trunks_address_and_from_nobody_else(
    start_site: Callable[..., Site], web: Web, tmp_path: Path
) -> None:
    web.documents["/voice"] = "<Response><Hangup/></Response>"
    site = start_site(
        toml='[trunk.in]\nhost = "127.0.0.2"\nnumbers = ["+4930999"]\n', sip_trusted="10.0.0.0/8"
    )
    (number,) = [one for one in site.client.incoming_phone_numbers.list() if one.phone_number == "+4930999"]
    number.update(voice_url=f"{web.url}/voice")
    arguments = ["sipp", f"127.0.0.1:{site.sip_port}", "-sn", "uac", "-s", "4930999", "-m", "1", "-nostdin"]
    results = [
        subprocess.run(
            [*arguments, "-i", address, "-timeout", "5"], cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        ).returncode
        for address in ("127.0.0.3", "127.0.0.2")
    ]  # fmt: skip
    calls = site.client.calls.list()
    assert results[0] != 0
    assert [(one.to, one.direction) for one in calls] == [("+4930999", "inbound")]
