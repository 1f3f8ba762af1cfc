"""What a start says when it cannot be one, and what the first start alone says."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.site import Site, free_port, until
from tests.e2e.web import Web


def ringback(site: Site, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """A command on the same settings as the site; ``before``: what runs it."""
    return subprocess.run(
        [*before, sys.executable, "-m", "ringback", *arguments], env=site.environment, cwd=site.folder,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def refused(site: Site, *arguments: str, status: int = 1, before: tuple[str, ...] = ()) -> str:
    """A start that does not come about; what was printed, which has no traceback."""
    done = ringback(site, "serve", *arguments, before=before)
    said = done.stdout + done.stderr
    assert done.returncode == status, said
    assert "Traceback" not in said
    assert "Ringback is ready" not in said
    return said


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Gives `make(**settings)`: a site that is not started."""
    made: list[Site] = []

    def one(**settings: str) -> Site:
        made.append(Site(tmp_path / f"site{len(made)}", **settings))
        made[-1].may_warn = True
        return made[-1]

    yield one
    for site in made:
        if site.process is not None:
            site.close()
        site._http.session.close()


@contextmanager
def taken(kind: socket.SocketKind) -> Iterator[int]:
    """A port that another program has."""
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(("transport", "kind"), [("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)])
def test_a_sip_port_that_is_taken(make: Callable[..., Site], transport: str, kind: socket.SocketKind) -> None:
    """Setting, port, and what to do; the doctor says the same."""
    with taken(kind) as port:
        site = make(sip=f"{transport}:127.0.0.1:{port}")
        said = refused(site)
        assert (
            f"cannot start: RINGBACK_SIP={transport}:127.0.0.1:{port}: Address already in use: stop the"
            in said
        )
        assert "set RINGBACK_SIP to another one, or to off" in said
        doctor = ringback(site, "doctor")
        assert doctor.returncode == 1
        line = (
            rf"error +sip +RINGBACK_SIP={transport}:127.0.0.1:{port}: cannot listen: Address already in use"
        )
        assert re.search(line, doctor.stdout), doctor.stdout
        assert f"-> stop the program that has port {port}, or set RINGBACK_SIP" in doctor.stdout


def test_an_http_port_that_is_taken(make: Callable[..., Site]) -> None:
    with taken(socket.SOCK_STREAM) as port:
        site = make(http=f"127.0.0.1:{port}")
        assert f"RINGBACK_HTTP=127.0.0.1:{port}: Address already in use: stop the program" in refused(site)
        assert f"RINGBACK_HTTP=127.0.0.1:{port}: cannot listen" in ringback(site, "doctor").stdout


def test_a_certificate_that_is_none(make: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    junk = str(tmp_path / "junk.pem")
    site = make(sip=f"tls:127.0.0.1:{free_port()}", sip_tls_certificate=junk, sip_tls_key=junk)
    assert "RINGBACK_SIP_TLS_CERTIFICATE, RINGBACK_SIP_TLS_KEY: " in refused(site)


def test_a_database_that_does_not_answer(make: Callable[..., Site]) -> None:
    port = free_port()
    said = refused(make(database_url=f"postgresql://me:secret@127.0.0.1:{port}/x"))
    assert f"cannot start: RINGBACK_DATABASE_URL=postgresql://…@127.0.0.1:{port}/x: " in said
    assert "start the database, or correct" in said
    assert "secret" not in said


def test_tables_whose_keys_other_parts_know(make: Callable[..., Site]) -> None:
    """`[callback]` and `[notifications]` are refused at the start and by the doctor in the same words."""
    for text, says in (
        ("[callback]\nmax_attempts = 'many'\n", "[callback] max_attempts='many': write a whole number"),
        ("[notifications]\nTitel = 'x'\n", "[notifications]: there is no text 'Titel'"),
    ):
        site = make()
        (site.folder / "ringback.toml").write_text(text)
        assert f"cannot start: {says}" in refused(site, status=2)
        doctor = ringback(site, "doctor")
        assert doctor.returncode == 1
        assert says.removeprefix("[notifications]: ") in doctor.stdout


def test_two_servers_on_one_data_directory(make: Callable[..., Site]) -> None:
    """The second says who the first is, and so does the doctor that is asked with its settings."""
    one = make()
    two = make(data_dir=str(one.folder / "var"))
    one.start()
    assert one.process is not None
    said = refused(two)
    assert f"another Ringback is running on it (process {one.process.pid}): stop that one, or give" in said
    doctor = ringback(two, "doctor")
    assert doctor.returncode == 1
    assert f"(process {one.process.pid}): a start is refused" in doctor.stdout


def mounted(folder: Path, options: str) -> tuple[str, ...]:
    """A prefix that runs a command with a small file system of its own at ``folder``; it is gone with the command."""
    folder.mkdir(exist_ok=True)
    script = (
        f'mount -t tmpfs -o {options} tmpfs "{folder}" || exit 9; '
        f'[ -z "$FILL" ] || head -c "$FILL" /dev/zero >"{folder}/full"; '
        f'[ -z "$RO" ] || mount -o remount,ro "{folder}"; exec "$@"'
    )
    return ("unshare", "-m", "bash", "-c", script, "bash")


def may_mount(folder: Path) -> bool:
    """Whether this user may make mounts."""
    probe = [*mounted(folder, "size=1m"), "true"]
    return (
        subprocess.run(
            probe, capture_output=True, check=False, env={**os.environ, "FILL": "", "RO": ""}
        ).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("environment", "says", "mend"),
    [
        ({"FILL": "", "RO": "yes"}, "it is read-only", "mount it for writing, or set RINGBACK_DATA_DIR"),
        ({"FILL": "20M", "RO": ""}, "the disk is full", "make room, or set RINGBACK_DATA_DIR"),
        ({"FILL": "40M", "RO": ""}, "the disk is full", "make room, or set RINGBACK_DATA_DIR"),
    ],
)  # fmt: skip
def test_a_data_directory_that_cannot_be_written(
    make: Callable[..., Site], tmp_path: Path, environment: dict[str, str], says: str, mend: str
) -> None:
    """Serve never says that it is ready, and the doctor has the same reason."""
    folder = tmp_path / "small"
    if not may_mount(folder):
        pytest.skip("this user may not make mounts")
    site = make(data_dir=str(folder))
    site.environment |= environment
    before = mounted(folder, "size=32m")
    said = refused(site, before=before)
    assert f"cannot start: RINGBACK_DATA_DIR={folder}: {says}" in said
    assert mend in said
    doctor = ringback(site, "doctor", before=before)
    assert doctor.returncode == 1
    assert re.search(rf"error +data directory +{folder}: {says}", doctor.stdout), doctor.stdout
    assert f"-> {mend}" in doctor.stdout


PHASES = ("importing", "a child begins", "children run", "ready")


@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_during_the_start(make: Callable[..., Site], phase: str) -> None:
    """The terminal sends it to the whole group. Nobody prints a traceback, and nobody stays."""
    site = make(transcription="off")
    log = site.folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "ringback", "serve"], env=site.environment, cwd=site.folder,
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip

    def children() -> list[str]:
        path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return path.read_text().split() if path.exists() else []

    reached: dict[str, Callable[[], object]] = {
        "importing": lambda: "uvloop" in Path(f"/proc/{process.pid}/maps").read_text(),
        "a child begins": children,
        "children run": lambda: len(children()) > 1,
        "ready": lambda: "Ringback is ready" in log.read_text(),
    }
    until(reached[phase], 30, phase)
    seen = children()
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) in (0, 128 + signal.SIGINT), log.read_text()
    said = log.read_text()
    for bad in ("Traceback", "Fatal Python error", "KeyboardInterrupt", "CancelledError", " ERROR "):
        assert bad not in said, said
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in seen), 10, "no child is left")


