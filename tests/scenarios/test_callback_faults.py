"""Voicemails while things break: lost and late notifications, a crash; one live work item each time (issue 4)."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ringback.testing.world import Caller, World, world
from tests.scenarios.test_agents import Office
from tests.scenarios.test_callbacks import OURS, STAR, WORDS, Line, line

SPEAKS: list[dict[str, Any]] = [
    *STAR, {"expect": "leave a voicemail, press 2"}, {"press": "2"}, {"expect": "beep"}, {"say": WORDS}, {"wait": 1},
    {"hangup": True},
]  # fmt: skip


async def leave_a_message(ringback: World, desk: Line) -> Caller:
    """A caller does, and everything comes to rest."""
    caller = await ringback.call(OURS, script=SPEAKS)
    await caller.ends()
    await ringback.settled()
    return caller


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("late_transcription", WORDS), ("duplicate_transcription", WORDS), ("failed_transcription", None),
        ("no_transcription", None),
    ],
)  # fmt: skip
async def test_transcription(ringback: World, kind: str, words: str | None) -> None:
    desk = await line(ringback)
    await ringback.sim("POST", "Faults", {"kind": kind, "seconds": 200} if "late" in kind else {"kind": kind})
    await leave_a_message(ringback, desk)
    await ringback.advance(400)
    (task,) = desk.tasks("voicemail")
    assert desk.attributes(task)["callBackData"].get("transcriptText") == words
    assert desk.tasks("callback") == []
    assert ringback.product.callbacks.unfinished == 0


@pytest.mark.parametrize("count", [1, 2])
async def test_notifications_are_lost(ringback: World, count: int) -> None:
    """Of the recording, or of the transcription too: the sweep finds the message among the call's recordings."""
    desk = await line(ringback)
    for _ in range(count):
        await ringback.sim("POST", "Faults", {"kind": "drop_callback"})
    await leave_a_message(ringback, desk)
    await ringback.advance(120)
    (task,) = desk.tasks("voicemail")
    assert desk.attributes(task)["callBackData"].get("transcriptText") == (WORDS if count == 1 else None)
    assert len(await ringback.download(desk.attributes(task)["callBackData"]["recordingUrl"])) > 1000
    assert ringback.product.callbacks.unfinished == 0


async def test_notifications_come_twice(ringback: World) -> None:
    desk = await line(ringback)
    for _ in range(2):
        await ringback.sim("POST", "Faults", {"kind": "duplicate_callback"})
    await leave_a_message(ringback, desk)
    assert len(desk.tasks("voicemail")) == 1


async def test_the_caller_says_nothing(ringback: World) -> None:
    """They hang up at the tone: there is no message, and no work."""
    desk = await line(ringback)
    script = [
        *STAR,
        {"expect": "leave a voicemail, press 2"},
        {"press": "2"},
        {"expect": "beep"},
        {"hangup": True},
    ]
    caller = await ringback.call(OURS, script=script)
    await caller.ends()
    await ringback.settled()
    await ringback.advance(300)
    assert desk.tasks("voicemail") + desk.tasks("callback") == []
    assert ringback.product.callbacks.unfinished == 0


@pytest.mark.parametrize("moment", ["leave a message at the tone", "beep"])
async def test_a_crash_while_the_caller_leaves_his_message(tmp_path: Path, moment: str) -> None:
    """The process dies before or while they speak: after the restart there is one request of theirs, and only one."""
    before, after = tmp_path / "before", tmp_path / "after"
    async with world(before) as first:
        desk = await line(first)
        caller = await first.call(OURS, script=[*SPEAKS[:4], {"wait": 120}])
        await caller.hears(moment, within=120)
        with first.clock.hold():
            workspace = desk.office.ws
            crash(before, after)
    async with world(after) as second:
        office = Office(second)
        office.ws = workspace
        await second.lanes_empty()
        await second.settled()
        await second.advance(200)
        here = Line(second, office)
        made = here.tasks("callback") + here.tasks("voicemail")
        assert [one.assignment_status for one in made] == ["pending"]
        assert here.attributes(made[0])["callBackData"]["numberToCall"] == "+15551230001"
        assert second.product.callbacks.unfinished == 0
        for task in here.tasks():
            assert task.assignment_status == "canceled"


def crash(running: Path, copy: Path) -> None:
    """What a crash right now would leave on the disk."""
    copy.mkdir()
    shutil.copy(running / "credentials.json", copy)
    for folder in ("callbacks", "recordings", "spoken"):
        if (running / folder).exists():
            shutil.copytree(running / folder, copy / folder)
    source, target = sqlite3.connect(running / "ringback.db"), sqlite3.connect(copy / "ringback.db")
    source.backup(target)
    source.close()
    target.close()
