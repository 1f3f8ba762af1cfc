"""Worker processes that are given up while they start, or while they end, are gone all the same."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ringback.edges import child
from ringback.edges.media.client import MediaPool
from ringback.edges.speech.process import SpeechProcess
from ringback.edges.transcription.process import WorkerProcess


def start_media(folder: Path) -> Any:
    return MediaPool(
        workers=1, ports=range(0), bind_host="127.0.0.1", on_report=lambda report: None, data_dir=folder
    ).start()


def environment(pid: int) -> list[str]:
    """What a process was given."""
    return Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")


STARTS = {
    "media": start_media,
    "speech": lambda folder: SpeechProcess.start(lambda link: None),
    "transcription": lambda folder: WorkerProcess.start("nowhere:Nothing"),
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

    async def never(**more: Any) -> Any:
        connecting.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", note)
    monkeypatch.setattr(asyncio, "open_connection", never)
    task = asyncio.ensure_future(STARTS[name](tmp_path))
    await connecting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (process,) = started
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("canceled", [False, True], ids=["too slow", "canceled"])
async def test_a_process_that_does_not_end(canceled: bool) -> None:
    """It stands still: after the patience, or when nobody waits any more, it is killed."""
    made = await child.start_child("ringback.edges.speech.worker")
    os.kill(made.process.pid, signal.SIGSTOP)
    made.writer.close()
    ending = asyncio.ensure_future(child.end_soon(made.process, 60.0 if canceled else 0.01))
    if canceled:
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
    else:
        assert await ending == -signal.SIGKILL
    assert made.process.returncode == -signal.SIGKILL


async def test_what_it_is_told() -> None:
    """It runs with the environment and ends, with status 0, when its socket closes."""
    made = await child.start_child("ringback.edges.speech.worker", MARK="here")
    assert "MARK=here" in environment(made.process.pid)
    made.writer.close()
    await made.writer.wait_closed()
    assert await child.end_soon(made.process, 30.0) == 0
