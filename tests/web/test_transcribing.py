"""The performer of ``Transcribe`` with everything around it replaced: what it reports, and what it leaves alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ringback.edges.transcription.client import Heard
from ringback.effects.transcription import Transcribe
from ringback.events.transcription import TranscriptionEnded
from ringback.resources.api.transcription import Transcription
from ringback.runtime.virtual_clock import VirtualClock
from ringback.web.transcribing import Transcriptions

SID, RECORDING = "TR" + "1" * 32, "RE" + "2" * 32


class Site:
    """A store with one transcription, a listener that waits to be told what it heard, and the reports."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(1000.0)
        self.record: Transcription | None = Transcription(
            sid=SID, account_sid="AC1", date_created=990.0, recording_sid=RECORDING,
            plan={"callback": None, "facts": [["CallSid", "CA1"]]},
        )  # fmt: skip
        self.begun: list[Path] = []
        self.heard: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()
        self.reports: list[Any] = []
        self.answer: Any = None
        self.finished: list[str] = []
        self.work = Transcriptions(
            store=self,  # type: ignore[arg-type]
            clock=self.clock,
            ask=self.ask,
            listener=self,
            recordings=folder,
            finished=self.finished.append,
        )
        (folder / f"{RECORDING}.wav").touch()

    async def get(self, _: type[Any], sid: str) -> Transcription | None:
        assert sid == SID
        return self.record

    async def transcribe(self, path: Path, account: str) -> Heard:
        self.begun.append(path)
        return await self.heard

    async def ask(self, event: Any) -> Any:
        self.reports.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def start(self) -> None:
        self.work.start(Transcribe(transcription_sid=SID))

    async def idle(self) -> None:
        while self.work.in_flight:
            await asyncio.sleep(0)


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_is_begun_once_while_it_is_under_way_and_holds_the_clock(site: Site) -> None:
    site.answer = Transcription(
        sid=SID, account_sid="AC1", date_created=990.0, recording_sid=RECORDING, status="completed"
    )
    site.start()
    site.start()
    await turns()
    site.start()
    await turns()
    assert len(site.begun) == 1
    assert site.clock.holds == 1
    site.heard.set_result(Heard(text="hello"))
    await site.idle()
    assert site.clock.holds == 0
    assert site.reports == [
        TranscriptionEnded(transcription_sid=SID, recording_sid=RECORDING, call_sid="CA1", text="hello")
    ]
    assert site.finished == [RECORDING]
    figures = site.work.figures()
    assert figures["transcriptions_completed_total"] == 1
    assert figures["transcription_lateness_seconds"] == figures["transcription_lateness_max_seconds"] == 10.0


@pytest.mark.parametrize("status", ["completed", "failed", None])
async def test_what_is_settled_or_gone_is_not_listened_to_again(site: Site, status: str | None) -> None:
    if status is None:
        site.record = None
    else:
        assert site.record is not None
        site.record.status = status
    site.start()
    await site.idle()
    assert (site.begun, site.reports, site.finished) == ([], [TranscriptionEnded(transcription_sid=SID)], [])


async def test_a_file_that_is_gone_is_a_problem(site: Site, tmp_path: Path) -> None:
    (tmp_path / f"{RECORDING}.wav").unlink()
    site.start()
    await site.idle()
    assert site.begun == []
    assert "not there any more" in site.reports[0].problem


async def test_after_a_crash_the_answer_may_be_another_try(site: Site) -> None:
    """The effect of the answer comes before the answer itself."""
    site.heard.set_result(Heard(problem="status -9", crashed=True))
    tried = site.ask

    async def again(event: Any) -> Any:
        answer = await tried(event)
        if len(site.reports) < 3:
            site.start()
        return answer

    site.work._ask = again
    site.start()
    await site.idle()
    assert [one.crashed for one in site.reports] == [True, True, True]
    assert len(site.begun) == 3


async def test_a_report_that_cannot_be_written_is_logged(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.answer = OSError("the database is gone")
    site.heard.set_result(Heard(text="hello"))
    site.start()
    await site.idle()
    assert "stays in progress until the next start" in caplog.text
    assert site.work.figures()["transcriptions_completed_total"] == 0
    assert (site.finished, site.clock.holds) == ([], 0)


async def test_closing_reports_nothing(site: Site) -> None:
    site.start()
    await turns()
    await site.work.close()
    assert (site.reports, site.work.in_flight, site.clock.holds) == ([], 0, 0)
