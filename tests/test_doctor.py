"""The doctor finds what is wrong, and only that."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import threading
from pathlib import Path

import pytest

from ringback import doctor
from ringback.doctor import Finding
from ringback.kernel.text_carrier import HttpCarrier, Smpp
from ringback.settings import Settings, Trunk
from ringback.store.migrate import HEAD
from tests.smsc import Smsc


def only(findings: list[Finding]) -> Finding:
    """The one finding there is."""
    assert len(findings) == 1, findings
    return findings[0]


def test_every_error_and_warning_says_what_to_mend(tmp_path: Path) -> None:
    """And an ok says nothing more."""
    settings = Settings(
        data_dir=tmp_path, http="0.0.0.0:0", sip="off", database_url="oracle://x", clock="real",
        trunks=(Trunk(name="t", host="no-such-host.invalid"),),
    )  # fmt: skip
    slow = (doctor.check_voice, doctor.check_transcription)
    quick = [check for check in doctor.CHECKS if check not in slow]
    findings = [finding for check in quick for finding in check(settings)]
    assert {one.check for one in findings if one.level == "error"} == {"database", "trunk"}
    assert all(bool(one.mend) == (one.level != "ok") for one in findings)


def test_an_smsc_is_bound_to_once(tmp_path: Path) -> None:
    """What it answers is the finding; nothing is left bound."""
    ready, loops = threading.Event(), []
    smsc = Smsc()

    def run() -> None:
        async def serve() -> None:
            await smsc.start()
            loops.append((asyncio.get_running_loop(), asyncio.current_task()))
            ready.set()
            try:
                await asyncio.sleep(60)
            finally:
                await smsc.stop()

        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10)
        here = Smpp(name="acme", host="127.0.0.1", port=smsc.port, system_id="us", password="secret")
        settings = Settings(http="127.0.0.1:0", smpp=(here,))
        assert only(list(doctor.check_carriers_of_texts(settings))).level == "ok"
        assert smsc.units == ["bind_transmitter", "unbind"]
        smsc.bind_status = 0x0E
        found = only(list(doctor.check_carriers_of_texts(settings)))
        assert (found.level, "RINVPASWD" in found.text, "secret" in str(found)) == ("error", True, False)
        assert smsc.bound == []
    finally:
        loop, task = loops[0]
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
    assert only(list(doctor.check_carriers_of_texts(settings))).level == "error"


def test_the_host_of_an_http_carrier_is_looked_up() -> None:
    """As a trunk's is."""
    given = {"name": "chat", "token": "t", "webhook_secret": "0123456789abcdef", "numbers": ("whatsapp:*",)}
    for url, level in (("http://127.0.0.1/", "ok"), ("http://no-such-host.invalid/", "error")):
        settings = Settings(http="127.0.0.1:0", http_carriers=(HttpCarrier(send_url=url, **given),))  # type: ignore[arg-type]
        assert only(list(doctor.check_carriers_of_texts(settings))).level == level


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    """Also as root, who may write everywhere."""
    (tmp_path / "file").write_text("")
    assert only(list(doctor.check_data_dir(Settings(data_dir=tmp_path / "file")))).level == "error"


def test_a_port_that_another_program_has() -> None:
    """Nobody answers as Ringback there."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        settings = Settings(http=f"127.0.0.1:{port}", sip=f"tcp:127.0.0.1:{port}")
        assert only(list(doctor.check_http(settings))).level == "error"
        assert only(list(doctor.check_sip(settings))).level == "error"
    assert only(list(doctor.check_http(settings))).level == "ok"
    assert only(list(doctor.check_sip(settings))).level == "ok"


@pytest.mark.parametrize(
    ("revision", "level"), [(HEAD, "ok"), ("0000", "ok"), ("9999", "error"), (None, "ok"), ("junk", "error")]
)
def test_databases(tmp_path: Path, revision: str | None, level: str) -> None:
    """Up to date, older, newer, not there, and not a database at all."""
    path = tmp_path / "ringback.db"
    if revision == "junk":
        path.write_bytes(b"this is no database" * 100)
    elif revision is not None:
        database = sqlite3.connect(path)
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()
        database.close()
    assert only(list(doctor.check_database(Settings(data_dir=tmp_path)))).level == level
    assert path.exists() == (revision is not None), "the doctor must not make a database"


def test_a_password_is_not_shown() -> None:
    """Nor anything else in front of the host."""
    found = only(list(doctor.check_database(Settings(database_url="mysql://me:secret@host/name"))))
    assert "secret" not in found.text


def test_private_webhooks_behind_a_proxy() -> None:
    """Loopback allows them; a public URL means that strangers may come through a proxy."""
    findings = {
        one.check: one.level for one in doctor.check_urls(Settings(public_url="https://voice.example.com"))
    }
    assert findings["webhooks"] == "warning"
    findings = {one.check: one.level for one in doctor.check_urls(Settings())}
    assert findings == {"public url": "ok", "webhooks": "ok"}


@pytest.mark.parametrize(
    ("settings", "level", "says"),
    [
        (Settings(), "ok", "faster-whisper tiny.en is loaded"),
        (Settings(transcription="off"), "ok", "off"),
        (Settings(transcription_workers=0), "ok", "off"),
        (Settings(transcription="script"), "ok", "script"),
        (Settings(transcription_engine="no_such_engine:Engine"), "error", "No module named 'no_such_engine'"),
        (Settings(transcription_engine="ringback.settings:Nothing"), "error", "has no attribute 'Nothing'"),
    ],
)
def test_transcription(settings: Settings, level: str, says: str) -> None:
    """The real engine loads; one that cannot is named with the reason."""
    found = only(list(doctor.check_transcription(settings)))
    assert found.level == level
    assert says in found.text
    assert bool(found.mend) == (level != "ok")
