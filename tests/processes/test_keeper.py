"""A child that dies is replaced: at once, then ever more rarely, and in the end not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from ringback.processes.keeper import Keeper, Restarts
from ringback.processes.link import Link, start

ECHO = """
import os
from ringback.processes.child import bodies, inherited, tell
link = inherited()
for body in bodies(link):
    if body == b"die":
        os._exit(3)
    tell(link, body)
"""


class Owner:
    """Notes what happens; what it has to say it says to every child once more."""

    def __init__(self, folder: Path, restarts: Restarts, unanswered: Sequence[bytes] = ()) -> None:
        self.program = folder / "echo.py"
        self.program.write_text(ECHO)
        self.unanswered = unanswered
        self.told: list[str] = []
        self.changed = asyncio.Event()
        self.keeper = Keeper(
            self.start, restarts,
            on_up=self.up, on_down=lambda: self.note("down"), on_given_up=lambda: self.note("given up"),
        )  # fmt: skip

    async def start(self) -> Link:
        if not self.program.exists():
            raise OSError("no more processes")
        return await start("echo", (str(self.program),), (), lambda body: self.note(body.decode()))

    def up(self, link: Link) -> None:
        self.note("up")
        for each in self.unanswered:
            link.send(each)

    def note(self, what: str) -> None:
        self.told.append(what)
        self.changed.set()

    async def until(self, *last: str) -> None:
        async with asyncio.timeout(20):
            while self.told[-len(last) :] != list(last):
                self.changed.clear()
                await self.changed.wait()


async def test_the_next_one_is_told_what_was_not_answered(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Restarts(0.01, 0.01), [b"a", b"b"])
    await owner.keeper.start()
    await owner.until("up", "a", "b")
    assert owner.keeper.up
    owner.keeper.send(b"die")
    await owner.until("down", "up", "a", "b")
    await owner.keeper.stop()
    assert owner.told[-1] == "down"
    assert not owner.keeper.up


async def test_so_many_starts_that_come_to_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    owner = Owner(tmp_path, Restarts(0.01, 0.02, tries=3), [b"die"])
    await owner.keeper.start()
    await owner.until("given up")
    assert owner.told == ["up", "down"] * 4 + ["given up"]
    assert "next start in 0.02 s" in caplog.text
    await owner.keeper.stop()


async def test_work_that_is_done_starts_the_count_again(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Restarts(60, 60, tries=2), [b"a"])
    await owner.keeper.start()
    for _ in range(4):
        await owner.until("up", "a")
        owner.keeper.worked()
        owner.keeper.send(b"die")
        await owner.until("down", "up", "a")
    await owner.keeper.stop()


async def test_stopping_ends_a_pause(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Restarts(600, 600))
    await owner.keeper.start()
    owner.program.unlink()
    owner.keeper.send(b"die")
    await owner.until("down")
    async with asyncio.timeout(10):
        while not owner.keeper.failures:
            await asyncio.sleep(0)
        await owner.keeper.stop()
    assert owner.told == ["up", "down"]


async def test_the_first_one_must_start(tmp_path: Path) -> None:
    owner = Owner(tmp_path, Restarts(0, 0))
    owner.program.unlink()
    with pytest.raises(OSError, match="no more"):
        await owner.keeper.start()
    await owner.keeper.stop()
