"""Children that are given up while they start, or while they end, are gone all the same."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import uvloop

from ringback.edges.media.client import MediaPool
from ringback.edges.speech.process import SpeechProcess
from ringback.edges.transcription.process import WorkerProcess
from ringback.processes.link import Link, StartFailed, start
from ringback.store.sqlite import SqliteEngine

ECHO = """
from ringback.processes.child import bodies, inherited, tell
link = inherited()
for body in bodies(link):
    tell(link, body)
"""


async def echo(folder: Path, heard: list[bytes], patience: float = 60.0, **more: str) -> Link:
    """A child that sends back what it gets."""
    program = folder / "echo.py"
    program.write_text(ECHO)
    return await start("echo", (str(program),), (), heard.append, patience=patience, **more)


def environment(pid: int) -> list[str]:
    """What a process was given."""
    return Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")


def start_media(folder: Path) -> Any:
    return MediaPool(
        workers=1, ports=range(0), bind_host="127.0.0.1", on_report=lambda report: None, data_dir=folder
    ).start()


STARTS = {
    "media": start_media,
    "speech": lambda folder: SpeechProcess.start(),
    "transcription": lambda folder: WorkerProcess.start("nowhere:Nothing"),
    "database": lambda folder: SqliteEngine(str(folder / "db")).open(),
}


@pytest.mark.parametrize("name", STARTS)
async def test_given_up_between_the_process_and_its_socket(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The process is there, nobody knows it yet, and whoever wanted it is canceled."""
    started: list[asyncio.subprocess.Process] = []
    connecting = asyncio.Event()
    create = asyncio.create_subprocess_exec

    async def note(*arguments: Any, **more: Any) -> asyncio.subprocess.Process:
        started.append(await create(*arguments, **more))
        return started[-1]

    async def never(*_: Any, **more: Any) -> Any:
        connecting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", note)
    monkeypatch.setattr(asyncio.get_running_loop(), "create_unix_connection", never)
    task = asyncio.ensure_future(STARTS[name](tmp_path))
    await connecting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (process,) = started
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("canceled", [False, True], ids=["too slow", "canceled"])
async def test_a_process_that_does_not_end(canceled: bool, tmp_path: Path) -> None:
    """It stands still: after the patience, or when nobody waits any more, it is killed."""
    link = await echo(tmp_path, [], patience=60.0 if canceled else 0.01)
    os.kill(link.process.pid, signal.SIGSTOP)
    link.close()
    ending = asyncio.ensure_future(link.wait())
    if canceled:
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
    else:
        assert await ending == -signal.SIGKILL
    assert link.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("way", ["finish", "close"])
async def test_an_orderly_end(way: str, tmp_path: Path) -> None:
    """What it was told is answered before it finishes; closed, nobody hears that. Its status is 0."""
    heard: list[bytes] = []
    link = await echo(tmp_path, heard)
    assert link.open
    for number in range(500):
        link.send(b"%d" % number * 50)
    getattr(link, way)()
    assert not link.open
    link.send(b"too late")
    assert await link.wait() == 0
    assert len(heard) == (500 if way == "finish" else 0)


@pytest.mark.parametrize("way", ["finish", "close"])
def test_on_the_event_loop_of_the_product(way: str, tmp_path: Path) -> None:
    """uvloop's transports and processes are its own."""
    uvloop.run(test_an_orderly_end(way, tmp_path))


async def test_its_environment_and_its_group(tmp_path: Path) -> None:
    """It has what it was given, and Ctrl-C in the terminal does not reach it."""
    link = await echo(tmp_path, [], MARK="here")
    assert "MARK=here" in environment(link.process.pid)
    assert os.getpgid(link.process.pid) != os.getpgid(0)
    link.close()
    assert await link.wait() == 0


@pytest.mark.parametrize("sent", ["b'\\xff' * 8", "b'\\0\\0\\0\\2{}'"], ids=["frame", "body"])
async def test_what_is_not_understood_ends_it(
    sent: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "babble.py"
    program.write_text(
        f"import socket, sys\nlink = socket.socket(fileno=int(sys.argv[1]))\nlink.send({sent})\nlink.recv(1)"
    )

    def take(body: bytes) -> None:
        raise KeyError(body)

    link = await start("babble", (str(program),), (), take)
    assert await link.wait() == -signal.SIGKILL
    assert "does not speak our protocol" in link.problem
    assert "babble is killed" in caplog.text


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("tell(link, b'no such file')", "no such file"),
        ("pass", "ended at once"),
        ("link.recv(1)", "not ready"),
    ],
)
async def test_one_that_is_not_ready(does: str, why: str, tmp_path: Path) -> None:
    program = tmp_path / "never.py"
    program.write_text(f"from ringback.processes.child import inherited, tell\nlink = inherited()\n{does}")
    with pytest.raises(StartFailed, match=why):
        await start("never", (str(program),), (), lambda body: None, ready=0.5 if why == "not ready" else 30)