def test_the_token_is_told_at_the_first_start_alone(make: Callable[..., Site]) -> None:
    site = make(transcription="off")
    for name in ("RINGBACK_ACCOUNT_SID", "RINGBACK_AUTH_TOKEN"):
        del site.environment[name]
    site.run()
    until(lambda: "Ringback is ready" in site.log(), 30)
    sid, token = ringback(site, "credentials").stdout.strip().split(":")
    first = site.log()
    assert f"  auth token   {token}\n" in first
    assert f"curl -u {sid}:{token} {site.url}/2010-04-01/" in first
    site.terminate()
    site.run()
    until(lambda: site.log().count("Ringback is ready") == 2, 30)
    second = site.log()[len(first) :]
    assert token not in second
    assert f"  account SID  {sid}\n" in second
    assert "  auth token   in " in second
    command = re.search(r'curl -u "\$\((.+) credentials\)" ', second)
    assert command, second
    assert command[1] == "python -m ringback"


def test_a_token_that_was_given_is_never_told(make: Callable[..., Site]) -> None:
    site = make(transcription="off")
    site.run()
    until(lambda: "Ringback is ready" in site.log(), 30)
    assert site.environment["RINGBACK_AUTH_TOKEN"] not in site.log()


def test_warnings_at_the_start(make: Callable[..., Site]) -> None:
    """A variable that is misspelt, and one without effect."""
    site = make(transcription="off", bus_url="nats://h", datadir="x")
    site.run()
    until(lambda: "Ringback is ready" in site.log(), 30)
    assert "WARNING ringback: RINGBACK_DATADIR is no setting: did you mean RINGBACK_DATA_DIR?" in site.log()
    assert "WARNING ringback: RINGBACK_BUS_URL=nats://h has no effect" in site.log()
    assert "did you mean RINGBACK_DATA_DIR?" in ringback(site, "credentials").stderr
    doctor = ringback(site, "doctor").stdout
    assert re.search(r"warning +settings +RINGBACK_DATADIR is no setting", doctor), doctor


