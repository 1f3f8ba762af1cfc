"""``ringback doctor``: looks at the machine and the settings, and says what to mend.

Each check is one function from the settings to findings; ``CHECKS`` is the list of them. A check changes
nothing that stays, except that it makes the data directory, as a start would.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import typer

from ringback import data_dir
from ringback.callbacks.options import read_options
from ringback.command_line import ConfigOption, DataDirOption
from ringback.edges.smpp.probe import probe
from ringback.edges.transcription.engine import INSTALL, missing
from ringback.outcomes import notifications
from ringback.settings import Listener, Settings, SettingsError, load, unknown_variables

T = TypeVar("T")
Level = Literal["ok", "warning", "error"]

WANTED_DISK = 1_000_000_000
"""Bytes: about 17 hours of recordings."""
LEAST_DISK = 100_000_000
EARLIEST = 1_767_225_600
"""2026-01-01: a clock before this was never set, and TLS and access tokens would fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look showed; ``mend`` says what to do and is empty when all is well."""

    check: str
    level: Level
    text: str
    mend: str = ""


def doctor(settings: Settings) -> list[Finding]:
    """Run every check, in the order in which a start would need them. Blocks for a few seconds."""
    return [finding for check in CHECKS for finding in check(settings)]


def check_python(_: Settings) -> Iterator[Finding]:
    """The version that runs us."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):
        yield Finding("python", "error", f"Python {version} is too old", "install Python 3.11 or newer")
    else:
        yield Finding("python", "ok", f"Python {version}")


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Everything that is set is a setting, and has an effect."""
    found = [*unknown_variables(), *settings.warnings]
    for line in found:
        yield Finding("settings", "warning", line, "correct or remove it")
    try:  # the tables whose keys other parts know
        read_options(settings.callback, settings.base_url, settings.home_country)
        notifications.texts(dict(settings.notifications))
    except ValueError as error:
        yield Finding("settings", "error", str(error), "correct it; docs/settings.md lists them all")
        return
    if not found:
        yield Finding("settings", "ok", "all are known")


def check_data_dir(settings: Settings) -> Iterator[Finding]:
    """Writable, with room for recordings."""
    folder = settings.data_dir.resolve()
    wrong = data_dir.trouble(folder)
    if wrong is not None:
        yield Finding("data directory", "error", f"{folder}: {wrong.text}", wrong.mend)
        return
    yield Finding("data directory", "ok", f"{folder} can be written")
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free for recordings"
    if free < WANTED_DISK:
        level: Level = "error" if free < LEAST_DISK else "warning"
        yield Finding("disk", level, text, "make room, or set RINGBACK_DATA_DIR to a larger disk")
    else:
        yield Finding("disk", "ok", text)


def check_retention(settings: Settings) -> Iterator[Finding]:
    """How long things are kept, and how much there is."""
    from ringback.kept import told
    from ringback.kernel.recording_file import recordings_folder
    from ringback.runtime.usage import folder_bytes

    path = Path(settings.store_url.removeprefix("sqlite:///"))
    size = f"; the database has {path.stat().st_size / 1e6:.0f} MB" if path.is_file() else ""
    sound = folder_bytes(recordings_folder(settings.data_dir))
    yield Finding("kept", "ok", f"{told(settings)}{size}, recordings {sound / 1e6:.0f} MB")


def check_database(settings: Settings) -> Iterator[Finding]:
    """Reachable, and of a revision that this version knows."""
    from ringback.store.migrate import HEAD

    url = settings.store_url
    shown = re.sub(r"//[^/]*@", "//", url)
    try:
        revision = _revision(url)
    except (OSError, ValueError, sqlite3.Error, _UnreachableError) as error:
        mend = "start the database or correct RINGBACK_DATABASE_URL (sqlite:///path, postgresql://user@host/name)"
        yield Finding("database", "error", f"{shown}: {error}", mend)
        return
    if revision is None:
        yield Finding("database", "ok", f"{shown}: empty; the first start makes the tables")
    elif revision > HEAD:
        mend = "run the newer Ringback that wrote it, or restore a backup"
        yield Finding("database", "error", f"{shown} is at {revision}, this version knows {HEAD}", mend)
    elif revision < HEAD:
        yield Finding("database", "ok", f"{shown} is at {revision}; the next start brings it to {HEAD}")
    else:
        yield Finding("database", "ok", f"{shown} is up to date")


def check_writable(settings: Settings) -> Iterator[Finding]:
    """The database takes writes: nobody has locked it, and it is no copy for reading."""
    try:
        why = _unwritable(settings.store_url)
    except (OSError, ValueError, sqlite3.Error, _UnreachableError):
        return  # said of the database itself
    if why:
        mend = (
            "end the program that holds it, or the transaction; a running Ringback keeps what it cannot write"
        )
        yield Finding("writing", "error", f"the database cannot be written: {why}", mend)


def _unwritable(url: str) -> str:
    if not url.startswith("sqlite:///"):
        return asyncio.run(_postgresql(url, _read_only))
    path = Path(url.removeprefix("sqlite:///"))
    if not path.exists():
        return ""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=2)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return str(error)
    return ""


async def _read_only(database: Any) -> str:
    if await database.fetchval("SELECT pg_is_in_recovery()"):
        return "this server is a standby of another"
    found = await database.fetchval("SHOW default_transaction_read_only")
    return "its transactions are read-only" if found == "on" else ""


def check_owner(settings: Settings) -> Iterator[Finding]:
    """Nobody else writes to the database: a database has one server."""
    try:
        owner = _owner(settings.store_url)
    except (OSError, ValueError, _UnreachableError):
        return  # said of the database itself
    if not owner:
        yield Finding("owner", "ok", "the database is free")
    elif _answers(*settings.http_address):
        yield Finding(
            "owner", "ok", f"the database is owned by {owner}, and a Ringback answers at {settings.http}"
        )
    else:
        mend = (
            "stop that one, or give this one a data directory of its own (RINGBACK_DATA_DIR);"
            " with PostgreSQL `ringback serve --standby` takes over when it ends"
        )
        # on PostgreSQL this may be the machine of the standby, which is well
        level: Level = "error" if settings.store_url.startswith("sqlite:") else "warning"
        yield Finding("owner", level, f"the database is owned by {owner}: a start is refused", mend)


def _owner(url: str) -> str:
    if not url.startswith("sqlite:///"):
        return asyncio.run(_postgresql(url, _lease))
    path = Path(url.removeprefix("sqlite:///") + "-lock")
    if not path.exists():
        return ""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        return f"a Ringback on this machine (process {pid})" if pid else "a Ringback on this machine"
    finally:
        os.close(handle)
    return ""


async def _lease(database: Any) -> str:
    from ringback.store.lease import holder_of

    return str(await holder_of(database) or "")


class _UnreachableError(Exception):
    """The driver's own error, in one type."""


