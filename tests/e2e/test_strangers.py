"""`ringback serve` and strangers: crowds that say nothing, endless heads, odd bodies; and who can read its files."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site, free_port, until

CROWD = 1500


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With short limits, and SIP over TCP."""
    sip = free_port()
    made = Site(
        tmp_path, http_head_seconds="1", http_body_seconds="1", sip=f"tcp:127.0.0.1:{sip}", sip_message_seconds="1"
    )  # fmt: skip
    made.sip_port = sip
    made.start()
    yield made
    made.close()


def metric(site: Site, name: str) -> float:
    """A figure of /metrics."""
    with urllib.request.urlopen(f"{site.url}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"ringback_{name} ")))


def status(url: str, data: bytes | None = None, kind: str = "application/x-www-form-urlencoded") -> int:
    """Of a request."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, {"Content-Type": kind}), timeout=5
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code


def descriptors(site: Site) -> int:
    """How many files and sockets the server has open."""
    assert site.process is not None
    return sum(1 for _ in Path(f"/proc/{site.process.pid}/fd").iterdir())


async def _crowd(port: int, begin: bytes) -> list[asyncio.StreamWriter]:
    made = []
    for _ in range(CROWD // 100):
        pairs = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(100)))
        for _, writer in pairs:
            with contextlib.suppress(OSError):
                writer.write(begin)
        made += [writer for _, writer in pairs]
    return made


@pytest.mark.parametrize("where", ["http", "sip"])
def test_a_crowd_of_half_open_connections(site: Site, where: str) -> None:
    """Others are heard meanwhile, and in time nothing is left of it."""

    async def stand() -> None:
        port, begin = (site.port, b"GET /hea") if where == "http" else (site.sip_port, b"OPTIONS sip:")
        writers = await _crowd(port, begin)
        assert await asyncio.to_thread(status, f"{site.url}/health") == 200
        assert descriptors(site) > 800
        await asyncio.to_thread(until, lambda: descriptors(site) < 200, 10, "the crowd is gone")
        for writer in writers:
            writer.close()

    asyncio.run(stand())


def test_a_head_without_end(site: Site) -> None:
    """A hundred megabytes of header are not taken: the connection breaks long before."""
    sent = 0
    with socket.create_connection(("127.0.0.1", site.port), 5) as peer, contextlib.suppress(OSError):
        peer.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        while sent < 100_000_000:
            peer.sendall(b"X: " + b"a" * 65_536 + b"\r\n")
            sent += 65_541
    assert sent < 20_000_000
    assert metric(site, "http_refused_total") >= 1


def test_what_cannot_be_read_is_no_fault_of_ours(site: Site) -> None:
    """No 500 for anybody without credentials."""
    fields = "&".join(f"a{n}=1" for n in range(500)).encode()
    for data, kind, wanted in (
        (b"x", "multipart/form-data", 200), (fields, "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400), (b"x" * 300_000, "text/plain", 413),
        (b'{"Digits": []}', "application/json", 200), (b"[", "application/json", 400),
        (b"Digits=1", "application/x-www-form-urlencoded", 200),
    ):  # fmt: skip
        assert status(f"{site.url}/welcome", data, kind) == wanted, (data[:20], kind)
    for line in (
        b"OPTIONS * HTTP/1.1",
        b"GET * HTTP/1.1",
        b"CONNECT a:1 HTTP/1.1",
        b"GET http://x/ HTTP/1.1",
        b"A",
    ):
        for host in (b"x", b"[", b"\xff"):
            with socket.create_connection(("127.0.0.1", site.port), 5) as peer:
                peer.sendall(line + b"\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
                answered = peer.recv(100)
                assert not answered.startswith(b"HTTP/1.1 5"), (line, host, answered)


def test_its_files_are_its_own(tmp_path: Path) -> None:
    """Whatever the umask of whoever starts it; what an earlier version left open is closed."""
    old = tmp_path / "var" / "recordings"
    old.mkdir(parents=True)
    (old / "RE1.wav").write_bytes(b"x")
    for each, mode in ((tmp_path / "var", 0o755), (old, 0o755), (old / "RE1.wav", 0o644)):
        each.chmod(mode)
    site = Site(tmp_path)
    site.start()
    site.client.calls.create(
        to="+15551230001", from_="+15550100", twiml="<Response><Say>Hello</Say></Response>"
    )
    until(lambda: site.client.calls.list()[0].status == "completed", 30)
    site.close()
    found = {each: stat.S_IMODE(each.lstat().st_mode) for each in (tmp_path / "var").rglob("*")}
    assert {str(each): oct(mode) for each, mode in found.items() if mode & 0o077} == {}
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_every_address_is_no_address(tmp_path: Path) -> None:
    """Listening everywhere without a public URL: a warning, and links that can be opened."""
    site = Site(tmp_path)
    site.environment["RINGBACK_HTTP"] = f"0.0.0.0:{site.port}"
    site.may_warn = True
    site.start()
    site.close()
    log = site.log()
    assert "RINGBACK_PUBLIC_URL is not set" in log
    assert "Ringback is ready at http://" in log
    assert "//0.0.0.0" not in log