def test_the_root_leads_to_the_documentation(site: Site) -> None:
    with urllib.request.urlopen(site.url, timeout=10) as answer:
        assert answer.status == 200
        assert answer.url == f"{site.url}/docs"
        assert "html" in answer.headers["Content-Type"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("serve", "--config", "none.toml"), 2, "ringback: --config none.toml: No such file or directory: write the"),
        (("doctor", "--config", "none.toml"), 1, "--config none.toml: No such file or directory"),
        (("credentials", "--config", "none.toml"), 2, "ringback: --config none.toml: No such file or directory"),
        (("serve", "--http", "banana"), 2, "ringback: RINGBACK_HTTP='banana': write host:port"),
        (("serve", "--banana"), 2, "No such option: --banana"),
        (("serve", "--standby"), 2, "--standby needs PostgreSQL"),
        (("reconcile", "--since", "banana"), 2, "--since 'banana' is no time: write 2026-11-21T08:00:00Z, or Unix"),
        (("reconcile", "--records", "none.csv"), 2, "--records none.csv does not exist: write the path of a CSV"),
        (("reconcile", "--records", "."), 2, "--records . is no file that can be read"),
        (("token", "--identity", "a", "--workspace", "WSbad"), 2, "--workspace 'WSbad' is no SID: write WS and 32"),
        (("token", "--identity", "a", "--worker", "WK" + "0" * 32), 2, "--worker needs --workspace"),
        (("phone", "+15550100"), 1, "Is the server running?"),
        (("backup", "copy"), 1, "there is nothing to copy in"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_commands_that_were_asked_for_wrongly(
    make: Callable[..., Site], arguments: tuple[str, ...], status: int, says: str
) -> None:
    done = ringback(make(), *arguments)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == status, said
    assert says in said
    assert "Traceback" not in said


def test_help_of_every_command_looks_alike(make: Callable[..., Site]) -> None:
    """And none of it has colours when it goes into a file."""
    site, shapes = make(), set()
    listed = re.findall(r"^│ (\w+) ", ringback(site, "--help").stdout, re.MULTILINE)
    assert {"serve", "phone", "doctor", "token", "reconcile", "credentials", "backup"} <= set(listed)
    for name in listed:
        done = ringback(site, name, "--help")
        assert done.returncode == 0
        assert "\x1b" not in done.stdout + done.stderr
        assert "--config" in done.stdout
        shapes.add(
            (f"Usage: python -m ringback {name} [OPTIONS]" in done.stdout, "╭─ Options ─" in done.stdout)
        )
    assert shapes == {(True, True)}


def test_a_token_for_a_workspace_that_there_is_not(shared: Site) -> None:
    """A running server is asked; without one the token is made with a warning."""
    made = shared.client.taskrouter.v1.workspaces.create(friendly_name="here")
    good = ringback(shared, "token", "--identity", "a", "--workspace", str(made.sid))
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.count(".") == 2
    bad = ringback(shared, "token", "--identity", "a", "--workspace", "WS" + "0" * 32)
    assert bad.returncode == 2
    assert f"the server at {shared.url} has no workspace WS000" in bad.stderr
    assert bad.stdout == ""


def test_a_phone_that_calls_a_number_of_nobody(shared: Site) -> None:
    done = ringback(shared, "phone", "+15559999999")
    assert done.returncode == 1
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith(
        "the call is over: failed. +15559999999 is no number of this Ringback; there are +15550100"
    )


def test_the_phone_shows_that_an_agent_answered(shared: Site) -> None:
    twiml = "<Response><Say>Wait</Say><Dial>+15551230002</Dial></Response>"
    with Web() as web:
        web.documents["/voice"] = twiml
        shared.number("+15550102", f"{web.url}/voice")
        process = subprocess.Popen(
            [sys.executable, "-m", "ringback", "phone", "+15550102"], env=shared.environment, cwd=shared.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        lines: list[str] = []
        end = time.monotonic() + 30
        for line in process.stdout:
            lines.append(line)
            assert time.monotonic() < end, lines
            if "you are talking to +15551230002" in line:
                process.stdin.write("/hangup\n")
                process.stdin.flush()
        process.stdin.close()
        process.stdout.close()
        assert process.wait(10) == 0
    text = "".join(lines)
    assert re.search(r"^ +\d+\.\d\d  answered  by \+15550102$", text, re.MULTILINE), text
    assert re.search(r"^ +\d+\.\d\d  joined    you are talking to \+15551230002$", text, re.MULTILINE), text


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(
    make: Callable[..., Site], no_color: str, coloured: bool
) -> None:
    """A real terminal; NO_COLOR (no-color.org) as its owner says. In a file there are none: see above."""
    site = make()
    site.environment |= {"TERM": "xterm"} | ({"NO_COLOR": no_color} if no_color else {})
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ringback", "reconcile", "--since", "banana"], env=site.environment,
        cwd=site.folder, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
        while part := os.read(ours, 4096):
            printed += part
    os.close(ours)
    assert process.wait(10) == 2
    assert b"is no time" in printed
    assert (b"\x1b[31m" in printed) is coloured, printed