def _revision(url: str) -> str | None:
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        if not path.exists():
            return None
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("not a database URL that Ringback knows")
    return asyncio.run(_postgresql(url, _postgresql_revision))


async def _postgresql_revision(database: Any) -> str | None:
    if await database.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    found = await database.fetchval("SELECT version_num FROM alembic_version")
    return None if found is None else str(found)


async def _postgresql(url: str, ask: Callable[[Any], Awaitable[T]]) -> T:
    import asyncpg

    try:
        database = await asyncpg.connect(url, timeout=5)
        try:
            return await ask(database)
        finally:
            await database.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise _UnreachableError(str(error) or type(error).__name__) from error


def check_http(settings: Settings) -> Iterator[Finding]:
    """The HTTP address is free, or a Ringback answers there already."""
    host, port = settings.http_address
    error = _bind_error(socket.SOCK_STREAM, host, port)
    if error is None:
        yield Finding("http", "ok", f"{settings.http} is free")
    elif _answers(host, port):
        yield Finding("http", "ok", f"a Ringback is running at {settings.http}")
    else:
        mend = "stop the program that has it, or set RINGBACK_HTTP to another one, such as 127.0.0.1:8081"
        yield Finding("http", "error", f"RINGBACK_HTTP={settings.http}: cannot listen: {error}", mend)


def check_server(settings: Settings) -> Iterator[Finding]:
    """What a running server says of itself."""
    why = _not_ready(*settings.http_address)
    if why is None:
        return
    if why:
        mend = "mend that; it goes on by itself then, and nothing that it was told is lost while it runs"
        yield Finding("server", "error", f"the Ringback at {settings.http} is not ready: {why}", mend)
    else:
        yield Finding("server", "ok", f"the Ringback at {settings.http} is ready")


