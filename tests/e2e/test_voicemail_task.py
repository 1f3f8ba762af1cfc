"""Issue 4, Show 1: a caller leaves the queue for a message, and an agent works on it until it is theirs again.

Nothing is replaced: the customer and the agent have SIP phones, the message is speech that the engine writes down, the
agent works by the official client and their access token.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import time
import wave
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import soxr
from numpy.typing import NDArray
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import TaskRouterGrant

from ringback.edges.speech.client import Speech
from tests.e2e.baresip import Phone
from tests.e2e.office import Office
from tests.e2e.sipp import Callee
from tests.e2e.site import ACCOUNT, TOKEN, Site, until
from tests.e2e.test_voicemail import read_mp3, read_wav
from tests.e2e.web import Web

CUSTOMER, OURS = "+15551230001", "+15550100"
WORDS = "Good morning this is Maria please call me back tomorrow about my broken washing machine"
PIECE = 4000
"""Samples: half a second at 8 kHz."""
LEAD, TAIL = 8000, 30 * 8000
"""Samples of silence: when baresip switches to the file, its first quarter of a second or so is not heard; the rest
is longer than the call."""
FEATURE = "/features/callback-and-voicemail"
TOML = """
[phone.alice]
password = "wonderland"
[trunk.customer]
host = "127.0.0.1:{port}"
prefixes = ["{customer}"]
[callback]
retain_place_on_retry = {retain}
[callback.texts.en-US]
greeting = "Hello."
choice = "One or two."
record_voicemail = "Speak."
"""
"""The texts are short, because they are spoken in real time."""


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """WORDS, spoken: a WAV of 8 kHz with silence before and after."""
    folder = tmp_path_factory.mktemp("speech")

    async def render() -> Path:
        engine = Speech(cache_dir=folder / "cache")
        try:
            return Path(shutil.copy(await engine.render_wav(WORDS), folder / "rendered.wav"))
        finally:
            await engine.close()

    samples, rate = read_wav(asyncio.run(render()).read_bytes())
    spoken = np.clip(soxr.resample(samples, rate, 8000), -32768, 32767).astype("<i2")
    path = folder / "speech.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * LEAD) + spoken.tobytes() + bytes(2 * TAIL))
    return path


def likeness(sound: NDArray[np.float64], said: NDArray[np.float64]) -> float:
    """How well half seconds of what was said are found in the sound: the worst correlation, 0 to 1.

    Both at 8 kHz, at any scale. Piece by piece, because a late packet shifts what follows by a frame:
    a piece in which that happens is still 0.7, another sound at most 0.35.
    """
    sound = np.concatenate(
        (np.zeros(8000), sound / np.abs(sound).max())
    )  # its beginning may have been trimmed
    squares = np.concatenate(([0.0], np.cumsum(sound**2)))
    found: list[float] = []
    for begin in range(0, len(said) - PIECE, PIECE):
        piece = said[begin : begin + PIECE]
        power = float((piece**2).sum())
        if power < 0.2 * float((said**2).mean()) * PIECE:
            continue  # a pause
        size = len(sound) + PIECE
        places = len(sound) - PIECE
        product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(piece, size)), size)[:places]
        energy = (squares[PIECE:] - squares[:-PIECE])[:places]
        found.append(float((product / np.sqrt(np.maximum(energy, 0.01 * squares[-1]) * power)).max()))
    assert len(found) >= 5, "there is speech"
    return min(found)


class Desk:
    """What the agent Alice has before her: the official client and her token for the feature."""

    def __init__(self, site: Site, web: Web) -> None:
        self.site = site
        self.office = Office(site, f"{site.url}{FEATURE}/studio/task-events")
        self.tasks = self.office.workspace.tasks
        web.documents["/assign"] = "{}"
        self.workflow = self.office.make_workflow("calls", f"{web.url}/assign")
        self.alice = self.office.hire("alice", "Unavailable", contact_uri="sip:alice@ringback")
        token = AccessToken(ACCOUNT, ACCOUNT, TOKEN, identity="alice")
        token.add_grant(TaskRouterGrant(str(self.office.workspace._solution["sid"]), self.alice, "worker"))
        self.token = token.to_jwt()

    def ask(self, name: str, **fields: str) -> dict[str, Any]:
        """What a plugin of the desktop asks the feature."""
        url = f"{self.site.url}{FEATURE}/flex/{name}"
        answer = requests.post(url, data={"Token": self.token, **fields}, timeout=20)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def of_kind(self, kind: str) -> list[Any]:
        """The tasks of a ``taskType``, oldest first; empty: those of calls."""
        found = [one for one in self.office.tasks() if json.loads(one.attributes).get("taskType", "") == kind]
        return sorted(found, key=lambda one: one.date_created)

    def data(self, task_sid: str) -> dict[str, Any]:
        """``callBackData`` of a task."""
        found: dict[str, Any] = json.loads(self.tasks(task_sid).fetch().attributes)["callBackData"]
        return found

    def offered(self) -> Any:
        """Wait for a reservation that Alice may accept."""
        reservations = self.office.reservations(self.alice)
        (found,) = until(lambda: reservations.list(reservation_status="pending"), 10, "a task is offered")
        return found

    def accept(self) -> Any:
        """Accept what is offered; the reservation."""
        offered = self.offered()
        taken = self.office.reservations(self.alice)(offered.sid).update(reservation_status="accepted")
        assert taken.reservation_status == "accepted"
        return taken

    def finish(self, task_sid: str) -> None:
        """Wrap up and complete."""
        self.tasks(task_sid).update(assignment_status="wrapping")
        done = self.tasks(task_sid).update(assignment_status="completed", reason="worked on")
        assert done.assignment_status == "completed"


def press(phone: Phone, site: Site, call: str, key: str, mode: str) -> None:
    """Press a key until the feature has heard of it: a key during the greeting counts for nothing."""

    def asked() -> bool:
        requested = [str((one.request or {}).get("url")) for one in site.client.calls(call).events.list()]
        return any(f"mode={mode}" in url for url in requested)

    end = time.monotonic() + 25
    while not asked():
        assert time.monotonic() < end, f"{key} did not lead to {mode}\n{site.log()[-2000:]}"
        phone.press(key)
        pause = time.monotonic() + 3.5  # <Gather> waits two seconds for another digit
        while time.monotonic() < pause and not asked():
            time.sleep(0.1)


def leave_message(desk: Desk, folder: Path, speech: Path, seconds: float) -> str:
    """The customer calls, presses star and 2, speaks after the tone and hangs up; SID of the call."""
    site = desk.site
    server = f"127.0.0.1:{site.sip_port}"
    with Phone(folder / "customer", user=CUSTOMER, server=server, hertz=0.0) as customer:
        customer.dial(f"sip:{OURS}@{server}")
        customer.wait("CALL_ESTABLISHED")
        (task,) = until(lambda: desk.of_kind(""), 10, "the caller is a task")
        call = str(json.loads(task.attributes)["call_sid"])
        press(customer, site, call, "*", "handle-initial-choice")
        press(customer, site, call, "2", "handle-callback-or-voicemail-choice")
        (recording,) = until(lambda: site.client.recordings.list(), 20, "the tone has sounded")
        customer.command("ausrc", f"aufile,{speech}")
        file = site.folder / "var" / "recordings" / f"{recording.sid}.wav"
        enough = int(16_000 * (seconds + LEAD / 8000 + 0.5))
        until(lambda: file.exists() and file.stat().st_size > enough, seconds + 10, "she has spoken")
        customer.command("hangup")
        customer.wait("CALL_CLOSED")
    assert site.ended(call) == "completed"
    return call


@pytest.mark.parametrize("retain", [False, True], ids=["end of the line", "kept place"])
def test_a_message_is_called_back_is_busy_and_comes_again(
    retain: bool, start_site: Callable[..., Site], web: Web, speech: Path, tmp_path: Path
) -> None:
    """Call, star, 2, speak, hang up; fetch, read, call back, busy, re-queue, and there it is with one attempt."""
    said, _ = read_wav(speech.read_bytes())
    said = said[LEAD : len(said) - TAIL]
    with ExitStack() as phones:
        far = phones.enter_context(Callee(tmp_path / "far", "486 Busy Here"))
        toml = TOML.format(port=far.port, customer=CUSTOMER, retain=str(retain).lower())
        site = start_site(toml=toml)
        desk = Desk(site, web)
        web.documents["/voice"] = (
            f'<Response><Enqueue workflowSid="{desk.workflow}" '
            f'waitUrl="{site.url}{FEATURE}/studio/wait-experience"/></Response>'
        )
        (number,) = site.client.incoming_phone_numbers.list(phone_number=OURS)
        number.update(voice_url=f"{web.url}/voice", voice_method="POST")
        leave_message(desk, tmp_path, speech, len(said) / 8000)

        # The voicemail is a task, and it has the caller's place; the call's own task is over.
        (voicemail,) = until(lambda: desk.of_kind("voicemail"), 10, "the message is a task")
        (waiting,) = desk.of_kind("")
        assert (waiting.assignment_status, waiting.reason) == ("canceled", "Opted to leave a voicemail")
        assert voicemail.virtual_start_time == waiting.date_created
        rival = desk.tasks.create(workflow_sid=desk.workflow, task_channel="voice", attributes="{}")
        assert rival.date_created > voicemail.virtual_start_time

        # It reaches the agent, who hears and reads it.
        server = f"127.0.0.1:{site.sip_port}"
        alice = phones.enter_context(
            Phone(tmp_path / "alice", user="alice", server=server, password="wonderland", answer=True)
        )
        alice.says("200 OK (Ringback")
        desk.office.workspace.workers(desk.alice).update(activity_sid=desk.office.activities["Available"])
        held = desk.accept()
        assert held.task_sid == voicemail.sid, "before the task that came after the call"
        data = desk.data(voicemail.sid)
        assert (data["numberToCall"], data["numberToCallFrom"], data["attempts"]) == (CUSTOMER, OURS, 0)
        fetched = desk.ask("fetch-voicemail", recordingSid=data["recordingSid"])
        assert fetched["type"] == "audio/mpeg"
        sound, rate = read_mp3(base64.b64decode(fetched["recording"]))
        assert likeness(soxr.resample(sound, rate, 8000), said) > 0.6, (
            "her own voice, from the first word to the last"
        )
        text = until(lambda: desk.data(voicemail.sid).get("transcriptText"), 30, "it is written down")
        heard = set(re.findall(r"[a-z]+", text.lower()))
        assert len(set(WORDS.lower().split()) - heard) <= 2, text

        # The agent calls back (pressing twice dials once), and the customer is busy.
        placed = desk.ask("place-callback", taskSid=voicemail.sid, reservationSid=held.sid)
        again = desk.ask("place-callback", taskSid=voicemail.sid, reservationSid=held.sid)
        assert (again["taskSid"], again["again"]) == (placed["taskSid"], True)
        ours = desk.offered()
        assert ours.task_sid == placed["taskSid"]
        desk.office.reservations(desk.alice)(ours.sid).update(
            instruction="conference", end_conference_on_exit=True, beep="false"
        )
        alice.wait("CALL_ESTABLISHED")
        alice.wait("CALL_CLOSED")
        assert far.dialled() == [CUSTOMER]
        assert desk.office.reservations(desk.alice)(ours.sid).fetch().reservation_status == "canceled"
        outcome = until(lambda: desk.data(voicemail.sid).get("lastOutcome"), 10, "the outcome is on the task")
        assert (outcome["result"], outcome["code"], outcome["task"]) == ("busy", 45303, placed["taskSid"])
        asked = desk.ask("callback-outcome", taskSid=voicemail.sid)
        assert (asked["outcome"], asked["selectTask"]) == (outcome, voicemail.sid)
        assert desk.tasks(voicemail.sid).fetch().assignment_status == "assigned"

        # The agent puts it back, finishes, and finds it where the option says.
        requeued = desk.ask("requeue-callback", taskSid=voicemail.sid)["taskSid"]
        assert desk.ask("requeue-callback", taskSid=voicemail.sid)["taskSid"] == requeued
        second = desk.tasks(requeued).fetch()
        assert second.virtual_start_time == (waiting.date_created if retain else second.date_created)
        desk.finish(voicemail.sid)
        if not retain:
            assert desk.accept().task_sid == rival.sid, "whoever waited longer is first"
            desk.finish(rival.sid)
        found = desk.accept()
        assert found.task_sid == requeued
        data = desk.data(found.task_sid)
        assert data["attempts"] == 1
        assert (data["numberToCall"], data["transcriptText"]) == (CUSTOMER, text)
        assert desk.ask("fetch-voicemail", recordingSid=data["recordingSid"]) == fetched
        assert {one.sid for one in desk.of_kind("voicemail")} == {voicemail.sid, requeued}
        desk.finish(found.task_sid)
        assert far.dialled() == [CUSTOMER], "dialled once"
