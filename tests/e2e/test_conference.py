"""Three SIP phones in one conference: who hears whom is measured on the wire of each (twiml.md §5.3)."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.e2e.baresip import Phone
from tests.e2e.site import Site, until
from tests.e2e.web import Params, Web

TONES = {"+15551230001": 500.0, "+15551230002": 900.0, "+15551230003": 1300.0}
CUSTOMER, AGENT, COACH = TONES


def strength(samples: NDArray[np.float64], hertz: float) -> float:
    """Amplitude of one frequency in PCM at 8 kHz."""
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / 8000)
    return float(abs((samples * turn).mean()) * 2)


def channels(data: bytes) -> NDArray[np.float64]:
    """Samples of a recording, one column a channel."""
    with wave.open(io.BytesIO(data)) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
        return frames.reshape(-1, file.getnchannels())


def tones(samples: NDArray[np.float64]) -> list[str]:
    """Whose tones are in a sound, after its first and before its last fifth of a second."""
    return [who for who, hertz in TONES.items() if strength(samples[1600:-1600], hertz) > 2000]


def heard(site: Site, calls: dict[str, str]) -> dict[str, list[str]]:
    """Whom each caller hears now: a second of what is sent to them."""
    running = {
        who: site.client.calls(sid).recordings.create(recording_channels="dual").sid
        for who, sid in calls.items()
    }
    time.sleep(1.2)  # of real sound
    for who, sid in running.items():
        site.client.calls(calls[who]).recordings(sid).update(status="stopped")
    return {who: tones(channels(file_of(site, sid))[:, 1]) for who, sid in running.items()}


def file_of(site: Site, recording: str) -> bytes:
    """The audio of a recording, once it is finished."""
    until(
        lambda: site.client.recordings(recording).fetch().status == "completed",
        10,
        "the recording is finished",
    )
    return site.get(f"Recordings/{recording}.wav")


@pytest.mark.parametrize("workers", ["1", "3"])
def test_three_phones_hold_coach_and_recording(
    start_site: Callable[..., Site], web: Web, tmp_path: Path, workers: str
) -> None:
    """The coach is heard by the agent alone, the held customer neither speaks nor hears, the recording has all
    that the room heard. With three media workers the three begin in different ones."""
    site = start_site(media_workers=workers)
    calls: dict[str, str] = {}

    def document(facts: Params) -> str:
        calls[facts["From"]] = facts["CallSid"]
        coach = f"coach='{calls[AGENT]}' beep='false'" if facts["From"] == COACH else "beep='false'"
        return (
            f"<Response><Dial><Conference {coach} record='record-from-start' trim='do-not-trim'>"
            "talk</Conference></Dial></Response>"
        )

    web.documents["/voice"] = document
    site.number("+15550101", f"{web.url}/voice")
    with ExitStack() as phones:
        seats: list[Any] = []
        for who, hertz in TONES.items():
            phone = phones.enter_context(
                Phone(tmp_path / who, user=who, server=f"127.0.0.1:{site.sip_port}", hertz=hertz)
            )
            phone.dial(f"sip:+15550101@127.0.0.1:{site.sip_port}")
            phone.wait("CALL_ESTABLISHED")
            seats = until(partial(_seated, site, calls, who), 10, f"{who} is in the conference")
        (conference,) = site.client.conferences.list(status="in-progress")
        assert [seat.call_sid for seat in seats] == [calls[who] for who in TONES]
        assert heard(site, calls) == {
            CUSTOMER: [AGENT], AGENT: [CUSTOMER, COACH], COACH: [CUSTOMER, AGENT],
        }  # fmt: skip
        seat = site.client.conferences(conference.sid).participants(calls[CUSTOMER])
        assert seat.update(hold=True).hold
        assert heard(site, calls) == {CUSTOMER: [], AGENT: [COACH], COACH: [AGENT]}
        seat.update(hold=False, muted=True)
        assert heard(site, calls) == {CUSTOMER: [AGENT], AGENT: [COACH], COACH: [AGENT]}
        site.client.conferences(conference.sid).update(status="completed")
        for sid in calls.values():
            site.ended(sid)
    (recording,) = site.client.recordings.list(conference_sid=conference.sid)
    assert (recording.source, recording.channels) == ("Conference", 1)
    mixed = channels(file_of(site, recording.sid))[:, 0]
    assert strength(mixed[8000:16000], TONES[AGENT]) > 2000
    assert strength(mixed[-8000:-800], TONES[AGENT]) > 2000
    assert strength(mixed[-8000:-800], TONES[CUSTOMER]) < 500  # muted
    assert strength(mixed, TONES[COACH]) < 300


def _seated(site: Site, calls: dict[str, str], who: str) -> list[Any]:
    """The participants, once that caller is one of them."""
    found: list[Any] = []
    for conference in site.client.conferences.list():
        if conference.status != "completed":
            found += site.client.conferences(conference.sid).participants.list()
    return found if any(each.call_sid == calls.get(who) for each in found) else []