def check_sip(settings: Settings) -> Iterator[Finding]:
    """The SIP addresses are free, or ours while we run."""
    if not settings.listeners:
        yield Finding("sip", "warning", "SIP is off: only simulated calls are possible", "set RINGBACK_SIP")
    running = _answers(*settings.http_address)
    for one in settings.listeners:
        shown = f"{one.transport}:{one.host}:{one.port}"
        error = _listen_error(one)
        if error is None:
            yield Finding("sip", "ok", f"{shown} is free")
        elif running:
            yield Finding("sip", "ok", f"{shown} is in use, as it should be: a Ringback is running")
        else:
            mend = f"stop the program that has port {one.port}, or set RINGBACK_SIP to another one, or to off"
            yield Finding("sip", "error", f"RINGBACK_SIP={shown}: cannot listen: {error}", mend)
    for one in settings.listeners:
        if one.host in ("0.0.0.0", "::") and not settings.sip_external_host:  # noqa: S104 - compared
            mend = "when trunks are beyond a NAT, set RINGBACK_SIP_EXTERNAL_HOST to the public address"
            yield Finding("sip", "warning", f"{one.transport} listens on every address", mend)


def _listen_error(one: Listener) -> str | None:
    kind = socket.SOCK_DGRAM if one.transport == "udp" else socket.SOCK_STREAM
    return _bind_error(kind, one.host, one.port)


