"""The pool's own books: rooms, groups over two workers, restarts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringback.edges.media import client
from ringback.edges.media import protocol as p
from ringback.edges.media.client import MediaError, MediaPool
from ringback.processes.keeper import Restarts

from .rig import Rig


async def test_a_room_is_in_one_worker_and_forgotten_when_empty(tmp_path: Path) -> None:
    pool = MediaPool(
        workers=2, ports=range(0), bind_host="127.0.0.1", on_report=lambda _: None, data_dir=tmp_path
    )
    await pool.start()
    try:
        await pool.open("A", group="one")
        await pool.open("B", group="one")
        await pool.open("C", group="two")
        pool.join("A", "room")
        pool.join("A", "room", muted=True)
        pool.join("B", "room")
        pool.join("C", "room")  # it is taken to the others
        assert len({pool._where[leg][0] for leg in "ABC"}) == 1
        pool.join("A", "side")
        pool.leave("B")
        pool.leave("B")
        pool.join("nobody", "room")
        assert pool._members == {"side": {"A"}, "room": {"C"}}
        for leg in "ABC":
            pool.close(leg)
        assert (pool._members, pool._rooms, pool._groups, pool._where) == ({}, {}, {}, {})
        assert (pool._moving, pool._ports_of, pool._connects) == ({}, {}, {})
    finally:
        await pool.stop()


async def test_what_a_closed_leg_is_owed_is_told_when_its_worker_dies(rig: Rig, tmp_path: Path) -> None:
    await rig.call("A")
    rig.pool.record("A", "R", str(tmp_path / "r.wav"))
    await rig.wait(p.RecordingStarted)
    (stats,) = await rig.pool.worker_stats()
    os.kill(stats.pid, signal.SIGSTOP)
    rig.pool.close("A")
    os.kill(stats.pid, signal.SIGKILL)
    (stopped,) = await rig.wait(p.RecordingStopped)
    assert stopped.reason == "lost"
    assert (rig.pool._recordings, rig.pool._playbacks) == ({}, {})


async def test_a_worker_that_keeps_dying_is_started_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    start: Callable[..., object] = asyncio.create_subprocess_exec
    starts = 0

    async def dying(*_: str, **options: object) -> object:
        nonlocal starts
        starts += 1
        if starts == 3:
            raise OSError("no more processes")
        return await start(sys.executable, "-S", "-c", "raise SystemExit(7)", **options)  # type: ignore[misc]

    monkeypatch.setattr(client, "_RESTARTS", Restarts(0.01, 0.01))
    monkeypatch.setattr(asyncio, "create_subprocess_exec", dying)
    pool = MediaPool(
        workers=1, ports=range(0), bind_host="127.0.0.1", on_report=lambda _: None, data_dir=tmp_path
    )
    await pool.start()
    (worker,) = pool._workers
    async with asyncio.timeout(10):
        while worker.keeper.failures < 4:
            await asyncio.sleep(0.01)
        with pytest.raises(MediaError):
            await pool.open("A", group="g")
        await pool.stop()
    assert "does not stay up" in caplog.text
    assert "no more processes" in caplog.text


def test_the_wait_doubles_to_a_bound() -> None:
    waits = [client._RESTARTS.wait(failures) for failures in range(10)]
    assert waits == [0, 0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert client._RESTARTS.wait(10_000) == 30


async def test_stop_ends_the_wait_for_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> object:
        raise OSError("no more processes")

    pool = MediaPool(
        workers=1, ports=range(0), bind_host="127.0.0.1", on_report=lambda _: None, data_dir=tmp_path
    )
    await pool.start()
    (stats,) = await pool.worker_stats()
    monkeypatch.setattr(asyncio, "create_subprocess_exec", fail)
    os.kill(stats.pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        while not pool._workers[0].keeper.failures:
            await asyncio.sleep(0.01)
        await pool.stop()