def _bind_error(kind: socket.SocketKind, host: str, port: int) -> str | None:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=kind)[0]
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _shown(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def _not_ready(host: str, port: int) -> str | None:
    """Why the server there is not ready; empty: it is; None: there is none."""
    try:
        with urllib.request.urlopen(f"http://{_shown(host)}:{port}/ready", timeout=4):
            return ""
    except urllib.error.HTTPError as answer:
        with answer:
            try:
                return str(json.loads(answer.read())["status"])
            except (ValueError, KeyError, TypeError):
                return None
    except (OSError, ValueError):
        return None


def _channels(host: str, port: int) -> dict[str, str] | None:
    """What a server there says of its carriers of texts; None: there is none."""
    try:
        with urllib.request.urlopen(f"http://{_shown(host)}:{port}/ready", timeout=4) as answer:
            return dict(json.loads(answer.read()).get("channels", {}))
    except urllib.error.HTTPError as error:
        with error:
            try:
                return dict(json.loads(error.read()).get("channels", {}))
            except (ValueError, AttributeError):
                return None
    except (OSError, ValueError, AttributeError):
        return None


def _answers(host: str, port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{_shown(host)}:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def check_urls(settings: Settings) -> Iterator[Finding]:
    """The public URL, and whom webhooks may reach."""
    url = urlsplit(settings.base_url)
    if url.path.strip("/") or url.query or url.fragment:
        mend = "leave only scheme, host and port in RINGBACK_PUBLIC_URL"
        yield Finding("public url", "warning", f"{settings.base_url} has more than a host", mend)
    elif not settings.on_loopback and not settings.public_url:
        mend = "set RINGBACK_PUBLIC_URL to the address that others use"
        yield Finding("public url", "warning", f"we hand out {settings.base_url}", mend)
    else:
        yield Finding("public url", "ok", settings.base_url)
    open_to_others = not settings.on_loopback or (url.hostname or "") not in ("127.0.0.1", "localhost", "::1")
    if settings.private_webhooks and open_to_others:
        mend = "set RINGBACK_ALLOW_PRIVATE_WEBHOOKS=false unless everybody with the auth token is trusted"
        yield Finding("webhooks", "warning", "webhooks may go to private addresses", mend)
    else:
        to = "also" if settings.private_webhooks else "not"
        yield Finding("webhooks", "ok", f"webhooks may {to} go to private addresses")


def check_trunks(settings: Settings) -> Iterator[Finding]:
    """The names of the trunks lead to addresses."""
    for trunk in settings.trunks:
        host = (urlsplit(f"//{trunk.host}").hostname or trunk.host).strip("[]")
        try:
            found = sorted({str(one[4][0]) for one in socket.getaddrinfo(host, None)})
            yield Finding("trunk", "ok", f"{trunk.name}: {host} is {', '.join(found)}")
        except OSError as error:
            mend = f"correct host in [trunk.{trunk.name}], or the name service of this machine"
            yield Finding("trunk", "error", f"{trunk.name}: {host}: {error.strerror}", mend)


def check_carriers_of_texts(settings: Settings) -> Iterator[Finding]:
    """SMSCs take us, the hosts of HTTP carriers have addresses. A running server has its own connections."""
    told = _channels(*settings.http_address) if settings.smpp else None
    for smpp in settings.smpp:
        why = (
            probe(smpp)
            if told is None
            else told.get(f"smpp:{smpp.name}", "the server does not have it: restart it")
        )
        if why in ("", "ready"):
            yield Finding("smpp", "ok", f"{smpp.name}: {smpp.host}:{smpp.port} takes us")
        else:
            mend = (
                f"correct [smpp.{smpp.name}], or ask the carrier: {smpp.host}:{smpp.port} as {smpp.system_id}"
            )
            yield Finding("smpp", "error", f"{smpp.name}: {why}", mend)
    for carrier in settings.http_carriers:
        host = urlsplit(carrier.send_url).hostname or ""
        try:
            socket.getaddrinfo(host, None)
            yield Finding("http carrier", "ok", f"{carrier.name}: {host} has an address")
        except OSError as error:
            mend = f"correct send_url in [http_carrier.{carrier.name}], or the name service of this machine"
            yield Finding("http carrier", "error", f"{carrier.name}: {host}: {error.strerror}", mend)


def check_descriptors(settings: Settings) -> Iterator[Finding]:
    """Every leg needs a socket: the limit against the RTP ports that the settings offer."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    legs = len(settings.rtp_range) // 2
    wanted = min(legs, 1000) + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        mend = f"raise the limit of open files (ulimit -n, LimitNOFILE=) to {wanted} or more"
        yield Finding("open files", "warning", f"{hard} open files allow about {hard - 200} legs", mend)
    else:
        yield Finding("open files", "ok", f"enough for {wanted - 200} legs; RTP ports for {legs}")


def check_voice(_: Settings) -> Iterator[Finding]:
    """The voice speaks (in a process of its own, so that a broken library is only a finding)."""
    speak = "import hibari; print(sum(len(part) for part in hibari.Hibari(threads=1).stream('ready')))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", speak], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        yield Finding(
            "voice", "error", "the voice did not speak within 60 s", "look for other load on the machine"
        )
        return
    if done.returncode == 0 and done.stdout.strip().isdigit() and int(done.stdout) > 0:
        yield Finding("voice", "ok", "the default voice speaks")
    else:
        reason = (done.stderr.strip().splitlines() or ["no sound"])[-1]
        yield Finding("voice", "error", reason, "install again: make clean run")


def check_transcription(settings: Settings) -> Iterator[Finding]:
    """The engine that writes recordings down can be loaded (in a process of its own, as when it works)."""
    if settings.transcription != "whisper" or not settings.transcription_workers:
        how = "script" if settings.transcription == "script" else "off"
        yield Finding("transcription", "ok", f"transcription is {how}: no engine is needed")
        return
    engine = settings.transcription_engine
    if missing(engine):
        text = "what writes recordings down is not installed: every transcription fails"
        yield Finding("transcription", "warning", text, f"{INSTALL}; or set RINGBACK_TRANSCRIPTION=off")
        return
    load = "import sys; from ringback.edges.transcription.worker import load; print(load(sys.argv[1]).name)"
    mend = "install again: make clean run; or set RINGBACK_TRANSCRIPTION=off"
    try:
        done = subprocess.run(
            [sys.executable, "-c", load, engine], capture_output=True, text=True, timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        yield Finding("transcription", "error", f"{engine} was not loaded within 60 s", mend)
        return
    if done.returncode == 0 and done.stdout.strip():
        yield Finding(
            "transcription",
            "ok",
            f"{done.stdout.strip()} is loaded; {settings.transcription_workers} at most",
        )
    else:
        reason = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        yield Finding("transcription", "error", f"{engine}: {reason}", mend)


def check_clock(_: Settings) -> Iterator[Finding]:
    """The clock has been set."""
    if time.time() < EARLIEST:
        yield Finding("clock", "error", f"the clock says {time.ctime()}", "set it, by NTP at best")
    else:
        yield Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()))


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    check_python,
    check_settings,
    check_data_dir,
    check_retention,
    check_database,
    check_writable,
    check_owner,
    check_http,
    check_server,
    check_sip,
    check_urls,
    check_trunks,
    check_carriers_of_texts,
    check_descriptors,
    check_voice,
    check_transcription,
    check_clock,
)


def command(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Check the machine and the settings, and say what to mend. Leaves with status 1 after an error."""
    try:
        findings = doctor(load(file=config, flags={"data_dir": data_dir}))
    except SettingsError as error:
        findings = [Finding("settings", "error", str(error), "correct it; docs/settings.md lists them all")]
    colours: dict[Level, str] = {"ok": "green", "warning": "yellow", "error": "red"}
    for one in findings:
        typer.secho(f"{one.level:8}", fg=colours[one.level], nl=False)
        typer.echo(f"{one.check:15} {one.text}")
        if one.mend:
            typer.echo(f"{'':8}{'':15} -> {one.mend}")
    if any(one.level == "error" for one in findings):
        raise typer.Exit(1)
